"""Streamed answers of Bedrock: as they come, broken off, and let go of."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.bedrock_upstream import (
    REQUEST_ID,
    converse_reply,
    converse_streamed,
    delta,
    events_of,
    framed,
    framed_exception,
    framed_reply,
    point_boto3_at,
    reasoning_block,
    redacted_block,
    text_block,
    tool_block,
)
from tests.support.certificates import self_signed
from tests.support.exchanges import until
from tests.support.fake_upstream import RESET, FakeUpstream, Step
from waystation.aws.bedrock import BedrockResponse, BedrockSender
from waystation.egress.deadlines import Deadline
from waystation.errors import (
    ResponseTooLargeError,
    UpstreamError,
    UpstreamInvalidResponseError,
)
from waystation.wire.sse import SseDecoder
from waystation.wire.upstream_request import UpstreamRequest

CHAT = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
STREAMED = UpstreamRequest(
    "bedrock:eu-west-1/converse-stream", (), json.dumps(CHAT).encode(), via="bedrock"
)
WHOLE = UpstreamRequest("bedrock:eu-west-1/converse", (), STREAMED.body, via="bedrock")
HEAD = {"ResponseMetadata": {"RequestId": REQUEST_ID}}
ENDLESS: list[float | bytes] = [framed(delta(text="a")), 30.0]


def ends_in(seconds: float) -> Deadline:
    return Deadline(asyncio.get_running_loop().time() + seconds)


def read(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in SseDecoder().feed(data)]


async def ask(sender: BedrockSender, limit: int = 10_000_000) -> list[dict[str, Any]]:
    async with sender.send(STREAMED, ends_in(5)) as response:
        assert (response.status, response.media_type) == (200, "text/event-stream")
        return read(await response.read(limit))


async def test_events_come_as_they_are(sender, upstream):
    blocks = [
        reasoning_block("Hmm."),
        redacted_block(),
        text_block("Grüße\u2028!"),
        tool_block("f", {"a": 1}),
    ]
    upstream.answer(converse_streamed(*blocks))
    assert await ask(sender) == [HEAD, *events_of(*blocks)]
    assert upstream.last.request_line == "POST /model/m/converse-stream HTTP/1.1"


async def test_an_event_is_told_when_it_is_there(sender, upstream):
    upstream.answer(framed_reply(*ENDLESS))
    async with sender.send(STREAMED, ends_in(5)) as response:
        data = await response.receive()
    assert read(data) == [HEAD, delta(text="a")]


async def test_an_empty_stream(sender, upstream):
    upstream.answer(framed_reply())
    assert await ask(sender) == []


@pytest.mark.parametrize(
    "kind",
    [
        "throttlingException",
        "modelStreamErrorException",
        "validationException",
        "internalServerException",
        "serviceUnavailableException",
    ],
)
async def test_exceptions_are_events(sender, upstream, kind):
    upstream.answer(framed_reply(framed(delta(text="a")), framed_exception(kind, "Slow down.")))
    told = {"error": {"message": "Slow down.", "code": kind}}
    assert await ask(sender) == [HEAD, delta(text="a"), told]
    upstream.answer(framed_reply(framed_exception(kind, "Slow down.")))
    assert await ask(sender) == [HEAD, told]


def broken(*pieces: bytes | float, last: Sequence[Step] = ()) -> list[Step]:
    """Return a stream that breaks off; the connection would be kept."""
    return [*framed_reply(framed(delta(text="a")), *pieces, is_complete=False), *last]


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        (broken(framed(delta(text="b"))[:-1] + b"!"), UpstreamInvalidResponseError),
        (broken(b"no event at all " * 9), UpstreamInvalidResponseError),
        (broken(last=[b"zz\r\n"]), UpstreamInvalidResponseError),
        (broken(last=[0.05, RESET]), UpstreamInvalidResponseError),
    ],
    ids=["checksum", "framing", "chunks", "reset"],
)
async def test_a_stream_that_breaks_off(sender, upstream, steps, error):
    upstream.answer(steps)
    async with sender.send(STREAMED, ends_in(5)) as response:
        assert read(await response.receive()) == [HEAD, delta(text="a")]
        with pytest.raises(error):
            await response.read(10_000)


async def test_a_stream_that_is_cut(monkeypatch):
    with FakeUpstream() as upstream:
        point_boto3_at(upstream, monkeypatch)
        upstream.answer(broken())
        with pytest.raises(UpstreamInvalidResponseError):
            await ask(BedrockSender())


async def test_a_stream_beyond_its_limit_is_refused(sender, upstream):
    upstream.answer(framed_reply(*ENDLESS))
    with pytest.raises(ResponseTooLargeError):
        await ask(sender, limit=50)


async def test_a_slow_stream_does_not_hold_the_loop_up(sender, upstream):
    slow = framed_reply(framed(delta(text="a")), 0.5, framed(delta(text="b")))
    upstream.answer(slow, converse_reply(text_block("soon")))
    async with sender.send(STREAMED, ends_in(5)) as response:
        await response.receive()
        waiting = asyncio.create_task(response.receive())
        async with sender.send(WHOLE, ends_in(5)) as other:
            assert json.loads(await other.read(10_000))["stopReason"] == "end_turn"
        assert not waiting.done()
        assert read(await waiting) == [delta(text="b")]


async def test_what_is_let_go_of_ends_at_once(sender, upstream):
    upstream.answer(framed_reply(*ENDLESS))
    async with sender.send(STREAMED, ends_in(5)) as response:
        await response.receive()
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(response.receive(), 0.1)
    await until(lambda: is_over(response))
    assert time.monotonic() - begun < 2


async def test_a_cancelled_call_ends_at_once(sender, upstream):
    upstream.answer(framed_reply(*ENDLESS))
    begun: list[BedrockResponse] = []

    async def call() -> None:
        async with sender.send(STREAMED, ends_in(5)) as response:
            begun.append(response)
            await response.receive()
            await response.receive()

    task = asyncio.create_task(call())
    await until(lambda: begun and begun[0]._size and is_waiting(begun[0]))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: is_over(begun[0]))


async def test_waiting_ends_at_once_with_tls_as_well(monkeypatch, tmp_path):
    context, bundle = self_signed(tmp_path)
    with FakeUpstream(keeps_connections=True, tls=context) as upstream:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"https://{upstream.address}")
        upstream.answer(framed_reply(*ENDLESS))
        sender = BedrockSender(ca_bundle=str(bundle))
        async with sender.send(STREAMED, ends_in(5)) as response:
            await response.receive()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.receive(), 0.1)
        await until(lambda: is_over(response))


async def test_an_answer_that_comes_too_late_is_closed(sender, upstream):
    upstream.answer([0.5, *framed_reply(*([framed(delta(text="a" * 9000))] * 2000))])

    async def call() -> None:
        async with sender.send(STREAMED, ends_in(5)):
            pass

    task = asyncio.create_task(call())
    await until(lambda: upstream.received)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: upstream.last.is_cut_off)


async def test_what_has_ended_keeps_its_connection(sender, upstream):
    upstream.answer(converse_streamed(text_block("a")))
    before = upstream.connections
    for _ in range(3):
        await ask(sender)
    assert upstream.connections <= before + 1


async def test_a_reader_that_is_slow_holds_the_upstream_back(sender, upstream):
    pieces = [framed(delta(text="a" * 9000))] * 4000
    upstream.answer(framed_reply(*pieces))
    async with sender.send(STREAMED, ends_in(5)) as response:
        await response.receive()
        await asyncio.sleep(0.2)
        held = upstream.last.sent_bytes
        await asyncio.sleep(0.2)
        assert upstream.last.sent_bytes == held < 9000 * 4000


async def test_many_calls_at_a_time(sender, upstream):
    upstream.answer(framed_reply(0.05, *map(framed, events_of(text_block("Hello")))))
    answers = await asyncio.gather(*(ask(sender) for _ in range(100)))
    assert all(answer == answers[0] for answer in answers)


def is_waiting(response: BedrockResponse) -> bool:
    """Tell whether a thread waits for more."""
    return response._reading is not None and response._reading.running()


def is_over(response: BedrockResponse) -> bool:
    """Tell whether the thread that waited for more has ended, as a call that failed."""
    reading = response._reading
    assert reading is not None
    return reading.done() and isinstance(reading.exception(), UpstreamError)
