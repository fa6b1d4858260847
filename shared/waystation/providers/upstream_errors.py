"""Turns an upstream's refusal into ours: status kept where it is the caller's business.

Only message, type and code of a JSON error pass, cut and redacted; nothing else of the answer does.
"""

import re
from collections.abc import Iterable, Mapping

from waystation.errors import (
    UpstreamAuthFailedError,
    UpstreamError,
    UpstreamFailedError,
    UpstreamRateLimitedError,
    UpstreamRedirectError,
    UpstreamRejectedError,
)
from waystation.wire.json_reader import read_json_lenient
from waystation.wire.redaction import redact

MAX_MESSAGE_LENGTH = 500
MAX_RETRY_AFTER_S = 3600

_KEPT_STATUSES = frozenset({400, 404, 413, 422})
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)


def error_from_response(
    status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str]
) -> UpstreamError:
    """Return the error for a non-2xx answer."""
    if 300 <= status < 400:  # noqa: PLR2004 (HTTP's own classes)
        return UpstreamRedirectError(
            "The upstream answered with a redirect, which is not followed."
        )
    return _error_of(status, _told(body, secrets), headers)


def error_from_object(
    error: object, *, status: int = 500, kind: str | None = None
) -> UpstreamError:
    """Return the error for an `error` object inside an answer of status 200.

    `status` and `kind` are those of the refusal it stands for, as far as the upstream's API says.
    Its text still needs `clean_message`: no secrets are known where answers are parsed.
    """
    told = {"message": _message(error) or "The upstream reported an error."}
    return _error_of(status, told | ({"type": kind} if kind else {}), {})


def clean_message(text: str, secrets: Iterable[str]) -> str:
    """Redact, then cut, so that no part of a secret is left at the end."""
    return redact(text, secrets)[:MAX_MESSAGE_LENGTH]


def _error_of(status: int, told: Mapping[str, str], headers: Mapping[str, str]) -> UpstreamError:
    if status in {401, 403}:
        return UpstreamAuthFailedError("The upstream refused the gateway's credentials.")
    message = told.get("message") or f"The upstream answered with status {status}."
    if status == 429:  # noqa: PLR2004
        return UpstreamRateLimitedError(message, headers=_retry_after(headers))
    if status in _KEPT_STATUSES:
        return UpstreamRejectedError(
            message,
            status=status,
            type=told.get("type"),
            code=told.get("code"),
            param=told.get("param"),
        )
    return UpstreamFailedError(message)


def _told(body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    try:
        document = read_json_lenient(body)
    except ValueError:
        return {}
    if isinstance(document, list) and document:  # Google wraps its errors in a list
        document = document[0]
    if not isinstance(document, Mapping):
        return {}
    return _fields(document.get("error", document), secrets)


def _fields(error: object, secrets: Iterable[str]) -> dict[str, str]:
    told = {"message": clean_message(_message(error), secrets)}
    if isinstance(error, Mapping):
        for name in ("type", "code", "param"):
            value = error.get(name)
            if isinstance(value, str | int) and _CODE.fullmatch(redact(str(value), secrets)):
                told[name] = str(value)
    return told


def _message(error: object) -> str:
    text = error
    if isinstance(error, Mapping):
        text = error.get("message") or error.get("detail")
    return text if isinstance(text, str) else ""


def _retry_after(headers: Mapping[str, str]) -> dict[str, str]:
    value = headers.get("retry-after", "").strip()
    is_whole = value.isascii() and value.isdigit() and len(value) <= len(str(MAX_RETRY_AFTER_S))
    if is_whole and 1 <= int(value) <= MAX_RETRY_AFTER_S:
        return {"retry-after": value}
    return {}
