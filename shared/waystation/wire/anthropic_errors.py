"""Errors as Anthropic's API tells them: `{"type": "error", "error": {"type", "message"}, …}`.

Source: https://platform.claude.com/docs/en/api/errors, 2026-11.
"""

from collections.abc import Mapping
from types import MappingProxyType

from waystation.errors import GatewayError

_TYPES: Mapping[int, str] = MappingProxyType(
    {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)
_FIRST_SERVER_ERROR = 500


def anthropic_envelope(error: GatewayError, request_id: str) -> dict[str, object]:
    """Return the body of an error, and the data of an `error` event; the status says the type."""
    other = "invalid_request_error" if error.status < _FIRST_SERVER_ERROR else "api_error"
    told = {"type": _TYPES.get(error.status, other), "message": error.message}
    return {"type": "error", "error": told, "request_id": request_id}
