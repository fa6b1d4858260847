"""Event streams, sent: events, pings in between, and what becomes of them when a client leaves."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Scope

from tests.support.logs import kept_lines
from tests.support.web_app import handle
from waystation.web.app import PostRoute
from waystation.web.envelopes import CLIENT, NOTES
from waystation.web.event_stream import EventStreamResponse, _Line
from waystation.wire.answers import Client

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
PING = b": ping\n\n"
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
}


def scope_of(path: str = CHAT) -> Scope:
    return {"type": "http", "path": path, NOTES: {"request_id": "r1"}, CLIENT: Client()}


def body(piece: bytes, more: bool = True) -> dict[str, object]:
    return {"type": "http.response.body", "body": piece, "more_body": more}


class Chunks:
    """A stream that tells how far it was read and whether it was closed. A number is a pause."""

    def __init__(self, *pieces: bytes | float | Exception) -> None:
        self._pieces = pieces
        self.read: list[bytes] = []
        self.is_closed = False

    async def __call__(self) -> AsyncGenerator[bytes, None]:
        try:
            for piece in self._pieces:
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, float):
                    await asyncio.sleep(piece)
                    continue
                self.read.append(piece)
                yield piece
        finally:
            self.is_closed = True


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def serve(
    chunks: Chunks,
    *,
    gone_after: int | None = None,
    scope: Scope | None = None,
    ping_after_s: float = 60.0,
    receive: Callable[[], Awaitable[Message]] = never,
) -> list[Any]:
    """Serve a stream to a client that goes after so many messages; return what arrived."""
    arrived: list[Any] = []

    async def send(message: Message) -> None:
        if len(arrived) == gone_after:
            raise OSError
        arrived.append(message)

    before = asyncio.all_tasks()
    response = EventStreamResponse(chunks(), ping_after_s=ping_after_s)
    await response(scope or scope_of(), receive, send)
    assert asyncio.all_tasks() == before
    return arrived


async def test_chunks_are_sent_as_they_come():
    chunks = Chunks(b"a", b"", b"b")
    assert await serve(chunks) == [START, body(b"a"), body(b"b"), body(b"", more=False)]
    assert chunks.is_closed


@pytest.mark.parametrize("gone_after", [0, 1, 2, 3, 4])
async def test_client_that_has_gone_does_not_stop_the_stream(gone_after):
    chunks = Chunks(b"a", b"b", b"c")
    arrived = await serve(chunks, gone_after=gone_after)
    assert arrived == [START, body(b"a"), body(b"b"), body(b"c")][:gone_after]
    assert chunks.read == [b"a", b"b", b"c"]
    assert chunks.is_closed


async def test_unforeseen_error_inside_the_stream_is_its_last_event():
    chunks = Chunks(b"a", ValueError("secret"))
    with kept_lines("waystation") as lines:
        arrived = await serve(chunks)
    assert arrived[:2] == [START, body(b"a")]
    assert arrived[3:] == [body(b"", more=False)]
    event = arrived[2]["body"].decode()
    assert json.loads(event.removeprefix("data: ")) == {
        "error": {
            "message": "The gateway failed unexpectedly. The log has the details.",
            "type": "internal_error",
            "param": None,
            "code": "internal_error",
        }
    }
    (line,) = lines
    assert (line.getMessage(), vars(line)["error_type"]) == ("unexpected_error", "ValueError")
    assert "secret" not in str(vars(line))


async def test_unforeseen_error_on_anthropics_routes_is_an_event_of_its_api():
    with kept_lines("waystation"):
        arrived = await serve(Chunks(b"a", ValueError("secret")), scope=scope_of(MESSAGES))
    name, data = arrived[2]["body"].decode().split("\n", 1)
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: ")) == {
        "type": "error",
        "error": {
            "type": "api_error",
            "message": "The gateway failed unexpectedly. The log has the details.",
        },
        "request_id": "r1",
    }


@pytest.mark.parametrize("sends_ping", [False, True])
async def test_response_that_is_cancelled_closes_the_stream(sends_ping: bool):
    """The server is not taking an event any more, or a ping."""
    chunks = Chunks(b"a", 60.0)
    is_stuck, before = asyncio.Event(), asyncio.all_tasks()

    async def send(message: Message) -> None:
        if message.get("body") == (PING if sends_ping else b"a"):
            is_stuck.set()
            await asyncio.Event().wait()

    response = EventStreamResponse(chunks(), ping_after_s=0.01)
    task = asyncio.create_task(response(scope_of(), never, send))
    await is_stuck.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert chunks.is_closed
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(
    ("path", "ping"),
    [(CHAT, PING), (MESSAGES, b'event: ping\ndata: {"type": "ping"}\n\n')],
    ids=["OpenAI", "Anthropic"],
)
async def test_silence_is_broken_by_pings_between_events(path: str, ping: bytes):
    chunks = Chunks(b"a", 0.3, b"b", 0.3, b"c")
    arrived = await serve(chunks, scope=scope_of(path), ping_after_s=0.1)
    assert (arrived[0], arrived[-1]) == (START, body(b"", more=False))
    sent = [message["body"] for message in arrived[1:-1]]
    assert [piece for piece in sent if piece != ping] == [b"a", b"b", b"c"]
    assert ping in sent[sent.index(b"a") : sent.index(b"b")]
    assert ping in sent[sent.index(b"b") : sent.index(b"c")]
    assert sent[-1] == b"c"


STEADY: list[bytes | float] = [b"a", 0.02] * 20


async def test_stream_that_goes_on_needs_no_ping():
    arrived = await serve(Chunks(*STEADY), ping_after_s=0.3)
    assert arrived == [START, *[body(b"a")] * 20, body(b"", more=False)]


async def test_event_waits_for_a_ping_that_is_on_its_way():
    """Two messages are never sent at once, and nothing is read from the upstream meanwhile."""
    chunks = Chunks(b"a", 0.1, b"b", b"c")
    sending: list[bytes] = []
    sent: list[bytes] = []
    may_go_on = asyncio.Event()

    async def send(message: Message) -> None:
        assert not sending
        sending.append(message.get("body", b""))
        if sending == [PING]:
            await may_go_on.wait()
        sent.append(sending.pop())

    response = EventStreamResponse(chunks(), ping_after_s=0.05)
    task = asyncio.create_task(response(scope_of(), never, send))
    await asyncio.sleep(0.3)
    assert (sending, chunks.read) == ([PING], [b"a", b"b"])
    may_go_on.set()
    await task
    assert [piece for piece in sent if piece != PING] == [b"", b"a", b"b", b"c", b""]


async def test_client_that_does_not_read_gets_no_pings():
    """What waits to be taken breaks the silence by itself."""
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))
        if message.get("body") == b"a":
            await asyncio.sleep(0.3)

    await EventStreamResponse(Chunks(b"a")(), ping_after_s=0.05)(scope_of(), never, send)
    assert sent == [b"", b"a", b""]


async def test_ping_that_nobody_takes_tells_that_the_client_has_gone():
    scope, chunks = scope_of(), Chunks(b"a", 0.3, b"b")
    arrived = await serve(chunks, gone_after=2, scope=scope, ping_after_s=0.05)
    assert arrived == [START, body(b"a")]
    assert scope[CLIENT].is_gone
    assert chunks.read == [b"a", b"b"]


async def test_server_that_says_that_the_client_has_left_is_believed():
    scope, chunks = scope_of(), Chunks(b"a", 0.1, b"b")
    said = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(said)

    assert await serve(chunks, scope=scope, receive=receive) == [START, body(b"a")]
    assert scope[CLIENT].is_gone
    assert chunks.read == [b"a", b"b"]


async def test_client_that_stays_to_the_end_has_not_gone():
    """Servers tell that the client is gone when an answer is complete, too."""
    scope, is_complete = scope_of(), asyncio.Event()

    async def receive() -> Message:
        await is_complete.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message.get("more_body") is False:
            is_complete.set()
            await asyncio.sleep(0.01)

    await EventStreamResponse(Chunks(b"a")(), ping_after_s=60.0)(scope, receive, send)
    assert is_complete.is_set()
    assert not scope[CLIENT].is_gone


def test_streams_of_a_route_are_silent_for_15_seconds_at_most():
    assert PostRoute("/chat", handle).ping_after_s == 15.0


async def test_no_ping_cuts_in_on_an_event_where_the_process_is_held_up():
    loop = asyncio.get_running_loop()
    may_ping, under_way = loop.create_future(), list[bytes]()
    overlaps: list[bytes] = []

    async def send(message: Message) -> None:
        overlaps.extend(under_way)
        under_way.append(message["body"])
        await (may_ping if message["body"] == PING else asyncio.sleep(0.01))
        under_way.remove(message["body"])

    def hold_up() -> None:
        time.sleep(0.005)
        line._look()

    line = _Line(send, Client(), ping=PING, ping_after_s=0.001)
    await line.send(body(b"data: 0"))
    await asyncio.sleep(0.01)
    assert under_way == [PING]
    event = loop.create_task(line.send(body(b"data: 1")))
    await asyncio.sleep(0)
    may_ping.set_result(None)
    loop.call_soon(hold_up)  # right after the ping has gone
    await event
    await line.close()
    assert overlaps == []
