"""Requests made through the egress itself, and answers that may keep their connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from tests.support.fake_upstream import FakeUpstream, chunk, kept_head
from waystation.egress.client import Egress, UpstreamResponse
from waystation.egress.deadlines import Deadline
from waystation.errors import GatewayError, InvalidBaseUrlError, UpstreamUnreachableError
from waystation.wire.upstream_request import OPERATORS, Reach, UpstreamRequest

CHUNKED = [("content-type", "text/event-stream"), ("transfer-encoding", "chunked")]
LAST_CHUNK = b"0\r\n\r\n"


async def fetched(
    egress: Egress, url: str, reach: Reach = OPERATORS, *, seconds: float = 5
) -> tuple[int, bytes]:
    """Ask a URL, and return the status and the whole body."""
    request = UpstreamRequest(url, (("accept", "x"),), b"{}", reach=reach)
    deadline = Deadline(asyncio.get_running_loop().time() + seconds)
    async with egress.send(request, deadline) as response:
        return response.status, await response.read(10_000_000)


async def refused(egress: Egress, url: str, reach: Reach) -> GatewayError:
    """Expect that a URL is refused before anything is sent, as whose URL it is."""
    expected = InvalidBaseUrlError if reach.is_users else UpstreamUnreachableError
    with pytest.raises(expected) as caught:
        await fetched(egress, url, reach)
    return caught.value


@contextlib.asynccontextmanager
async def asked(
    egress: Egress, upstream: FakeUpstream, *, scheme: str = "http", seconds: float = 5
) -> AsyncIterator[UpstreamResponse]:
    """Ask, and yield the answer when its head is there."""
    request = UpstreamRequest(f"{scheme}://{upstream.address}/v1", (("accept", "x"),), b"{}")
    deadline = Deadline(asyncio.get_running_loop().time() + seconds)
    async with egress.send(request, deadline) as response:
        yield response


async def body_of(
    egress: Egress, upstream: FakeUpstream, *, scheme: str = "http", seconds: float = 5
) -> bytes:
    """Ask, and return the whole body."""
    async with asked(egress, upstream, scheme=scheme, seconds=seconds) as response:
        return await response.read(10_000_000)


def kept(body: bytes = b"Hello") -> bytes:
    """Return an answer with a content-length."""
    return kept_head(200, [("content-length", str(len(body)))]) + body


def streamed(*pieces: bytes) -> bytes:
    """Return an answer in chunked coding."""
    return kept_head(200, CHUNKED) + b"".join(map(chunk, pieces)) + LAST_CHUNK


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")
