"""Requests and answers over real connections: kept, broken and slow ones."""

import asyncio
import gc
import itertools
import time
from collections.abc import Iterator

import pytest

from tests.support.exchanges import CHUNKED, LAST_CHUNK, asked, body_of, kept, streamed, until
from tests.support.fake_upstream import (
    LEAVE,
    RESET,
    FakeUpstream,
    Received,
    Step,
    chunk,
    endless_reply,
    kept_head,
    reply,
)
from tests.support.reaching import dial_local
from waystation.egress.client import Egress
from waystation.egress.connection import HIGH_WATER_BYTES
from waystation.errors import (
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamTimeoutError,
)


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(keeps_connections=True) as fake:
        yield fake


async def test_the_answer_is_the_same_wherever_it_is_split(egress, upstream):
    answer = streamed(b"Hello", b", world")
    splits = [[answer[:at], 0.001, answer[at:]] for at in range(len(answer))]
    upstream.answer(*splits, splits[-1])
    for _ in splits:
        async with asked(egress, upstream) as response:
            assert (response.status, response.media_type) == (200, "text/event-stream")
            assert await response.read(100) == b"Hello, world"
    assert upstream.connections == 1


async def test_the_request_goes_out_as_it_was_built(egress, upstream):
    upstream.answer([kept()])
    await body_of(egress, upstream)
    assert upstream.last.raw == (
        f"POST /v1 HTTP/1.1\r\nHost: {upstream.address}\r\nConnection: keep-alive\r\n"
        "accept-encoding: identity\r\nuser-agent: waystation/waystation\r\naccept: x\r\n"
        "via: 1.1 waystation\r\n"
        "Content-Length: 2\r\n\r\n{}"
    ).encode("ascii")


async def test_all_that_has_come_is_one_piece(egress, upstream):
    upstream.answer([kept_head(200, CHUNKED), 0.1, *map(chunk, [b"a", b"b", b"c"]), LAST_CHUNK])
    async with asked(egress, upstream) as response:
        await until(lambda: upstream.last.is_answered)
        await asyncio.sleep(0.05)
        assert [await response.receive(), await response.receive()] == [b"abc", b""]


async def test_nothing_is_waited_for_once_something_has_come(egress, upstream):
    upstream.answer([kept_head(200, CHUNKED), chunk(b"a"), 0.2, chunk(b"b"), LAST_CHUNK])
    began = time.monotonic()
    async with asked(egress, upstream) as response:
        assert await response.receive() == b"a"
        assert time.monotonic() - began < 0.15
        assert await response.receive() == b"b"


async def test_requests_at_the_same_time_have_connections_of_their_own(egress, upstream):
    upstream.answer([0.1, kept()])
    bodies = await asyncio.gather(*[body_of(egress, upstream) for _ in range(5)])
    assert (bodies, upstream.connections) == ([b"Hello"] * 5, 5)


@pytest.mark.parametrize("ending", [[LEAVE], [RESET], [b"HTTP/1.1 408 Late\r\n\r\n", 5.0]])
@pytest.mark.parametrize("is_frozen", [False, True], ids=["awake", "frozen"])
async def test_a_connection_that_ended_while_idle_is_not_used(egress, upstream, ending, is_frozen):
    upstream.answer([kept(), 0.05, *ending], [kept(b"again")])
    assert await body_of(egress, upstream) == b"Hello"
    if is_frozen:
        time.sleep(0.2)  # noqa: ASYNC251 (the loop must notice nothing)
    else:
        await asyncio.sleep(0.2)
    assert await body_of(egress, upstream) == b"again"
    assert upstream.connections == 2


async def test_a_connection_that_is_to_end_is_not_used_again(egress, upstream):
    upstream.answer(reply(b"Hello"), [kept(b"again")])
    assert [await body_of(egress, upstream) for _ in range(2)] == [b"Hello", b"again"]
    assert upstream.connections == 2


async def test_the_end_of_a_stream_may_come_after_its_last_event(egress, upstream):
    late = [kept_head(200, CHUNKED), chunk(b"all"), 0.05, LAST_CHUNK]
    upstream.answer(late)
    for _ in range(3):
        async with asked(egress, upstream) as response:
            assert await response.receive() == b"all"
        await asyncio.sleep(0.1)
    assert upstream.connections == 1


@pytest.mark.parametrize(
    "rest",
    [
        [b"x" * 10, 5.0],
        list(itertools.repeat(chunk(b"x" * 10_000), 1000)),
        [b"no chunk", 5.0],
        [RESET],
    ],
    ids=["too slow", "too much", "broken", "reset"],
)
async def test_an_answer_nobody_reads_on_does_not_keep_its_connection(egress, upstream, rest):
    beginning: list[Step] = [kept_head(200, CHUNKED), chunk(b"first")]
    upstream.answer([*beginning, 0.05, *rest], [kept()])
    async with asked(egress, upstream) as response:
        assert await response.receive() == b"first"
    assert await body_of(egress, upstream) == b"Hello"
    assert upstream.connections == 2


