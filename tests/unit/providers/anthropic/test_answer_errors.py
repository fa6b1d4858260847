"""What comes in place of a message, as the errors of the gateway."""

import json

import pytest

from tests.support.anthropic_upstream import STATUSES, error
from waystation.errors import (
    UpstreamAuthFailedError,
    UpstreamError,
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamRateLimitedError,
    UpstreamRejectedError,
)
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.providers.upstream_errors import error_from_response

AUTH = "The upstream refused the gateway's credentials."
ERRORS: dict[str, tuple[type[UpstreamError], int, str, str, str | None]] = {
    "invalid_request_error": (UpstreamRejectedError, 400, "No.", "invalid_request_error", None),
    "authentication_error": (
        UpstreamAuthFailedError,
        502,
        AUTH,
        "upstream_error",
        "upstream_auth_failed",
    ),
    "billing_error": (UpstreamFailedError, 502, "No.", "upstream_error", "upstream_error"),
    "permission_error": (
        UpstreamAuthFailedError,
        502,
        AUTH,
        "upstream_error",
        "upstream_auth_failed",
    ),
    "not_found_error": (UpstreamRejectedError, 404, "No.", "not_found_error", None),
    "request_too_large": (UpstreamRejectedError, 413, "No.", "request_too_large", None),
    "rate_limit_error": (
        UpstreamRateLimitedError,
        429,
        "No.",
        "rate_limit_error",
        "upstream_rate_limited",
    ),
    "api_error": (UpstreamFailedError, 502, "No.", "upstream_error", "upstream_error"),
    "timeout_error": (UpstreamFailedError, 502, "No.", "upstream_error", "upstream_error"),
    "overloaded_error": (UpstreamFailedError, 502, "No.", "upstream_error", "upstream_error"),
    "future_error": (UpstreamFailedError, 502, "No.", "upstream_error", "upstream_error"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_in_place_of_a_message_is_what_its_type_says(kind):
    with pytest.raises(UpstreamError) as caught:
        AnthropicAnswerReader().parse(json.dumps(error(kind)).encode())
    told = caught.value
    assert (type(told), told.status, told.message, told.type, told.code) == ERRORS[kind]


@pytest.mark.parametrize("kind", STATUSES)
def test_an_error_means_the_same_with_its_status_and_without(kind):
    body = json.dumps(error(kind)).encode()
    with pytest.raises(UpstreamError) as caught:
        AnthropicAnswerReader().parse(body)
    refused = error_from_response(STATUSES[kind], {}, body, [])
    assert (type(refused), vars(refused)) == (type(caught.value), vars(caught.value))


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"type": "error"}, "The upstream reported an error."),
        ({"type": "error", "message": "No."}, "No."),
        ({"error": "No."}, "No."),
        ({"error": {"type": ["x"], "message": "No."}}, "No."),
    ],
)
def test_an_error_without_a_type_is_a_failure(document, told):
    with pytest.raises(UpstreamFailedError) as caught:
        AnthropicAnswerReader().parse(json.dumps(document).encode())
    assert caught.value.message == told


INVALID = {
    "nothing": b"",
    "HTML": b"<html>",
    "list": b"[]",
    "empty": b"{}",
    "chat completion": b'{"object":"chat.completion","choices":[]}',
    "content is a text": b'{"content":"x"}',
    "block is a text": b'{"content":["x"]}',
    "text is a number": b'{"content":[{"type":"text","text":1}]}',
    "citations are a text": b'{"content":[{"type":"text","text":"a","citations":"x"}]}',
    "call without a name": b'{"content":[{"type":"tool_use","id":"c"}]}',
    "call without an id": b'{"content":[{"type":"tool_use","name":"f"}]}',
    "input is a text": b'{"content":[{"type":"tool_use","id":"c","name":"f","input":"x"}]}',
}


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID)
def test_what_is_no_message_is_refused(body):
    with pytest.raises(UpstreamInvalidResponseError) as caught:
        AnthropicAnswerReader().parse(body)
    assert caught.value.message == "The upstream's answer is not a message."
