"""How long an upstream may take."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from waystation.egress.deadlines import Deadline, next_chunk
from waystation.errors import UpstreamTimeoutError


def now() -> float:
    return asyncio.get_running_loop().time()


async def chunks(*pieces: bytes | float) -> AsyncIterator[bytes]:
    """Yield bytes; numbers are seconds to wait."""
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            await asyncio.sleep(piece)


async def test_call_that_is_quick_is_left_alone():
    async with Deadline(now() + 10).total():
        pass
    async with Deadline(now() + 10).within(5):
        pass


async def test_call_ends_with_its_total():
    with pytest.raises(UpstreamTimeoutError) as caught:
        async with Deadline(now() + 0.01).total():
            await asyncio.sleep(10)
    assert caught.value.status == 504


@pytest.mark.parametrize(("total_s", "within_s"), [(10, 0.01), (0.01, 10), (-1, 10)])
async def test_step_ends_with_the_sooner_of_its_limit_and_the_total(total_s, within_s):
    began = now()
    with pytest.raises(UpstreamTimeoutError):
        async with Deadline(began + total_s).within(within_s):
            await asyncio.sleep(10)
    assert now() - began < 1


async def test_chunks_come_until_there_are_none():
    deadline, stream = Deadline(now() + 10), chunks(b"a", b"b")
    assert [await next_chunk(stream, deadline, None) for _ in range(3)] == [b"a", b"b", None]


async def test_silence_after_the_beginning_is_bounded():
    with pytest.raises(UpstreamTimeoutError):
        await next_chunk(chunks(10), Deadline(now() + 10, idle_s=0.01), None)


async def test_beginning_is_bounded_whatever_the_idle_limit():
    with pytest.raises(UpstreamTimeoutError):
        await next_chunk(chunks(10), Deadline(now() + 10), now() + 0.01)


async def test_stream_ends_with_the_total():
    with pytest.raises(UpstreamTimeoutError):
        await next_chunk(chunks(10), Deadline(now() + 0.01), None)
