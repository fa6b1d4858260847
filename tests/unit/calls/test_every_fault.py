"""Every fault at every call of one request, and every two of them: the books agree in the end.

Each mode is run without a fault first, to count its calls to the table and to the outbox. A fault
is of one call, or of all calls from there on; what is late is done when all else is over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.support.calls import COST
from tests.support.faulty_table import Fault, FaultyQueue, FaultyTable, QueueFault
from tests.support.one_request import (
    KEY,
    POOR,
    RICH,
    Mode,
    OneRequest,
    begin,
)
from waystation_cli.local.memory_table import InMemoryTable

MODES = {
    "whole": Mode(),
    "streamed": Mode(is_stream=True),
    "balance": Mode(balance=RICH),
    "balance streamed": Mode(balance=RICH, is_stream=True),
    "refill": Mode(balance=POOR),
    "key": Mode(key=KEY),
    "key streamed": Mode(key=KEY, is_stream=True),
    "both": Mode(balance=RICH, key=KEY),
    "released": Mode(status=500),
    "both released": Mode(balance=RICH, key=KEY, status=500),
    "expired": Mode(expires=True),
    "both expired": Mode(balance=RICH, key=KEY, expires=True),
    "both expired and released": Mode(balance=RICH, key=KEY, expires=True, status=500),
    "both without an outbox": Mode(balance=RICH, key=KEY, has_outbox=False),
}
MANY = 64  # more calls than there ever are
FIRST, SECOND = "01JZZZZZZZZZZZZZZZZZZZZZZ1", "01JZZZZZZZZZZZZZZZZZZZZZZ2"
CODES = {500: "upstream_error", 200: None}


@dataclass(frozen=True, slots=True)
class Faults:
    """What becomes of which calls, by their numbers."""

    table: Mapping[int, Fault]
    outbox: Mapping[int, QueueFault]


async def run(mode: Mode, faults: Faults, *, late_first: bool = True) -> OneRequest:
    table = FaultyTable(InMemoryTable(), faults.table)
    request = await begin(mode, table, FaultyQueue(faults.outbox))
    await request.make(FIRST)
    await expect(request, late_first=late_first)
    return request


async def expect(request: OneRequest, *, late_first: bool) -> None:
    """Expect the answer, the upstream's calls, the record, and what a retry is told."""
    mode, error = request.mode, request.answers[0]
    is_refused = error is not None and error.code == "ledger_unavailable"
    calls = request.table.calls.copy(), request.outbox.calls
    assert mode.is_reserved or not is_refused
    assert is_refused or (error and error.code) == CODES[mode.status]
    assert len(request.egress.sent) == int(not is_refused)
    await request.recover(late_first=late_first)
    record = await request.record(FIRST)
    if is_refused:
        assert error is not None
        assert error.status == 503
        assert record is None or (record["state"], record["cost"]) == ("RELEASED", 0)
    else:
        assert record is not None
        due = ("SETTLED", COST) if mode.status == 200 else ("RELEASED", 0)
        assert (record["state"], record["cost"]) == due
    if mode.key is not None:
        again = await request.make(SECOND)
        is_known = not is_refused and mode.status == 200
        assert (again and again.code) == (
            "idempotency_completed" if is_known else CODES[mode.status]
        )
        assert len(request.egress.sent) == 1 + (not is_refused and not is_known)
        await request.check()
    request.table.calls, request.outbox.calls = calls


def table_faults(at: int) -> Iterator[dict[int, Fault]]:
    """Each fault of one call, and each that lasts."""
    for fault in Fault:
        yield {at: fault}
        yield dict.fromkeys(range(at, at + MANY), fault)


def next_faults(faults: Faults, ran: OneRequest) -> Iterator[Faults]:
    """Each fault beside those there are, later than all of them."""
    first = max((at for at in faults.table if at < len(ran.table.calls)), default=-1) + 1
    for at in range(first, len(ran.table.calls)):
        for more in table_faults(at):
            yield Faults({**faults.table, **more}, faults.outbox)
    for at in range(ran.outbox.calls):
        if at not in faults.outbox:
            for fault in QueueFault:
                yield Faults(faults.table, {**faults.outbox, at: fault})


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
async def test_books_agree_after_every_two_faults(mode: Mode):
    nothing = Faults({}, {})
    ran = await run(mode, nothing)
    assert ran.outbox.calls == 0
    assert (ran.answers[0] and ran.answers[0].code) == CODES[mode.status]
    for one in next_faults(nothing, ran):
        ran = await run(mode, one)
        for two in next_faults(one, ran):
            for late_first in (True, False):
                await run(mode, two, late_first=late_first)
