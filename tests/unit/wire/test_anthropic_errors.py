"""Errors as Anthropic's API tells them."""

import pytest

from waystation.errors import (
    GatewayError,
    InternalError,
    InvalidApiKeyError,
    InvalidBodyError,
    LedgerUnavailableError,
    MethodNotAllowedError,
    ModelNotFoundError,
    RequestTooLargeError,
    UnsupportedMediaTypeError,
    UpstreamFailedError,
    UpstreamRateLimitedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)
from waystation.wire.anthropic_errors import anthropic_envelope

TYPES: list[tuple[GatewayError, str]] = [
    (InvalidBodyError("x"), "invalid_request_error"),
    (InvalidApiKeyError(), "authentication_error"),
    (ModelNotFoundError("x"), "not_found_error"),
    (MethodNotAllowedError("x"), "invalid_request_error"),
    (RequestTooLargeError("x"), "request_too_large"),
    (UnsupportedMediaTypeError("x"), "invalid_request_error"),
    (UpstreamRejectedError("x", status=422, type="own"), "invalid_request_error"),
    (UpstreamRateLimitedError("x"), "rate_limit_error"),
    (InternalError(), "api_error"),
    (UpstreamFailedError("x"), "api_error"),
    (LedgerUnavailableError("x"), "api_error"),
    (UpstreamTimeoutError("x"), "timeout_error"),
]


@pytest.mark.parametrize(("error", "kind"), TYPES, ids=lambda part: type(part).__name__)
def test_status_says_the_type(error, kind):
    assert anthropic_envelope(error, "r1") == {
        "type": "error",
        "error": {"type": kind, "message": error.message},
        "request_id": "r1",
    }
