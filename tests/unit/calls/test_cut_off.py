"""Functions that are killed, and clients that leave, at every call of a request to the table.

What is killed does nothing more: no call of its comes through, no line of its is read. Then upkeep
comes, and the books agree: nothing is charged but what an expired request costs.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import pytest

from tests.support.calls import COST
from tests.support.faulty_table import FaultyTable
from tests.support.one_request import KEY, POOR, RICH, Mode, OneRequest, begin
from waystation.errors import GatewayError
from waystation_cli.local.memory_table import InMemoryTable

MODES = {
    "whole": Mode(),
    "streamed": Mode(is_stream=True),
    "balance": Mode(balance=RICH),
    "refill streamed": Mode(balance=POOR, is_stream=True),
    "key": Mode(key=KEY),
    "both": Mode(balance=RICH, key=KEY),
    "both released": Mode(balance=RICH, key=KEY, status=500),
}
FIRST, SECOND = "01JZZZZZZZZZZZZZZZZZZZZZZ1", "01JZZZZZZZZZZZZZZZZZZZZZZ2"
ESTIMATED = 2 * 1000  # 8 characters are 2 tokens
BROKEN_OFF = ESTIMATED + 2000  # a stream after the first piece of its text
RELEASED_BY = {200: [], 500: [("RELEASED", 0)]}
T = TypeVar("T")
modes = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
either = pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])


class Cut(FaultyTable):
    """A table that something happens at, just before the work of a call or just after it."""

    at = -1
    is_after = False

    def happen(self) -> None:
        """Do what happens."""

    async def _do(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        is_now = len(self.calls) == self.at

        async def cut() -> T:
            if is_now and not self.is_after:
                self.happen()
                await asyncio.sleep(0)
            done = await work()
            if is_now and self.is_after:
                self.happen()
            return done

        return await super()._do(name, cut)


async def requests(mode: Mode, *, is_after: bool) -> AsyncIterator[tuple[OneRequest, Cut]]:
    """Yield a request for each call that it makes, and the table that is to be cut there."""
    whole = await begin(mode)
    await whole.make(FIRST)
    for at in range(len(whole.table.calls)):
        table = Cut(InMemoryTable())
        request = await begin(mode, table)
        table.at, table.is_after = at, is_after
        yield request, table


async def expect_end(request: OneRequest, *allowed: tuple[str, int]) -> None:
    """Expect one of these ends, or no record, and that a retry with a new id goes through."""
    await request.recover(late_first=True)
    record = await request.record(FIRST)
    assert record is None or (record["state"], record["cost"]) in allowed
    error = await request.make(SECOND)
    if request.mode.key and record and record["state"] == "SETTLED":
        assert error is not None
        assert error.code == "idempotency_completed"
    else:
        assert (error is None) == (request.mode.status == 200)
    await request.check()


@modes
@either
async def test_killed_request_is_charged_as_one_that_expired(mode: Mode, *, is_after: bool):
    async for request, table in requests(mode, is_after=is_after):

        def kill(table: Cut = table) -> None:
            table.inner = InMemoryTable()  # whatever it still does is done for nothing

        table.happen = kill  # type: ignore[method-assign]
        await request.make(FIRST)
        table.at, table.inner = -1, request.stored
        request.outbox.messages.clear()
        request.log = ""
        await expect_end(request, ("EXPIRED", ESTIMATED), ("SETTLED", COST), ("RELEASED", 0))


@modes
@either
@pytest.mark.parametrize("times", [1, 6])
async def test_cancelled_request_comes_to_an_end_of_its_own(
    mode: Mode, times: int, *, is_after: bool
):
    """An end that is better than to expire: its function is still there to tell it."""
    async for request, table in requests(mode, is_after=is_after):
        task = asyncio.ensure_future(request.make(FIRST))

        def cancel(left: int = times, task: asyncio.Future[GatewayError | None] = task) -> None:
            task.cancel()
            if left > 1:
                asyncio.get_running_loop().call_soon(cancel, left - 1)

        table.happen = cancel  # type: ignore[method-assign]
        with suppress(asyncio.CancelledError):
            await task
        table.at = -1
        assert len(request.egress.sent) <= 1
        was_sent = bool(request.egress.sent)
        costs = (COST, ESTIMATED, BROKEN_OFF)
        ends = [("SETTLED", cost) for cost in costs] if was_sent else [("RELEASED", 0)]
        await expect_end(request, *ends, *RELEASED_BY[mode.status])
