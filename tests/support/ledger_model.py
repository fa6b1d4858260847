"""A tiny ledger, kept beside the real one: what each step should make of records, grants and keys.

It knows nothing of tables, faults or concurrency, and asks nothing of the code under test.
"""

from dataclasses import dataclass, field

from tests.support.books import part
from waystation.ledger.balances import BalanceRules
from waystation.ledger.records import LedgerRecord, Opening

HOUR_MS = 3_600_000  # after which a balance is refilled, by the rules of these tests
DAY_S = 86_400
RATE = 1000  # nano-USD that a token of an input costs, where a price is known


@dataclass
class Record:
    """What should be stored of one request."""

    opening: Opening
    state: str = "RESERVED"
    cost: int | None = None

    @property
    def told(self) -> tuple[str, int | None]:
        return self.state, self.cost


@dataclass
class Key:
    """Who has an idempotency key."""

    holder: str
    body: str
    expires_at_ms: int
    ttl_s: int
    state: str = "open"


@dataclass
class User:
    """One user's part of the ledger."""

    records: dict[str, Record] = field(default_factory=dict)
    grants: dict[str, int] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    last_refill_ms: int | None = None

    @property
    def avail(self) -> int:
        """What is left of the grants after what is held, and what was spent."""
        drawing = [record for record in self.records.values() if record.opening.draws]
        held = sum(one.opening.hold_nanousd for one in drawing if one.state == "RESERVED")
        spent = sum(one.cost or 0 for one in drawing if one.state != "RESERVED")
        return sum(self.grants.values()) - held - spent

    @property
    def inflight(self) -> int:
        return sum(r.state == "RESERVED" and r.opening.draws for r in self.records.values())


class Model:
    """The ledger of all users."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}

    def user(self, user_id: str) -> User:
        return self.users.setdefault(user_id, User())

    def give(self, user_id: str, amount: int, grant_id: str) -> str:
        """Return `granted`, `known`, or `error` if the id had another amount."""
        grants = self.user(user_id).grants
        if grant_id not in grants:
            grants[grant_id] = amount
            return "granted"
        return "known" if grants[grant_id] == amount else "error"

    def open(self, opening: Opening) -> None:
        self.user(opening.user_id).records[opening.request_id] = Record(opening)

    def reserve(self, opening: Opening, rules: BalanceRules | None, now_ms: int) -> str | None:
        """Return the code of the refusal, None if there is none."""
        user = self.user(opening.user_id)
        code = self._key_refuses(user, opening, now_ms)
        if code is None and rules is not None and opening.draws:
            code = self._balance_refuses(user, opening, rules, now_ms)
        if code is not None:
            return code
        self.open(opening)
        if key := opening.idempotency:
            user.keys[key.sk] = Key(
                opening.request_id, key.body, opening.expires_at_ms, now_ms // 1000 + DAY_S
            )
        return None

    def settle(self, record: LedgerRecord) -> None:
        """End a record that is open or has expired; another is ended already."""
        user = self.user(record.user_id)
        found = user.records[record.request_id]
        if found.state in {"SETTLED", "RELEASED"}:
            return
        found.state, found.cost = record.state, record.cost_nanousd
        if record.idempotency is None:
            return
        key = user.keys[record.idempotency.sk]
        if key.holder == record.request_id:
            key.state = "free" if record.state == "RELEASED" else "done"

    def expire(self, record: Record, now_ms: int) -> bool:
        """End a record whose time is over, at what its input should cost; tell if it was."""
        opening = record.opening
        if record.state != "RESERVED" or opening.expires_at_ms > now_ms:
            return False
        record.state = "EXPIRED"
        record.cost = opening.estimated_input_tokens * RATE if opening.rates else None
        return True

    def sweep(self, now_ms: int) -> int:
        """Expire all that can be; return how many."""
        records = [record for user in self.users.values() for record in user.records.values()]
        return sum(self.expire(record, now_ms) for record in records)

    def records(self) -> dict[tuple[str, str], tuple[str, int | None]]:
        """Return state and cost of each record, by the keys of its item."""
        return {
            (f"U#{part(name)}", f"REQ#{request_id}"): record.told
            for name, user in self.users.items()
            for request_id, record in user.records.items()
        }

    def grants(self) -> dict[tuple[str, str], int]:
        """Return the amount of each grant, by the keys of its item."""
        return {
            (f"U#{part(name)}", f"ADJ#{grant_id}"): amount
            for name, user in self.users.items()
            for grant_id, amount in user.grants.items()
        }

    def keys(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Return holder and state of each idempotency key, by the keys of its item."""
        return {
            (f"U#{part(name)}", sk): (key.holder, key.state)
            for name, user in self.users.items()
            for sk, key in user.keys.items()
        }

    def _key_refuses(self, user: User, opening: Opening, now_ms: int) -> str | None:
        if opening.idempotency is None or opening.idempotency.sk not in user.keys:
            return None
        key = user.keys[opening.idempotency.sk]
        if key.state == "free" or key.ttl_s <= now_ms // 1000:
            return None
        if key.body != opening.idempotency.body:
            return "idempotency_key_reused"
        if key.state == "done":
            return "idempotency_completed"
        return "idempotency_in_progress" if key.expires_at_ms > now_ms else None

    def _balance_refuses(
        self, user: User, opening: Opening, rules: BalanceRules, now_ms: int
    ) -> str | None:
        if "start" not in user.grants:
            user.grants["start"], user.last_refill_ms = rules.start_nanousd, now_ms
        if user.inflight >= rules.max_inflight:
            return "rate_limited"
        assert user.last_refill_ms is not None
        is_due = now_ms >= user.last_refill_ms + HOUR_MS
        if user.avail < opening.hold_nanousd and rules.refill_nanousd and is_due:
            user.grants[f"refill-{now_ms}"] = rules.refill_nanousd
            user.last_refill_ms = now_ms
        return "insufficient_balance" if user.avail < opening.hold_nanousd else None
