"""Checks the URLs that users bring: one parser for the check and for the use (S-5)."""

import ipaddress
from urllib.parse import urlsplit

from waystation.errors import InvalidBaseUrlError

MAX_LENGTH = 2048

_HTTPS = 443
_PORTS = {"http": 80, "https": _HTTPS}
_LOCAL = frozenset({"localhost", "local", "internal", "localdomain", "arpa"})


def check_user_url(url: str, allowed: frozenset[str]) -> str:
    """Return a URL as it is to be used: https, on port 443 of a host with a public-looking name.

    `allowed`, exact `host:port` pairs of the operator's, lifts scheme, port and kind of host.
    Raises InvalidBaseUrlError.
    """
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(" \\#")
    if not is_plain or len(url) > MAX_LENGTH:
        raise InvalidBaseUrlError
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        raise InvalidBaseUrlError from None
    if not host or parts.scheme not in _PORTS or set(parts.netloc) & set("@%"):
        raise InvalidBaseUrlError
    shown = f"[{host}]" if ":" in host else host
    is_public = parts.scheme == "https" and port == _HTTPS and _is_public_name(host)
    if f"{shown}:{port}" not in allowed and not is_public:
        raise InvalidBaseUrlError
    return url


def _is_public_name(host: str) -> bool:
    labels = host.split(".")
    last = labels[-1]
    if len(labels) == 1 or not all(labels) or last in _LOCAL or last[0].isdigit():
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False