async def test_a_request_is_never_sent_twice(egress, upstream):
    upstream.answer([kept()], [RESET])
    await body_of(egress, upstream)
    with pytest.raises(UpstreamFailedError):
        await body_of(egress, upstream)
    assert (len(upstream.received), upstream.connections) == (2, 1)


@pytest.mark.parametrize("begun", [[], [kept_head(200, CHUNKED), chunk(b"a")]])
async def test_a_wait_that_is_cancelled_closes_the_connection(egress, upstream, begun):
    upstream.answer([*begun, 0.2, *[chunk(b"x" * 10_000)] * 1000], [kept()])
    task = asyncio.create_task(body_of(egress, upstream))
    await until(lambda: upstream.received)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: upstream.received[0].is_cut_off)
    assert await body_of(egress, upstream) == b"Hello"
    assert upstream.connections == 2


async def test_a_deadline_closes_the_connection(egress, upstream):
    upstream.answer([0.3, *[kept()] * 1000])
    with pytest.raises(UpstreamTimeoutError):
        await body_of(egress, upstream, seconds=0.1)
    await until(lambda: upstream.last.is_cut_off)


async def test_a_slow_reader_slows_the_upstream_down(egress, upstream):
    upstream.answer(endless_reply("x" * 60_000))
    async with asked(egress, upstream) as response:
        sent, seen = 0, -1
        while sent != seen:  # until the buffers of the machine are full
            await asyncio.sleep(0.2)
            sent, seen = upstream.last.sent_bytes, sent
        assert sent < 20 * 1024 * 1024  # they hold it, and not this process
        size = 0
        while size <= sent:  # and then reading goes on
            piece = await response.receive()
            assert 0 < len(piece) <= 2 * HIGH_WATER_BYTES
            size += len(piece)


async def test_a_large_body_comes_whole(egress, upstream):
    body = bytes(range(256)) * 20_000
    upstream.answer([kept(body)], [streamed(body)])
    assert await body_of(egress, upstream) == body
    assert await body_of(egress, upstream) == body


async def test_without_a_measure_the_connection_ends_the_body(egress, upstream):
    upstream.answer([b"HTTP/1.1 200 OK\r\n\r\nHel", 0.01, b"lo", LEAVE])
    assert await body_of(egress, upstream) == b"Hello"


async def test_hints_before_the_answer_are_passed_over(egress, upstream):
    upstream.answer([b"HTTP/1.1 100 Continue\r\n\r\n", 0.01, kept()])
    assert await body_of(egress, upstream) == b"Hello"


def oversized(_: Received) -> Iterator[Step]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"x: " + b"x" * 1000 + b"\r\n"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([LEAVE], UpstreamInvalidResponseError),
        ([b"HTTP/1.1 200", LEAVE], UpstreamInvalidResponseError),
        ([b"220 smtp.example.com\r\n", 5.0], UpstreamInvalidResponseError),
        (oversized, UpstreamInvalidResponseError),
        ([RESET], UpstreamFailedError),
        ([b"HTTP/1.1 200", 0.05, RESET], UpstreamFailedError),
        ([b"HTTP/1.1 101 Other\r\n\r\n", 5.0], UpstreamInvalidResponseError),
    ],
    ids=["nothing", "a half", "mail", "oversized", "reset", "reset inside", "other protocol"],
)
async def test_what_is_no_answer_is_refused(egress, upstream, answer, error):
    upstream.answer(answer)
    with pytest.raises(error):
        await body_of(egress, upstream)


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ([LEAVE], UpstreamInvalidResponseError),
        ([b"no chunk\r\n", 5.0], UpstreamInvalidResponseError),
        ([0.05, RESET], UpstreamFailedError),
    ],
    ids=["left", "broken", "reset"],
)
async def test_what_came_before_a_break_is_delivered_first(egress, upstream, ending, error):
    upstream.answer([kept_head(200, CHUNKED), chunk(b"a"), 0.05, chunk(b"b"), *ending])
    async with asked(egress, upstream) as response:
        assert await response.receive() == b"a"
        assert await response.receive() == b"b"
        with pytest.raises(error):
            await response.receive()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_connections_are_not_carried_to_another_loop(upstream):
    egress = Egress(dialler=dial_local)
    upstream.answer([kept()])

    async def twice() -> None:
        for _ in range(2):
            assert await body_of(egress, upstream) == b"Hello"
        if upstream.connections == 2:
            await egress._transport_of_this_loop().aclose()

    asyncio.run(twice())
    asyncio.run(twice())
    assert upstream.connections == 2
    gc.collect()  # what the first loop left behind
