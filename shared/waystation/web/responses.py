"""Writes answers: JSON, error envelopes, event streams."""

import json
from collections.abc import AsyncIterator, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from waystation.errors import GatewayError, InternalError
from waystation.web.log import log_unexpected
from waystation.wire.sse import encode_event

NOTES = "waystation.notes"  # where the scope keeps the fields of the request's log line

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


def error_response(error: GatewayError) -> Response:
    return json_response(error.to_envelope(), status=error.status, headers=error.headers)


class EventStreamResponse:
    """Sends encoded events as they come.

    A client that has gone does not stop it: the upstream is read to its usage and the call settled.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
            }
        )
        is_gone = False
        async for chunk in self._safe_chunks(str(scope[NOTES]["request_id"])):
            if chunk and not is_gone:
                try:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                except OSError:
                    is_gone = True
        if not is_gone:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _safe_chunks(self, request_id: str) -> AsyncIterator[bytes]:
        """Turn an unforeseen error into a last event: the status has been sent already."""
        try:
            async for chunk in self._chunks:
                yield chunk
        except Exception as error:
            log_unexpected(error, request_id)
            yield encode_event(InternalError().to_envelope())
