"""Turns an error inside an answer of the Converse API into ours.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html,
2026-11.
"""

from collections.abc import Mapping

from waystation.errors import UpstreamError
from waystation.providers.upstream_errors import error_from_object

# By the names of exceptions, in lower case.
_STATUSES = {
    "validationexception": 400,
    "accessdeniedexception": 403,
    "resourcenotfoundexception": 404,
    "throttlingexception": 429,
    "modelstreamerrorexception": 502,
    "internalserverexception": 500,
    "serviceunavailableexception": 503,
}


def error_of(error: object) -> UpstreamError:
    """Return the error for an `error` object; its `code` is the name of the exception."""
    code = error.get("code") if isinstance(error, Mapping) else None
    status = _STATUSES.get(code.lower(), 500) if isinstance(code, str) else 500
    return error_from_object(error, status=status)
