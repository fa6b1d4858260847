"""Refusals of upstreams, as a client is told of them."""

import json

import pytest

from waystation.errors import (
    UpstreamAuthFailedError,
    UpstreamFailedError,
    UpstreamRateLimitedError,
    UpstreamRedirectError,
    UpstreamRejectedError,
)
from waystation.providers.upstream_errors import (
    clean_message,
    error_from_object,
    error_from_response,
)

SECRET = "the-key-of-acme-5b1f7a3c"
TOLD = {"message": "No.", "type": "t", "code": "c", "param": "p"}
BODY = json.dumps({"error": TOLD}).encode()
GENERIC = "The upstream answered with status {}."
REDIRECT = "The upstream answered with a redirect, which is not followed."
AUTH = "The upstream refused the gateway's credentials."


def refuse(status: int, body: bytes = BODY, **headers: str) -> dict[str, object]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    error = error_from_response(status, names, body, [SECRET])
    return {"class": type(error), "status": error.status, **error.to_envelope()}


def envelope(message: str, kind: str, code: str | None, param: str | None = None) -> object:
    return {"message": message, "type": kind, "param": param, "code": code}


STATUSES = {
    301: (UpstreamRedirectError, 502, envelope(REDIRECT, "upstream_error", "upstream_redirect")),
    307: (UpstreamRedirectError, 502, envelope(REDIRECT, "upstream_error", "upstream_redirect")),
    400: (UpstreamRejectedError, 400, envelope("No.", "t", "c", "p")),
    401: (UpstreamAuthFailedError, 502, envelope(AUTH, "upstream_error", "upstream_auth_failed")),
    402: (UpstreamFailedError, 502, envelope("No.", "upstream_error", "upstream_error")),
    403: (UpstreamAuthFailedError, 502, envelope(AUTH, "upstream_error", "upstream_auth_failed")),
    404: (UpstreamRejectedError, 404, envelope("No.", "t", "c", "p")),
    405: (UpstreamFailedError, 502, envelope("No.", "upstream_error", "upstream_error")),
    413: (UpstreamRejectedError, 413, envelope("No.", "t", "c", "p")),
    422: (UpstreamRejectedError, 422, envelope("No.", "t", "c", "p")),
    429: (
        UpstreamRateLimitedError,
        429,
        envelope("No.", "rate_limit_error", "upstream_rate_limited"),
    ),
    500: (UpstreamFailedError, 502, envelope("No.", "upstream_error", "upstream_error")),
    503: (UpstreamFailedError, 502, envelope("No.", "upstream_error", "upstream_error")),
    529: (UpstreamFailedError, 502, envelope("No.", "upstream_error", "upstream_error")),
}


@pytest.mark.parametrize("upstream", STATUSES)
def test_status_of_the_upstream_becomes_ours(upstream):
    kind, status, error = STATUSES[upstream]
    assert refuse(upstream) == {"class": kind, "status": status, "error": error}


BODIES = {
    "text": (b'{"error": "No."}', envelope("No.", "invalid_request_error", None)),
    "detail": (b'{"detail": "No."}', envelope("No.", "invalid_request_error", None)),
    "message alone": (b'{"message": "No."}', envelope("No.", "invalid_request_error", None)),
    "Google's list": (
        b'[{"error": {"message": "No.", "code": 400, "status": "INVALID"}}]',
        envelope("No.", "invalid_request_error", "400"),
    ),
    "odd fields": (
        b'{"error": {"message": ["x"], "type": {}, "code": "a b", "param": "<p>"}}',
        envelope(GENERIC.format(400), "invalid_request_error", None),
    ),
    "long code": (
        b'{"error": {"message": "No.", "code": "' + b"c" * 65 + b'"}}',
        envelope("No.", "invalid_request_error", None),
    ),
    "HTML": (
        b"<html>canary</html>",
        envelope(GENERIC.format(400), "invalid_request_error", None),
    ),
    "JSON that is no object": (b"[]", envelope(GENERIC.format(400), "invalid_request_error", None)),
    "nothing": (b"", envelope(GENERIC.format(400), "invalid_request_error", None)),
}


