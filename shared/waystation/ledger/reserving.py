"""Reserves: the open record, its hold and its idempotency key, at once or not at all.

    U#<user id> / IDM#<sha256 of the route and the key>

`state` is open while the request of `request_id` is under way, done when it is settled, free when
it was released. An open one whose `expires_at` has passed may be taken over, by one caller.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import cast

from waystation.aws.table import IS_NEW, Item, Put, TableBusyError, Unmet, When, Write
from waystation.errors import LedgerUnavailableError
from waystation.ledger.balances import (
    BalanceRules,
    hold_write,
    parse_balance,
    refill_writes,
    start_writes,
)
from waystation.ledger.errors import (
    IdempotencyCompletedError,
    IdempotencyInProgressError,
    IdempotencyKeyReusedError,
    InsufficientBalanceError,
    RateLimitedError,
)
from waystation.ledger.pricing import NANOUSD_PER_USD
from waystation.ledger.records import Idempotency, Opening
from waystation.ledger.retries import Patient

KEY_KEPT_S = 24 * 60 * 60
MAX_ROUNDS = 8  # a start, a refill, a key that is taken over; each may be lost to another


class Reserving:
    """One opening on its way into the table."""

    def __init__(
        self,
        patient: Patient,
        opening: Opening,
        rules: BalanceRules | None,
        now_ms: Callable[[], int],
    ) -> None:
        """Take the rules of the balance, which an opening that draws on it needs."""
        self._patient = patient
        self._opening = opening
        self._rules = rules if opening.draws else None
        self._now_ms = now_ms
        self._item = opening.to_item()
        self._stale: Item | None = None  # the key's item, where it is taken over
        self.is_unsure = False  # whether a try is unanswered, and may yet write

    async def run(self, ends_at: float) -> None:
        """Reserve. `ends_at` is on the event loop's clock.

        Raises what `Ledger.reserve` does, and TableError.
        """
        for _ in range(MAX_ROUNDS):
            refusal = await self._patient.transact(
                self._writes(), ends_at=ends_at, on_unsure=self._note_unsure
            )
            if refusal is None:
                return
            record, *others = refusal
            if record is not None:
                self._check_is_ours(record)
                return
            if self._opening.idempotency is not None and (unmet := others.pop(0)) is not None:
                self._stale = self._judge_key(unmet, self._opening.idempotency)
                continue
            if self._rules is not None and (unmet := others[0]) is not None:
                await self._mend_balance(unmet, self._rules, ends_at)
        raise TableBusyError("others are always sooner")

    def _note_unsure(self) -> None:
        self.is_unsure = True

    def _writes(self) -> list[Write]:
        opening = self._opening
        writes: list[Write] = [Put(self._item, IS_NEW)]
        if opening.idempotency is not None:
            writes.append(self._key_write(opening.idempotency))
        if self._rules is not None:
            writes.append(hold_write(opening.user_id, opening.hold_nanousd, self._rules))
        return writes

    def _key_write(self, key: Idempotency) -> Put:
        item = {
            "PK": self._item["PK"],
            "SK": key.sk,
            "request_id": self._opening.request_id,
            "body": key.body,
            "state": "open",
            "expires_at": self._opening.expires_at_ms,
            "ttl": self._now_ms() // 1000 + KEY_KEPT_S,
        }
        if self._stale is None:
            return Put(item, When(equal={"state": "free"}, or_new=True))
        known = {name: str(self._stale[name]) for name in ("state", "request_id")}
        return Put(item, When(equal=known))

    def _check_is_ours(self, record: Unmet) -> None:
        """See whether an unanswered try has reserved; ids are never given twice."""
        found = record.item or {}
        if found.get("state") != "RESERVED" or found["created_at"] != self._item["created_at"]:
            raise LedgerUnavailableError("The ledger has ended this request: try again.")

    def _judge_key(self, unmet: Unmet, key: Idempotency) -> Item | None:
        """Return the key's item if it may be taken over, None if the key has become free."""
        found, now_ms = unmet.item, self._now_ms()
        if found is None or found["state"] == "free":
            return None
        if _whole(found, "ttl") <= now_ms // 1000:
            return found
        if found["body"] != key.body:
            raise IdempotencyKeyReusedError
        if found["state"] == "done":
            raise IdempotencyCompletedError(str(found["request_id"]))
        if _whole(found, "expires_at") > now_ms:
            raise IdempotencyInProgressError
        return found

    async def _mend_balance(self, unmet: Unmet, rules: BalanceRules, ends_at: float) -> None:
        """Grant what is due, by now at the latest; return if it is worth another try."""
        balance, user_id = parse_balance(unmet.item), self._opening.user_id
        writes: Sequence[Write] | None
        if not balance.started:
            writes = start_writes(user_id, rules, self._now_ms())
        elif balance.inflight >= rules.max_inflight:
            raise RateLimitedError(rules.max_inflight)
        elif balance.avail >= self._opening.hold_nanousd:
            return  # another has been settled, or has granted, meanwhile
        else:
            writes = refill_writes(user_id, balance, rules, self._now_ms())
            if writes is None:
                raise InsufficientBalanceError(_too_little(self._opening, balance.avail))
        await self._patient.transact(writes, ends_at=ends_at)


def _too_little(opening: Opening, avail: int) -> str:
    needed, left = _usd(opening.hold_nanousd), _usd(avail)
    return f"Your balance is too low: this request may cost {needed} USD, and {left} USD are left."


def _usd(nanousd: int) -> str:
    return f"{(Decimal(nanousd) / NANOUSD_PER_USD).normalize():f}"


def _whole(item: Item, name: str) -> int:
    return cast("int", item[name])
