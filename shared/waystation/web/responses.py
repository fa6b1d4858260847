"""Writes answers: JSON, and error envelopes."""

import json
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Scope

from waystation.errors import GatewayError
from waystation.web.envelopes import envelope_of

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
