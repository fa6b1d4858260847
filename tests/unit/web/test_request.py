"""Requests, read within bounds."""

import asyncio
import base64

import pytest
from starlette.requests import Request

from waystation.errors import (
    GatewayError,
    InvalidJsonError,
    RequestTooLargeError,
    UnsupportedMediaTypeError,
)
from waystation.web.request import MAX_BODY_BYTES, ends_at, headers_of, read_json_body

JSON = {"content-type": "application/json"}


async def read(headers: dict[str, str], *pieces: bytes) -> object:
    waiting = list(pieces)

    async def receive() -> dict[str, object]:
        piece = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    return await read_json_body(Request(scope, receive), headers)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/vnd.api+json",
    ],
)
async def test_json_is_read(content_type):
    assert await read({"content-type": content_type}, b'{"a"', b":1}") == {"a": 1}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "application/jsonx"},
        {"content-type": "text/plain; application/json"},
        {"content-type": "multipart/form-data; boundary=x"},
    ],
)
async def test_other_content_types_are_refused(headers):
    with pytest.raises(UnsupportedMediaTypeError) as caught:
        await read(headers, b"{}")
    assert (caught.value.status, caught.value.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
async def test_compressed_body_is_refused(encoding):
    with pytest.raises(UnsupportedMediaTypeError) as caught:
        await read({**JSON, "content-encoding": encoding}, b"{}")
    assert caught.value.message == "The body must not be compressed."


async def test_identity_is_no_compression():
    assert await read({**JSON, "content-encoding": "Identity"}, b"{}") == {}


async def test_largest_body_is_read():
    text = "x" * (MAX_BODY_BYTES - 2)
    assert await read(JSON, f'"{text}"'.encode()) == text


@pytest.mark.parametrize(
    "pieces",
    [[b" " * (MAX_BODY_BYTES + 1)], [b" " * 1024] * (MAX_BODY_BYTES // 1024) + [b" "]],
    ids=["at once", "in pieces"],
)
async def test_larger_body_is_refused_before_it_is_parsed(pieces):
    with pytest.raises(RequestTooLargeError) as caught:
        await read(JSON, *pieces)
    assert (caught.value.status, caught.value.code) == (413, "request_too_large")


@pytest.mark.parametrize("body", [b"", b"{", base64.b64encode(b"{}")])
async def test_body_that_is_no_json_is_refused(body):
    with pytest.raises(InvalidJsonError):
        await read(JSON, body)


def test_headers_are_in_lower_case_and_repeated_ones_joined():
    scope = {"headers": [(b"X-A", b"1"), (b"x-a", b"2"), (b"Name", b"\xe9")]}
    assert headers_of(scope) == {"x-a": "1, 2", "name": "é"}


class Remaining:
    """Lambda's context with a fixed time left."""

    def __init__(self, remaining_ms: int) -> None:
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        return self._remaining_ms


@pytest.mark.parametrize(
    ("mode", "scope", "seconds"),
    [
        ("buffered", {}, 27),
        ("stream", {}, 900),
        ("buffered", {"aws.context": Remaining(60_000)}, 27),
        ("buffered", {"aws.context": Remaining(10_000)}, 7),
        ("stream", {"aws.context": Remaining(60_000)}, 57),
        ("stream", {"aws.context": Remaining(2_000)}, 0),
    ],
)
async def test_answer_is_complete_three_seconds_before_the_function_ends(mode, scope, seconds):
    now = asyncio.get_running_loop().time()
    assert ends_at(scope, mode) - now == pytest.approx(seconds, abs=0.5)


async def test_refusals_are_envelopes():
    with pytest.raises(GatewayError) as caught:
        await read({}, b"")
    assert caught.value.to_envelope() == {
        "error": {
            "message": "The body must be JSON: content-type application/json.",
            "type": "invalid_request_error",
            "param": None,
            "code": "unsupported_media_type",
        }
    }
