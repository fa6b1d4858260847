"""Bodies that no honest client sends, through the chat function's handler."""

from collections.abc import Callable

import pytest

from tests.support.fake_upstream import FakeUpstream
from tests.support.lambda_events import Event, in_base64, rest_event
from tests.support.lambda_gateway import LambdaGateway

CHAT = "/v1/chat/completions"
HEADERS = {"Authorization": "Bearer key-of-alice", "Content-Type": "application/json"}
BODY = b'{"model": "acme-large", "messages": [{"role": "user", "content": "H\xc3\xa9!"}]}'
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "multipart/form-data; boundary=application/json"},
        {"Content-Encoding": "gzip"},
    ],
    ids=["text", "none", "form", "compressed"],
)
def test_a_body_that_is_not_plain_json_is_415(
    gateway: LambdaGateway, upstream: FakeUpstream, headers: dict[str, str]
) -> None:
    answer = gateway.post(BODY, headers=headers)

    assert (answer.status, answer.error["code"]) == (415, "unsupported_media_type")
    assert upstream.received == []


@pytest.mark.parametrize("encode", [lambda event: event, in_base64], ids=["plain", "base64"])
def test_a_body_of_more_than_4_mib_is_413(
    gateway: LambdaGateway, upstream: FakeUpstream, encode: Callable[[Event], Event]
) -> None:
    message = '{"model": "acme-large", "messages": [{"role": "user", "content": "%s"}]}'
    largest = (message % ("x" * (4 * MEGABYTE - len(message) + 2))).encode()
    assert len(largest) == 4 * MEGABYTE

    taken = gateway.call("chat", encode(rest_event("POST", CHAT, HEADERS, largest)))
    refused = gateway.call("chat", encode(rest_event("POST", CHAT, HEADERS, largest + b" ")))

    assert taken.status == 200
    assert (refused.status, refused.error["code"]) == (413, "request_too_large")
    assert len(upstream.received) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        BODY + b"{}",
        b"\xef\xbb\xbf" + BODY,
        BODY.decode().encode("utf-16"),
        b'{"a": "\xff"}',
        b'{"model": "a", "model": "acme-large"}',
        b'{"messages": [{"role": "user", "role": "system"}]}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 18446744073709551616}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b"[" + b"0," * 200_001 + b"0]",
    ],
    ids=[
        "empty",
        "cut off",
        "trailing data",
        "byte order mark",
        "UTF-16",
        "not UTF-8",
        "a key twice",
        "a key twice, deeper",
        "NaN",
        "infinity",
        "overflow",
        "large integer",
        "huge integer",
        "deep",
        "very deep",
        "many values",
    ],
)
def test_json_that_is_not_strict_is_400(
    gateway: LambdaGateway, upstream: FakeUpstream, body: bytes
) -> None:
    answer = gateway.post(body)

    assert (answer.status, answer.error["code"]) == (400, "invalid_json")
    assert upstream.received == []


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"7"])
def test_json_that_is_no_object_is_400(gateway: LambdaGateway, body: bytes) -> None:
    answer = gateway.post(body)

    assert (answer.status, answer.error["code"]) == (400, "invalid_body")


def test_a_lone_surrogate_is_replaced(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    body = BODY.replace(b"H\xc3\xa9!", b"\\ud83d and \\ud83d\\ude00")

    assert gateway.post(body).status == 200
    assert upstream.last.json["messages"][0]["content"] == "\ufffd and 😀"