@pytest.mark.parametrize(("body", "error"), BODIES.values(), ids=BODIES)
def test_only_message_type_code_and_param_of_a_json_error_pass(body, error):
    assert refuse(400, body)["error"] == error


@pytest.mark.parametrize("name", ["type", "code", "param"])
@pytest.mark.parametrize("value", [SECRET, f"x.{SECRET}", "sk-0123456789abcdef"])
def test_secret_in_a_field_is_dropped(name, value):
    body = json.dumps({"error": {"message": "No.", name: value}}).encode()
    assert refuse(400, body)["error"] == envelope("No.", "invalid_request_error", None)


@pytest.mark.parametrize("status", [400, 429, 500])
def test_secret_in_the_message_is_taken_out(status):
    body = json.dumps({"error": {"message": f"Key {SECRET} and sk-0123456789"}}).encode()
    error = error_from_response(status, {}, body, [SECRET])
    assert error.message == "Key [REDACTED] and [REDACTED]"


def test_message_is_cut_after_secrets_are_taken_out():
    for padding in range(470, 500):
        message = clean_message("x" * padding + SECRET, [SECRET])
        assert message == ("x" * padding + "[REDACTED]")[:500]
    assert clean_message(f"{SECRET} " * 100, [SECRET]) == ("[REDACTED] " * 100)[:500]


@pytest.mark.parametrize("value", ["1", "20", "3600", " 7 "])
def test_retry_after_is_passed_on(value):
    error = error_from_response(429, {"retry-after": value}, BODY, [])
    assert error.headers == {"retry-after": value.strip()}


@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "3601", "99999", "", "²", "Wed, 21 Oct 2026 07:28:00 GMT", "5\n"]
)
def test_other_retry_after_is_dropped(value):
    expected = {"retry-after": "5"} if value == "5\n" else {}
    assert error_from_response(429, {"retry-after": value}, BODY, []).headers == expected


def test_rate_limit_may_be_retried_and_the_rest_not():
    assert error_from_response(429, {}, BODY, []).headers == {}
    for status in (302, 400, 401, 500):
        error = error_from_response(status, {"retry-after": "5"}, BODY, [])
        assert error.headers == {"x-should-retry": "false"}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"message": "Overloaded", "code": 529}, "Overloaded"),
        ({"detail": "Overloaded"}, "Overloaded"),
        ("Overloaded", "Overloaded"),
        ({"message": 5}, "The upstream reported an error."),
        (True, "The upstream reported an error."),
    ],
)
def test_error_in_an_answer_of_status_200(error, message):
    made = error_from_object(error)
    assert (type(made), made.message) == (UpstreamFailedError, message)


def test_error_in_an_answer_of_status_200_may_stand_for_a_refusal():
    error = error_from_object({"message": "No."}, status=404, kind="not_found_error")
    assert (type(error), error.status, error.message) == (UpstreamRejectedError, 404, "No.")
    assert (error.type, error.code) == ("not_found_error", None)
    assert type(error_from_object(None, status=401)) is UpstreamAuthFailedError
    limited = error_from_object({}, status=429)
    assert (type(limited), limited.message) == (
        UpstreamRateLimitedError,
        "The upstream reported an error.",
    )


def test_refusal_of_the_messages_api_is_read_in_its_envelope():
    told = {"type": "rate_limit_error", "message": "Slow down."}
    body = json.dumps({"type": "error", "error": told, "request_id": "req_1"}).encode()
    assert refuse(429, body, retry_after="7") == {
        "class": UpstreamRateLimitedError,
        "status": 429,
        "error": envelope("Slow down.", "rate_limit_error", "upstream_rate_limited"),
    }
    assert error_from_response(429, {"retry-after": "7"}, body, []).headers == {"retry-after": "7"}
    assert refuse(400, body)["error"] == envelope("Slow down.", "rate_limit_error", None)
