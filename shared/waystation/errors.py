"""Every error a client can be shown, with its HTTP status, type and code.

    GatewayError
    ├── RequestError                     the caller's own mistake
    │   ├── InvalidJsonError             400 invalid_json
    │   ├── InvalidBodyError             400 invalid_body
    │   ├── InvalidHeaderValueError      400 invalid_header_value
    │   ├── InvalidBaseUrlError          400 invalid_base_url
    │   ├── MissingUserKeyError          400 missing_user_key
    │   ├── MissingUserBaseUrlError      400 missing_user_base_url
    │   ├── ExpiredUserKeyError          400 expired_user_key
    │   ├── InvalidUserKeyError          400 invalid_user_key
    │   ├── TitlesOffError               400 titles_off
    │   ├── InvalidApiKeyError           401 invalid_api_key
    │   ├── NotFoundError                404 not_found
    │   ├── EndpointNotFoundError        404 endpoint_not_found
    │   ├── ModelNotFoundError           404 model_not_found
    │   ├── MethodNotAllowedError        405 method_not_allowed
    │   ├── RequestTooLargeError         413 request_too_large
    │   ├── UnsupportedMediaTypeError    415 unsupported_media_type
    │   └── LoopDetectedError            508 loop_detected
    ├── ConfigError                      the operator's file, secrets or store
    │   ├── ConfigUnavailableError       503 config_unavailable
    │   ├── EndpointMisconfiguredError   503 endpoint_misconfigured
    │   ├── SecretUnavailableError       503 secret_unavailable
    │   └── SigningKeysUnavailableError  503 signing_keys_unavailable
    ├── UpstreamError                    the remote service
    │   ├── UpstreamRejectedError        400, 404, 413 or 422, as the upstream said
    │   ├── UserKeyRejectedError         401 user_key_rejected
    │   ├── UpstreamRateLimitedError     429 upstream_rate_limited
    │   ├── UpstreamFailedError          502 upstream_error
    │   ├── UpstreamAuthFailedError      502 upstream_auth_failed
    │   ├── UpstreamUnreachableError     502 upstream_unreachable
    │   ├── UpstreamInvalidResponseError 502 upstream_invalid_response
    │   ├── UpstreamRedirectError        502 upstream_redirect
    │   ├── ResponseTooLargeError        502 response_too_large
    │   └── UpstreamTimeoutError         504 upstream_timeout
    ├── LedgerUnavailableError           503 ledger_unavailable; the DynamoDB table
    └── InternalError                    500 internal_error, fixed text

A message holds no secret, no prompt, no upstream's address. More errors: `ledger.errors`.
"""

from collections.abc import Mapping
from typing import ClassVar


