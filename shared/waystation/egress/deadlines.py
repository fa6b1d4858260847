"""How long an upstream may take. Times are seconds; `ends_at` is on the event loop's clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from waystation.errors import UpstreamTimeoutError

CONNECT_S = 5.0
FIRST_BYTE_S = 120.0
IDLE_S = 60.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a call; a streamed answer must also begin, and keep coming, in time."""

    ends_at: float
    first_byte_s: float = FIRST_BYTE_S
    idle_s: float = IDLE_S

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


async def next_chunk(
    chunks: AsyncIterator[bytes], deadline: Deadline, begin_by: float | None
) -> bytes | None:
    """Return the next bytes of a stream, None at its end. Raises UpstreamTimeoutError.

    Until the answer has begun, `begin_by` is the limit, so that heartbeats do not extend it; from
    then on, the time since the last bytes.
    """
    limit = begin_by or asyncio.get_running_loop().time() + deadline.idle_s
    try:
        async with asyncio.timeout_at(min(limit, deadline.ends_at)):
            return await anext(chunks, None)
    except TimeoutError:
        raise UpstreamTimeoutError("The upstream took too long to answer.") from None
