"""Which header names and values may go on the wire. Substitutes nothing."""

import re

MAX_VALUE_BYTES = 8 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")
# They belong to the connection or frame the message, so the HTTP client alone writes them.
_CONNECTION_NAMES = frozenset(
    [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "accept-encoding",
    ]
)


def name_problem(name: str) -> str | None:
    """Return why `name` cannot be a configured header's name."""
    if not _TOKEN.fullmatch(name):
        return "expected a header name of letters, digits and -, without blanks"
    lowered = name.lower()
    if lowered in _CONNECTION_NAMES or lowered.startswith("proxy-"):
        return "this header belongs to the connection and cannot be configured"
    return None


def value_problem(text: str) -> str | None:
    """Return why `text` cannot be sent as a header's value."""
    if _UNSENDABLE.search(text):
        return "expected Latin-1 text on one line, without control characters"
    if len(text) > MAX_VALUE_BYTES:
        return "expected at most 8 KiB of text"
    return None
