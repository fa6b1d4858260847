"""Tells the log of what was not connected to; of a host, or a URL that has none, the digest.

Nothing that users have written is in the log: who asked, the line of the same request tells.
"""

import hashlib
import logging

from waystation.egress.user_urls import MAX_LENGTH, parse_user_url
from waystation.errors import InvalidBaseUrlError

_log = logging.getLogger("waystation.egress")


def log_blocked(host: bytes, *, is_users: bool) -> None:
    """Tell that a connection was refused, and whether a user brought the URL."""
    told = {"host_sha256": hashlib.sha256(host).hexdigest(), "is_users": is_users}
    _log.warning("ssrf_blocked", extra=told)


def check_user_url(text: str, allowed: frozenset[str], *, max_length: int = MAX_LENGTH) -> str:
    """Return what `parse_user_url` does, and tell what it refuses. Raises InvalidBaseUrlError."""
    try:
        return parse_user_url(text, allowed, max_length=max_length)
    except InvalidBaseUrlError:
        log_blocked(text.encode("utf-8", "surrogatepass"), is_users=True)
        raise
