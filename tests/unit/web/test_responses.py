"""Answers, written."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.types import Message, Scope

from tests.support.logs import kept_lines
from waystation.errors import EndpointMisconfiguredError
from waystation.web.envelopes import NOTES
from waystation.web.responses import EventStreamResponse, error_response, json_response

SCOPE: Scope = {"type": "http", "path": "/v1/chat/completions", NOTES: {"request_id": "r1"}}
MESSAGES_SCOPE: Scope = {**SCOPE, "path": "/v1/messages"}
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
}


def body(piece: bytes, more: bool = True) -> dict[str, object]:
    return {"type": "http.response.body", "body": piece, "more_body": more}


class Chunks:
    """A stream that tells how far it was read and whether it was closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.read: list[bytes] = []
        self.is_closed = False

    async def __call__(self) -> AsyncGenerator[bytes, None]:
        try:
            for piece in self._pieces:
                if isinstance(piece, Exception):
                    raise piece
                self.read.append(piece)
                yield piece
        finally:
            self.is_closed = True


async def serve(
    chunks: Chunks, *, gone_after: int | None = None, scope: Scope = SCOPE
) -> list[Any]:
    """Serve a stream to a client that goes after so many messages; return what arrived."""
    arrived: list[Any] = []

    async def send(message: Message) -> None:
        if len(arrived) == gone_after:
            raise OSError
        arrived.append(message)

    async def receive() -> Message:
        raise AssertionError

    await EventStreamResponse(chunks())(scope, receive, send)
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
        arrived = await serve(Chunks(b"a", ValueError("secret")), scope=MESSAGES_SCOPE)
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


async def test_response_that_is_cancelled_closes_the_stream():
    chunks = Chunks(b"a", b"b")
    has_begun = asyncio.Event()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            has_begun.set()
            await asyncio.Event().wait()

    async def receive() -> Message:
        raise AssertionError

    task = asyncio.create_task(EventStreamResponse(chunks())(SCOPE, receive, send))
    await has_begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert chunks.is_closed


def test_json_is_compact_utf_8():
    response = json_response({"a": "é", "b": [1]}, status=201, headers={"x-a": "1"})
    assert response.body == '{"a":"é","b":[1]}'.encode()
    assert response.status_code == 201
    assert dict(response.headers) == {
        "x-a": "1",
        "content-length": "18",
        "content-type": "application/json",
    }


def test_error_is_its_envelope_and_headers():
    response = error_response(EndpointMisconfiguredError("No.", param="p"), SCOPE)
    assert response.status_code == 503
    assert response.headers["x-should-retry"] == "false"
    assert json.loads(bytes(response.body)) == {
        "error": {
            "message": "No.",
            "type": "service_unavailable",
            "param": "p",
            "code": "endpoint_misconfigured",
        }
    }


def test_error_on_anthropics_routes_is_its_envelope():
    response = error_response(EndpointMisconfiguredError("No."), MESSAGES_SCOPE)
    assert (response.status_code, response.headers["x-should-retry"]) == (503, "false")
    assert json.loads(bytes(response.body)) == {
        "type": "error",
        "error": {"type": "api_error", "message": "No."},
        "request_id": "r1",
    }
