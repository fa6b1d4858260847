"""Random histories of a ledger: whatever happens, the books agree.

Without faults, every step is compared with what a tiny model of the ledger says. With faults, the
books must agree after every step, and in the end, when everything has been brought to its end,
every request must have come to what it was settled at, or to what an expired one costs.

More and longer histories: `LEDGER_HISTORIES=2000 pytest tests/unit/ledger/test_machine.py`.
"""

import os
from collections.abc import Sequence
from contextlib import suppress

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.support.books import part
from tests.support.faulty_table import Fault, QueueFault
from tests.support.ledger_histories import DAY_MS, Histories, numbers
from tests.support.ledger_model import RATE, Model
from tests.support.ledger_steps import INPUT, RULES, Asked
from waystation.aws.table import TableError
from waystation.ledger.records import LedgerRecord, Opening

HISTORIES = int(os.environ.get("LEDGER_HISTORIES", "100"))
REFUSALS = {
    "idempotency_in_progress",
    "idempotency_completed",
    "idempotency_key_reused",
    "insufficient_balance",
    "rate_limited",
    "ledger_unavailable",
}


class SureHistories(Histories):
    """Steps of which none fails: each does what the model does."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    @invariant()
    def model_agrees(self) -> None:
        records, grants, keys = (
            self.runner.run(self.it.items(prefix)) for prefix in ("REQ#", "ADJ#", "IDM#")
        )
        told = {key: (item["state"], item.get("cost")) for key, item in records.items()}
        assert told == self.model.records()
        assert {key: item["amount"] for key, item in grants.items()} == self.model.grants()
        held = {key: (item["request_id"], item["state"]) for key, item in keys.items()}
        assert held == self.model.keys()

    def granted(self, user: str, amount: int, name: str, told: str | None) -> None:
        assert told == self.model.give(user, amount, name)

    def opened(self, opening: Opening) -> None:
        self.model.open(opening)

    def reserved(self, openings: Sequence[Opening], codes: Sequence[str | None]) -> None:
        """Compare: who is sooner is not told, so let those be first that were."""
        in_order = sorted(zip(openings, codes, strict=True), key=lambda one: one[1] is not None)
        due = [self.model.reserve(one, RULES, self.it.now_ms) for one, _ in in_order]
        assert due == [code for _, code in in_order]

    def settled(self, record: LedgerRecord) -> None:
        self.model.settle(record)

    def swept(self, counts: Sequence[int] | None) -> None:
        due = self.model.sweep(self.it.now_ms - 1)  # the index is asked for what is before now
        assert counts is None or max(counts) <= due <= sum(counts)

    def expired(self, opening: Opening) -> None:
        record = self.model.user(opening.user_id).records[opening.request_id]
        self.model.expire(record, self.it.now_ms)


class FaultyHistories(Histories):
    """Steps of which any may fail, in the table or in the outbox; then what upkeep mends."""

    def __init__(self) -> None:
        super().__init__()
        self.grants: dict[tuple[str, str], set[int]] = {}
        self.refused: list[Opening] = []
        self.holders: dict[tuple[str, str], Asked] = {}

    @rule(faults=st.lists(st.sampled_from([None, *Fault]), min_size=1, max_size=8))
    def table_will_fail(self, faults: list[Fault | None]) -> None:
        at = len(self.it.table.calls)
        self.it.table.faults = {at + n: fault for n, fault in enumerate(faults) if fault}

    @rule(
        faults=st.lists(st.sampled_from([None, *QueueFault]), min_size=1, max_size=3),
        fault=st.sampled_from(Fault),
    )
    def both_will_fail(self, faults: list[QueueFault | None], fault: Fault) -> None:
        at = self.it.outbox.calls
        self.it.outbox.faults = {at + n: one for n, one in enumerate(faults) if one}
        self.table_will_fail([fault] * 9)

    @rule()
    def late_writes_are_done(self) -> None:
        self.runner.run(self.it.table.let_go())

    @precondition(lambda self: self.it.outbox.messages)
    @rule(number=numbers, times=st.sampled_from([1, 1, 2, 3]))
    def outbox_delivers(self, number: int, times: int) -> None:
        message = self.it.outbox.messages[number % len(self.it.outbox.messages)]
        for _ in range(times):
            self._apply(message)

    @rule()
    def log_is_put_back(self) -> None:
        for message in self.it.unwritten:
            self._apply(message)

    def _apply(self, message: str) -> None:
        with suppress(TableError):  # it is delivered again
            self.runner.run(self.it.ledger.apply(message))

    def granted(self, user: str, amount: int, name: str, told: str | None) -> None:
        possible = self.grants.setdefault((user, name), set())
        if told is None:
            possible.add(amount)
        elif told == "error":
            assert possible - {amount}
        else:
            assert told == "granted" or amount in possible
            possible.add(amount)

    def opened(self, opening: Opening) -> None:
        """Nothing is told of it."""

    def reserved(self, openings: Sequence[Opening], codes: Sequence[str | None]) -> None:
        accepted = {one.opening.request_id: one for one in self.asked[-len(openings) :]}
        for opening, code in zip(openings, codes, strict=True):
            if code is not None:
                assert code in REFUSALS
                self.refused.append(opening)
            elif opening.idempotency is not None:
                self._takes_key(opening.idempotency.sk, accepted[opening.request_id])

    def _takes_key(self, sk: str, one: Asked) -> None:
        """Expect that the one who had the key before is known to use it no more."""
        before = self.holders.get((one.opening.user_id, sk))
        self.holders[one.opening.user_id, sk] = one
        if before is None:
            return
        is_free = before.record is not None and before.record.state == "RELEASED"
        assert is_free or self.it.now_ms >= before.opening.expires_at_ms
        state, _ = self._told(before.opening) or (None, None)
        if state == "SETTLED":
            assert self.it.now_ms >= before.opening.created_at_ms + DAY_MS - 1000

    def settled(self, record: LedgerRecord) -> None:
        """Where it went is seen in the end."""

    def swept(self, counts: Sequence[int] | None) -> None:
        """How many it should be is not known."""

    def expired(self, opening: Opening) -> None:
        """Where it went is seen in the end."""

    def teardown(self) -> None:
        try:
            self._bring_to_its_end()
            self._check_requests()
            self._check_grants()
        finally:
            super().teardown()

    def _bring_to_its_end(self) -> None:
        self.it.table.faults.clear()
        self.it.outbox.faults.clear()
        self.late_writes_are_done()
        for message in (*self.it.outbox.messages, *self.it.unwritten):
            self.runner.run(self.it.ledger.apply(message))
        self.it.now_ms = 2**42  # in the year 2109
        self.runner.run(self.it.sweep())
        self.runner.run(self.it.audit())

    def _check_requests(self) -> None:
        for one in self.asked:
            told = self._told(one.opening)
            if one.record is not None:
                assert told == (one.record.state, one.record.cost_nanousd)
            else:
                assert told == ("EXPIRED", INPUT * RATE if one.opening.rates else None)
        for opening in self.refused:
            assert self._told(opening) in (None, ("RELEASED", 0))

    def _check_grants(self) -> None:
        found = self.runner.run(self.it.items("ADJ#"))
        for (user, name), possible in self.grants.items():
            item = found.get((f"U#{part(user)}", f"ADJ#{name}"))
            assert item is None or item["amount"] in possible

    def _told(self, opening: Opening) -> tuple[object, object] | None:
        key = f"U#{part(opening.user_id)}", f"REQ#{opening.request_id}"
        item = self.runner.run(self.it.stored.get(*key))
        return None if item is None else (item["state"], item.get("cost"))


_SETTINGS = settings(
    max_examples=HISTORIES,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSureHistories = SureHistories.TestCase
TestSureHistories.settings = _SETTINGS
TestFaultyHistories = FaultyHistories.TestCase
TestFaultyHistories.settings = _SETTINGS
