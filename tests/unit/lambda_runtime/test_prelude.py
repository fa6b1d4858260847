"""What goes before the body of a streamed answer."""

import json

from waystation.lambda_runtime.prelude import END, prelude

HEADERS = [
    (b"Content-Type", b"text/plain"),
    (b"vary", b"origin"),
    (b"Vary", b"accept"),
    (b"set-cookie", b"a=1"),
    (b"x-name", b"Ren\xe9"),
]


def told(*, is_rest: bool) -> dict[str, object]:
    head, end, rest = prelude(200, HEADERS, is_rest=is_rest).partition(END)
    assert (end, rest) == (b"\0" * 8, b"")
    document: dict[str, object] = json.loads(head)
    return document


def test_rest_api_gets_repeated_headers_one_by_one():
    assert told(is_rest=True) == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain", "set-cookie": "a=1", "x-name": "René"},
        "multiValueHeaders": {"vary": ["origin", "accept"]},
    }


def test_function_url_gets_them_joined_and_cookies_apart():
    assert told(is_rest=False) == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain", "vary": "origin, accept", "x-name": "René"},
        "cookies": ["a=1"],
    }


def test_no_byte_of_it_ends_it_before_its_end():
    head = prelude(200, [(b"x", b"\0" * 9)], is_rest=True)
    assert head.count(END) == 1
    assert head.endswith(END)