class GatewayError(Exception):
    """Base of all errors that reach a client.

    `headers` are sent with the answer; `retry_after_s` is one of them. `retryable` false adds
    `x-should-retry: false`, so that SDKs do not repeat work that an upstream may have done.
    """

    status: int
    type: str
    code: str | None
    retryable: ClassVar[bool] = True
    retry_after_s: ClassVar[int | None] = None

    def __init__(
        self, message: str, *, param: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.headers = dict(headers or {})
        if self.retry_after_s is not None:
            self.headers["retry-after"] = str(self.retry_after_s)
        if not self.retryable:
            self.headers["x-should-retry"] = "false"

    def to_envelope(self) -> dict[str, object]:
        """Return the body `{"error": {"message", "type", "param", "code"}}`."""
        told = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": told}


class RequestError(GatewayError):
    status = 400
    type = "invalid_request_error"


class InvalidJsonError(RequestError):
    code = "invalid_json"


class InvalidBodyError(RequestError):
    code = "invalid_body"


class InvalidHeaderValueError(RequestError):
    code = "invalid_header_value"


class InvalidBaseUrlError(RequestError):
    """All reasons to refuse a user's URL look the same."""

    code = "invalid_base_url"

    def __init__(self) -> None:
        super().__init__(
            "Your base URL cannot be used: it must be https, on port 443 of a public host."
        )


class MissingUserKeyError(RequestError):
    code = "missing_user_key"


class MissingUserBaseUrlError(RequestError):
    code = "missing_user_base_url"


class ExpiredUserKeyError(RequestError):
    code = "expired_user_key"


class InvalidUserKeyError(RequestError):
    """A user's own key cannot be read; the text tells nothing of it."""

    code = "invalid_user_key"


class TitlesOffError(RequestError):
    code = "titles_off"


class InvalidApiKeyError(RequestError):
    """All failures to authenticate look the same."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"

    def __init__(self) -> None:
        super().__init__("Incorrect API key provided.", headers={"www-authenticate": "Bearer"})


class NotFoundError(RequestError):
    status = 404
    type = "not_found_error"
    code = "not_found"


class EndpointNotFoundError(NotFoundError):
    code = "endpoint_not_found"


class ModelNotFoundError(NotFoundError):
    code = "model_not_found"


class MethodNotAllowedError(RequestError):
    status = 405
    code = "method_not_allowed"


class RequestTooLargeError(RequestError):
    status = 413
    code = "request_too_large"


class UnsupportedMediaTypeError(RequestError):
    status = 415
    code = "unsupported_media_type"


class LoopDetectedError(RequestError):
    """A request of ours has come back, so an endpoint leads to this gateway."""

    status = 508
    code = "loop_detected"
    retryable = False

    def __init__(self) -> None:
        super().__init__("An endpoint's base URL leads back to this gateway.")


class ConfigError(GatewayError):
    status = 503
    type = "service_unavailable"


class ConfigUnavailableError(ConfigError):
    code = "config_unavailable"
    retry_after_s = 10

    def __init__(self) -> None:
        super().__init__("The gateway has no valid configuration yet.")


class EndpointMisconfiguredError(ConfigError):
    """Names the endpoint, and the variable or key at fault; never a value."""

    code = "endpoint_misconfigured"
    retryable = False


class SecretUnavailableError(ConfigError):
    code = "secret_unavailable"
    retry_after_s = 5


class SigningKeysUnavailableError(ConfigError):
    """Without the issuer's keys no token can be checked, good or bad."""

    code = "signing_keys_unavailable"
    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__("The keys that tokens are checked against cannot be reached.")


class UpstreamError(GatewayError):
    status = 502
    type = "upstream_error"
    retryable = False
    is_sent: bool = True  # whether the upstream may have begun to work


class UpstreamRejectedError(UpstreamError):
    """The upstream refused the request itself; status, type and code are its own."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        type: str | None = None,  # noqa: A002 (the envelope's own word)
        param: str | None = None,
    ) -> None:
        super().__init__(message, param=param)
        self.status = status
        self.type = type or "invalid_request_error"
        self.code = code


class UserKeyRejectedError(UpstreamError):
    """The upstream refused a key that a user has brought."""

    status = 401
    type = "authentication_error"
    code = "user_key_rejected"


class UpstreamRateLimitedError(UpstreamError):
    status = 429
    type = "rate_limit_error"
    code = "upstream_rate_limited"
    retryable = True


class UpstreamFailedError(UpstreamError):
    code = "upstream_error"


class UpstreamAuthFailedError(UpstreamError):
    code = "upstream_auth_failed"


class UpstreamUnreachableError(UpstreamError):
    code = "upstream_unreachable"
    is_sent = False


class UpstreamInvalidResponseError(UpstreamError):
    code = "upstream_invalid_response"


class UpstreamRedirectError(UpstreamError):
    code = "upstream_redirect"


class ResponseTooLargeError(UpstreamError):
    code = "response_too_large"


class UpstreamTimeoutError(UpstreamError):
    status = 504
    code = "upstream_timeout"


class LedgerUnavailableError(GatewayError):
    status = 503
    type = "service_unavailable"
    code = "ledger_unavailable"


class InternalError(GatewayError):
    """Anything unforeseen; the trace is in the log, never in the answer."""

    status = 500
    type = "internal_error"
    code = "internal_error"
    retryable = False

    def __init__(self) -> None:
        super().__init__("The gateway failed unexpectedly. The log has the details.")
