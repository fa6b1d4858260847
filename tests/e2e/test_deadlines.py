"""How long an upstream may take, in whole and in part."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.support.fake_upstream import (
    FakeUpstream,
    Reply,
    chunk_of,
    completion,
    endless_reply,
    head,
    json_reply,
    stream_reply,
)
from tests.support.served_gateway import (
    ServedGateway,
    chat_body,
    expect_broken_off,
    expect_error,
    expect_estimated,
    expect_released,
    sse_data,
)
from waystation.chat.service import Chat
from waystation.egress.deadlines import Deadline
from waystation.errors import GatewayError
from waystation.identity.incoming import Incoming
from waystation.identity.user import Caller, User
from waystation.wire.chat_request import parse_chat_request
from waystation.wire.events import Completion, Delta, Failed, StreamEvent

RESERVE_MS = 3000  # what the gateway keeps for itself of the time that Lambda has left

either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@either_way
@pytest.mark.parametrize(
    "slow",
    [
        [60.0],
        [head(200, [("content-type", "application/json"), ("content-length", "9")]), b"{", 60.0],
    ],
    ids=["silent", "begun"],
)
def test_an_upstream_that_takes_too_long_is_504_and_not_repeated(
    served: ServedGateway, upstream: FakeUpstream, slow: Reply, *, stream: bool
) -> None:
    upstream.answer(slow)
    served.remaining_ms = RESERVE_MS + 150

    began = time.monotonic()
    answer = served.chat(stream=stream)

    expect_error(answer, 504, "upstream_timeout")
    assert answer.headers["x-should-retry"] == "false"
    assert time.monotonic() - began < 2
    expect_estimated(served, answer, "upstream_timeout")


def test_a_stream_that_never_ends_ends_in_time(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(endless_reply(chunk_of("x"), pause_s=0.02))
    served.remaining_ms = RESERVE_MS + 500

    answer = served.chat(stream=True)

    count = len(sse_data(answer.text.split("\n"))) - 1
    expect_broken_off(answer, "upstream_timeout", *["x"] * count)
    assert 0 < count < 40
    expect_estimated(served, answer, "upstream_timeout")


def test_a_refusal_whose_body_takes_too_long_is_told_by_its_status(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer([head(500, [("content-length", "9")]), 60.0])
    served.remaining_ms = RESERVE_MS + 150

    answer = served.chat(stream=True)

    expect_error(answer, 502, "upstream_error")
    expect_released(served, answer, "upstream_error")


HEARTBEATS = [step for _ in range(20) for step in (b": ping\n\n", 0.05)]


@pytest.mark.parametrize(
    "late",
    [[60.0], stream_reply(60.0), stream_reply(*HEARTBEATS, chunk_of("Hi"))],
    ids=["silent", "no event", "heartbeats only"],
)
def test_a_stream_must_begin_in_time(
    served: ServedGateway, upstream: FakeUpstream, late: Reply
) -> None:
    upstream.answer(late)

    with pytest.raises(GatewayError) as caught:
        served.run(_stream(served, first_byte_s=0.15, idle_s=10))

    assert (caught.value.status, caught.value.code) == (504, "upstream_timeout")
    assert caught.value.headers == {"x-should-retry": "false"}


def test_a_stream_must_go_on_in_time(served: ServedGateway, upstream: FakeUpstream) -> None:
    upstream.answer(stream_reply(chunk_of("Hel"), 0.1, chunk_of("lo"), 60.0))

    *deltas, last = served.run(_stream(served, first_byte_s=10, idle_s=0.2))

    assert [d.choices[0]["delta"] for d in deltas if isinstance(d, Delta)] == [
        {"content": "Hel"},
        {"content": "lo"},
    ]
    assert isinstance(last, Failed)
    assert last.error.code == "upstream_timeout"


def test_a_whole_answer_has_all_the_time_there_is(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer([0.3, *json_reply(completion("Late"))])

    async def ask() -> Completion:
        chat = await _route(served, chat_body(), first_byte_s=0.1, idle_s=0.1)
        return await served.runtime.chat.complete(chat, lambda record: None)

    assert served.run(ask()).body["id"] == completion()["id"]


async def _stream(
    served: ServedGateway, *, first_byte_s: float, idle_s: float
) -> list[StreamEvent]:
    """Make a streamed call with short deadlines, below HTTP."""
    body = chat_body(stream=True)
    chat = await _route(served, body, first_byte_s=first_byte_s, idle_s=idle_s)
    stream = served.runtime.chat.stream(chat, lambda record: None)
    return [event async for batch in stream for event in batch]


async def _route(
    served: ServedGateway, body: Mapping[str, object], *, first_byte_s: float, idle_s: float
) -> Chat:
    ends_at = asyncio.get_running_loop().time() + 10
    incoming = Incoming("a-request", Caller(User("alice"), "a-key"), {}, body, ends_at, {})
    chat = await served.runtime.chat.route(incoming, parse_chat_request(body))
    return replace(chat, call=replace(chat.call, deadline=Deadline(ends_at, first_byte_s, idle_s)))
