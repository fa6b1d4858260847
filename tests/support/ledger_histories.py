"""Random steps of a ledger, for a state machine: what happens, and hooks for what came of it."""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.books import part
from tests.support.ledger_steps import ENDS, RULES, Asked, Ledgers, code_of
from waystation.aws.table import TableError
from waystation.ledger.balances import GrantError, grant
from waystation.ledger.records import Idempotency, LedgerRecord, Opening

DAY_MS = 86_400_000
MONTH_ENDS_MS = 1_782_864_000_000  # 2026-07-01T00:00:00Z
JUMPS_MS = (1, -1, 1000, 149_999, 150_000, 600_000, -600_000, 3_600_000, DAY_MS, 3 * DAY_MS)

users = st.sampled_from(["alice", "bob#1"])
numbers = st.integers(0, 99)
names = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["m", "no/price"]),
        "kind": st.sampled_from(["chat", "title"]),
        "endpoint": st.sampled_from(["Acme", "Other%"]),
    }
)
requests = st.fixed_dictionaries(
    {
        "hold": st.sampled_from([None, 0, 30_000, 45_000, 100_001]),
        "key": st.sampled_from([None, "k1", "k2"]),
        "body": st.sampled_from(["b1", "b1", "b2"]),
        "count": st.sampled_from([1, 1, 2, 4]),
    }
)


class Histories(RuleBasedStateMachine):
    """The steps. A request that is never settled is one whose function has crashed."""

    def __init__(self) -> None:
        super().__init__()
        self.it = Ledgers()
        self.asked: list[Asked] = []
        self.runner = asyncio.Runner()

    def teardown(self) -> None:
        self.it.close()
        self.runner.close()

    @abstractmethod
    def granted(self, user: str, amount: int, name: str, told: str | None) -> None:
        """See what a grant has told; None if the table did not answer."""

    @abstractmethod
    def reserved(self, openings: Sequence[Opening], codes: Sequence[str | None]) -> None:
        """See which of several reserves at once were refused, and why."""

    @abstractmethod
    def opened(self, opening: Opening) -> None:
        """See that a request is under way."""

    @abstractmethod
    def settled(self, record: LedgerRecord) -> None:
        """See that a record was settled, as far as that was possible."""

    @abstractmethod
    def swept(self, counts: Sequence[int] | None) -> None:
        """See how many records several sweeps at once have ended; None if that is not known."""

    @abstractmethod
    def expired(self, opening: Opening) -> None:
        """See that one record was asked to expire."""

    @invariant()
    def books_agree(self) -> None:
        self.runner.run(self.it.audit())

    @rule(jump_ms=st.sampled_from(JUMPS_MS))
    def clock_jumps(self, jump_ms: int) -> None:
        self.it.now_ms += jump_ms

    @rule(before_ms=st.sampled_from([-1, 0, 1]))
    def month_ends(self, before_ms: int) -> None:
        self.it.now_ms = MONTH_ENDS_MS + before_ms

    @rule(user=users, amount=st.sampled_from([1, 50_000, -7]), name=st.sampled_from("ab"))
    def give(self, user: str, amount: int, name: str) -> None:
        told: dict[str, Any] = {"grant_id": name, "actor": "a", "reason": "r"}
        work = grant(self.it.table, user, amount, now_ms=self.it.now_ms, **told)
        result: str | None
        try:
            result = self.runner.run(work)
        except GrantError:
            result = "error"
        except TableError:
            result = None
        self.granted(user, amount, name, result)

    @rule(user=users, names=names)
    def open(self, user: str, names: dict[str, str]) -> None:
        opening = self.it.opening(user, None, None, names)
        self.asked.append(Asked(opening))
        self.runner.run(self.it.ledger.open(opening))
        self.opened(opening)

    @rule(user=users, names=names, request=requests)
    def reserve(self, user: str, names: dict[str, str], request: dict[str, Any]) -> None:
        """Reserve several at once: with a key, the same request; without one, as many requests."""
        key = Idempotency(f"IDM#{name}", request["body"]) if (name := request["key"]) else None
        count, hold = request["count"], request["hold"]
        openings = [self.it.opening(user, hold, key, names) for _ in range(count)]

        async def at_once() -> list[str | None]:
            rules = RULES if hold is not None else None
            works = [code_of(self.it.ledger.reserve(one, rules)) for one in openings]
            return list(await asyncio.gather(*works))

        codes = self.runner.run(at_once())
        for opening, code in zip(openings, codes, strict=True):
            if code is None:
                self.asked.append(Asked(opening))
        self.reserved(openings, codes)

    @precondition(lambda self: self.asked)
    @rule(
        number=numbers,
        how=st.sampled_from(list(ENDS)),
        times=st.sampled_from([1, 1, 2, 5]),
        is_swept=st.booleans(),
    )
    def settle(self, number: int, how: str, times: int, is_swept: bool) -> None:
        """Settle, perhaps again, perhaps several times at once, perhaps beside a sweep."""
        record = self.asked[number % len(self.asked)].end(how, self.it.now_ms)

        async def at_once() -> None:
            works = [self.it.ledger.settle(record) for _ in range(times)]
            sweeps = [self.it.sweep() for _ in range(is_swept)]
            await asyncio.gather(*works, *sweeps)

        self.runner.run(at_once())
        self.settled(record)
        if is_swept:
            self.swept(None)

    @rule(times=st.sampled_from([1, 2]))
    def sweep(self, times: int) -> None:
        async def at_once() -> list[int]:
            return list(await asyncio.gather(*(self.it.sweep() for _ in range(times))))

        self.swept(self.runner.run(at_once()))

    @precondition(lambda self: self.asked)
    @rule(number=numbers, late_ms=st.sampled_from([-1, 0, 1]), times=st.sampled_from([1, 2]))
    def expire(self, number: int, late_ms: int, times: int) -> None:
        """Ask for the end of one record, just before its time is over, or just after."""
        opening = self.asked[number % len(self.asked)].opening
        self.it.now_ms = opening.expires_at_ms + late_ms
        place = f"U#{part(opening.user_id)}", f"REQ#{opening.request_id}"

        async def at_once() -> None:
            works = [self.it.ledger.expire(*place) for _ in range(times)]
            for result in await asyncio.gather(*works, return_exceptions=True):
                if isinstance(result, BaseException) and not isinstance(result, TableError):
                    raise result

        self.runner.run(at_once())
        self.expired(opening)
