"""Which connections are kept, and how many there may be."""

import asyncio
import socket
import ssl
from collections.abc import Iterator

import httpx2
import pytest

from tests.support.fake_upstream import FakeUpstream, kept_head
from tests.support.reaching import dial_local
from waystation.egress.connection import Origin
from waystation.egress.pool import PoolLimits
from waystation.egress.transport import Transport

ANSWER = [kept_head(200, [("content-length", "2")]) + b"OK"]


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(keeps_connections=True) as fake:
        fake.answer(ANSWER)
        yield fake


def no_tls() -> ssl.SSLContext:
    raise AssertionError("nothing is encrypted here")


async def ask(transport: Transport, upstream: FakeUpstream) -> bytes:
    request = httpx2.Request("POST", upstream.url, content=b"{}")
    response = await transport.handle_async_request(request)
    return await response.aread()


async def test_connections_wait_a_while_for_the_next_request(upstream):
    transport = Transport(no_tls, dial_local, limits=PoolLimits(keepalive_s=0.05))
    await ask(transport, upstream)
    await ask(transport, upstream)
    assert upstream.connections == 1
    await asyncio.sleep(0.1)
    await ask(transport, upstream)
    assert upstream.connections == 2
    await transport.aclose()


async def test_so_many_connections_wait_and_no_more(upstream):
    upstream.answer([0.05, *ANSWER])
    transport = Transport(no_tls, dial_local, limits=PoolLimits(idle=2))
    await asyncio.gather(*[ask(transport, upstream) for _ in range(4)])
    assert upstream.connections == 4
    await asyncio.gather(*[ask(transport, upstream) for _ in range(4)])
    assert upstream.connections == 6
    await transport.aclose()


async def test_origins_do_not_share_connections(upstream):
    transport = Transport(no_tls, dial_local)
    with FakeUpstream(keeps_connections=True) as other:
        other.answer(ANSWER)
        for _ in range(2):
            await ask(transport, upstream)
            await ask(transport, other)
        assert (upstream.connections, other.connections) == (1, 1)
        await transport.aclose()


async def test_requests_above_the_limit_wait_for_their_turn(upstream):
    upstream.answer([0.02, *ANSWER])
    transport = Transport(no_tls, dial_local, limits=PoolLimits(connections=2))
    bodies = await asyncio.gather(*[ask(transport, upstream) for _ in range(6)])
    assert (bodies, upstream.connections) == ([b"OK"] * 6, 2)
    await transport.aclose()


async def test_the_wait_for_a_turn_is_bounded(upstream):
    upstream.answer([0.3, *ANSWER])
    transport = Transport(no_tls, dial_local, limits=PoolLimits(connections=1, connect_s=0.05))
    first = asyncio.create_task(ask(transport, upstream))
    await asyncio.sleep(0.02)
    with pytest.raises(httpx2.PoolTimeout):
        await ask(transport, upstream)
    assert await first == b"OK"
    await transport.aclose()


@pytest.mark.parametrize("failure", [OSError("refused"), ssl.SSLError("no")], ids=["TCP", "TLS"])
async def test_failures_to_connect_give_their_place_back(upstream, failure):
    failures = [failure] * 3

    async def failing_dial(origin: Origin) -> socket.socket:
        if failures:
            raise failures.pop()
        return await dial_local(origin)

    transport = Transport(no_tls, failing_dial, PoolLimits(connections=1, connect_s=1))
    for _ in range(3):
        with pytest.raises(httpx2.ConnectError):
            await ask(transport, upstream)
    assert await ask(transport, upstream) == b"OK"
    await transport.aclose()


async def test_connecting_is_bounded(upstream):
    async def hanging_dial(origin: Origin) -> socket.socket:
        await asyncio.Event().wait()
        raise AssertionError

    transport = Transport(no_tls, hanging_dial, PoolLimits(connect_s=0.02))
    with pytest.raises(httpx2.ConnectTimeout):
        await ask(transport, upstream)


async def test_a_body_given_back_twice_counts_once(upstream):
    transport = Transport(no_tls, dial_local, limits=PoolLimits(connections=1))
    request = httpx2.Request("POST", upstream.url, content=b"{}")
    response = await transport.handle_async_request(request)
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    assert [piece async for piece in response.stream] == [b"OK"]
    await response.stream.aclose()
    await response.stream.aclose()
    assert transport._pool._places._value == 1
    await transport.aclose()
