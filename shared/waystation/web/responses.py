"""Writes answers: JSON, error envelopes, event streams."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from waystation.errors import GatewayError, InternalError
from waystation.web.envelopes import NOTES, envelope_of, last_event_of
from waystation.web.log import log_unexpected

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def json_response(
    body: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        _encode(body).encode(),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


def error_response(error: GatewayError, scope: Scope) -> Response:
    """Return an error as the API of the request's path tells it."""
    return json_response(envelope_of(error, scope), status=error.status, headers=error.headers)


class EventStreamResponse:
    """Sends encoded events as they come.

    A client that has gone does not stop it: the upstream is read to its usage and the call settled.
    """

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        is_there = await _arrives(
            send, {"type": "http.response.start", "status": 200, "headers": headers}
        )
        async with aclosing(self._safe_chunks(scope)) as chunks:
            async for chunk in chunks:
                if chunk and is_there:
                    is_there = await _arrives(send, _body(chunk, more_body=True))
        if is_there:
            await _arrives(send, _body(b"", more_body=False))

    async def _safe_chunks(self, scope: Scope) -> AsyncGenerator[bytes, None]:
        """Turn an unforeseen error into a last event: the status has been sent already."""
        try:
            async with aclosing(self._chunks) as chunks:
                async for chunk in chunks:
                    yield chunk
        except Exception as error:
            log_unexpected(error, str(scope[NOTES]["request_id"]))
            yield last_event_of(InternalError(), scope)


def _body(chunk: bytes, *, more_body: bool) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more_body}


async def _arrives(send: Send, message: Message) -> bool:
    """Send a message; tell whether there still is a client to send to."""
    try:
        await send(message)
    except (OSError, ClientDisconnect):
        return False
    return True
