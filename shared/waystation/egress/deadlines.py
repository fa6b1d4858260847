"""How long an upstream may take. Times are seconds; `ends_at` is on the event loop's clock."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from waystation.errors import UpstreamTimeoutError

CONNECT_S = 5.0
FIRST_BYTE_S = 120.0
IDLE_S = 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a call; a streamed answer must also begin, and keep coming, in time."""

    ends_at: float
    first_byte_s: float = FIRST_BYTE_S
    idle_s: float = IDLE_S

    def of_whole_answer(self) -> "Deadline":
        """Return the deadline of an answer that comes at once: only the end of the call counts."""
        return replace(self, first_byte_s=math.inf, idle_s=math.inf)

    @asynccontextmanager
    async def total(self) -> AsyncIterator[None]:
        """Bound by the end of the call alone."""
        async with _limit(self.ends_at):
            yield

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Bound by `seconds` from now, or the end of the call if that is sooner."""
        async with _limit(min(self.ends_at, asyncio.get_running_loop().time() + seconds)):
            yield


@asynccontextmanager
async def _limit(when: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(when):
            yield
    except TimeoutError:
        raise UpstreamTimeoutError("The upstream took too long to answer.") from None


class Patience:
    """A context manager that bounds every wait for bytes of one stream, by one timer for all.

    Until the answer has begun, `begin_by` is the limit, so that heartbeats do not extend it; from
    then on, the time since the last bytes. The end of the call always is.
    """

    def __init__(self, deadline: Deadline, begin_by: float) -> None:
        self._deadline = deadline
        self._begin_by: float | None = begin_by
        self._loop = asyncio.get_running_loop()
        self._limit = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._has_run_out = False

    def has_begun(self) -> None:
        """Note that the answer has begun."""
        self._begin_by = None

    async def wait(self, coming: Awaitable[T]) -> T:
        """Return what is coming. Raises UpstreamTimeoutError when it takes too long."""
        limit = self._begin_by or self._loop.time() + self._deadline.idle_s
        self._limit = min(limit, self._deadline.ends_at)
        if self._timer is None or self._timer.when() > self._limit:
            self._set_timer()
        self._waiting = task = cast("asyncio.Task[object]", asyncio.current_task())
        cancelling = task.cancelling()
        try:
            return await coming
        except asyncio.CancelledError:
            if self._has_run_out and task.uncancel() <= cancelling:
                raise UpstreamTimeoutError("The upstream took too long to answer.") from None
            raise
        finally:
            self._waiting = None

    def __enter__(self) -> "Patience":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self._stop_timer()
        self._timer = self._loop.call_at(self._limit, self._look)

    def _look(self) -> None:
        """Give a wait up that is over its limit; the timer may have been set for an earlier one."""
        self._timer = None
        if self._waiting is None:
            return
        if self._limit > self._loop.time():
            self._set_timer()
        else:
            self._has_run_out = True
            self._waiting.cancel()
