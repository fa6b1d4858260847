"""How connections are opened: every address of a name has its chance."""

import asyncio
import socket
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.reaching import dial_local
from waystation.egress.connection import Origin
from waystation.egress.dialling import STAGGER_S, _race


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def origin_of(listener: socket.socket) -> Origin:
    return Origin(False, *listener.getsockname())


async def connect(to: socket.socket | Exception | None, after_s: float = 0.0) -> socket.socket:
    """Connect, fail, or hang."""
    await asyncio.sleep(after_s)
    if isinstance(to, Exception):
        raise to
    if to is None:
        await asyncio.Event().wait()
        raise AssertionError
    return await dial_local(origin_of(to))


async def test_what_is_dialled_is_connected_and_does_not_block(listener):
    with await dial_local(origin_of(listener)) as connection:
        assert connection.getpeername() == listener.getsockname()
        assert connection.getblocking() is False
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "a..test"])
def test_what_cannot_be_a_name_is_an_error(host):
    with pytest.raises(OSError, match="not known"):
        asyncio.run(dial_local(Origin(False, host, 1)))


def test_a_name_that_nobody_knows_is_an_error(monkeypatch):
    def resolve(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(OSError, match="not known"):
        asyncio.run(dial_local(Origin(False, "nowhere.test", 1)))


async def test_the_next_address_is_tried_when_one_fails(listener):
    began = asyncio.get_running_loop().time()
    attempts = [partial(connect, OSError("refused")), partial(connect, listener)]
    with await _race(attempts) as connection:
        assert connection.getpeername() == listener.getsockname()
    assert asyncio.get_running_loop().time() - began < STAGGER_S


async def test_the_next_address_is_tried_when_one_says_nothing(listener):
    began = asyncio.get_running_loop().time()
    with await _race([partial(connect, None), partial(connect, listener)]):
        assert asyncio.get_running_loop().time() - began < 3 * STAGGER_S


async def test_the_first_connection_counts_and_the_other_is_closed(listener):
    late = [partial(connect, listener, STAGGER_S), partial(connect, listener)]
    with await _race(late) as connection:
        assert connection.getpeername() == listener.getsockname()
        await asyncio.sleep(0.05)


async def test_the_last_failure_is_told_when_all_fail():
    attempts = [partial(connect, OSError("one")), partial(connect, OSError("two"))]
    with pytest.raises(OSError, match="two"):
        await _race(attempts)


async def test_a_name_without_addresses_is_an_error():
    with pytest.raises(OSError, match="no address"):
        await _race([])


async def test_who_dials_may_be_cancelled():
    task = asyncio.create_task(_race([partial(connect, None)] * 2))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert "connect" not in str(asyncio.all_tasks())
