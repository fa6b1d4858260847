"""Reads requests: headers, JSON bodies within bounds, and how long there is to answer."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import Scope

from waystation.errors import RequestTooLargeError, UnsupportedMediaTypeError
from waystation.identity.presented import Presented
from waystation.settings import ResponseMode
from waystation.wire.json_reader import read_json

MAX_BODY_BYTES = 4 * 1024 * 1024
BUFFERED_S = 27.0  # API Gateway waits 29 s for a whole answer
STREAMED_S = 15 * 60.0  # Lambda's own limit
RESERVE_S = 3.0  # to settle and answer before the function is stopped


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; a repeated one is joined with commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def presented_by(scope: Scope) -> Presented:
    """Return what a request says of its caller."""
    query = scope["query_string"].decode("latin-1")
    return Presented(headers_of(scope), parse_qsl(query), scope.get("aws.event"))


async def read_json_body(request: Request, headers: Mapping[str, str]) -> object:
    """Return the checked JSON of the body.

    Raises UnsupportedMediaTypeError, RequestTooLargeError, InvalidJsonError.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaTypeError("The body must be JSON: content-type application/json.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaTypeError("The body must not be compressed.")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise RequestTooLargeError(f"The body is larger than {MAX_BODY_BYTES} bytes.")
        chunks.append(chunk)
    return read_json(b"".join(chunks))


def ends_at(scope: Scope, mode: ResponseMode) -> float:
    """Return when the answer must be complete, on the event loop's clock."""
    seconds = BUFFERED_S if mode == "buffered" else STREAMED_S
    context = scope.get("aws.context")
    if context is not None:
        seconds = min(seconds, context.get_remaining_time_in_millis() / 1000 - RESERVE_S)
    return asyncio.get_running_loop().time() + max(seconds, 0.0)
