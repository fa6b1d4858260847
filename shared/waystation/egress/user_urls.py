"""Reads the URLs that users bring. Pure: one parser for the check and for the use.

What it returns holds nothing that two readers could understand differently: ASCII in lower case,
no userinfo, no escapes in the host, the port only where it is not the scheme's own.
"""

import re

import idna

from waystation.egress.addresses import is_in, is_never
from waystation.errors import InvalidBaseUrlError

MAX_LENGTH = 2048

_URL = re.compile(
    r"(https?)://"
    r"(\[[0-9a-f.]*:[0-9a-f:.]+\]|[^\x00-,/:-@\[-^`{-\x7f]+)"  # letters, digits, hyphen, dot
    r"(?::([1-9][0-9]{0,4}))?"
    r"((?:/[!-~]*)?(?:\?[!-~]*)?)",
    re.IGNORECASE | re.ASCII,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65_535
_MAX_NAME = 253
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LIKE_A_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Source: https://www.iana.org/assignments/special-use-domain-names, 2026-11
_LOCAL = frozenset({"localhost", "local", "internal", "localdomain", "arpa"})


def parse_user_url(
    text: str, allowed: frozenset[str] = frozenset(), *, max_length: int = MAX_LENGTH
) -> str:
    """Return a user's URL as it is to be used, its host in lower-case ASCII.

    It is https, on port 443 of a public-looking name; `allowed`, exact `host:port` pairs of the
    operator's, lifts scheme, port and kind of host for the pair. A query is kept.

    Raises InvalidBaseUrlError.
    """
    match = _URL.fullmatch(text) if len(text) <= max_length else None
    if match is None or "\\" in text or "#" in text:
        raise InvalidBaseUrlError
    scheme, host, rest = match[1].lower(), match[2], match[4]
    host = host.lower() if host.isascii() else _to_ascii(host)
    own_port = _DEFAULT_PORTS[scheme]
    port = int(match[3] or own_port)
    if port > _MAX_PORT or host.endswith(".") or is_never(host.strip("[]")):
        raise InvalidBaseUrlError
    if not is_in(allowed, host.strip("[]"), port):
        _check_public(host)
        if scheme != "https" or port != own_port:
            raise InvalidBaseUrlError
    return f"{scheme}://{host}{'' if port == own_port else f':{port}'}{rest}"


def _check_public(host: str) -> None:
    labels = host.split(".")
    if len(labels) == 1 or len(host) > _MAX_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise InvalidBaseUrlError
    if labels[-1] in _LOCAL or _LIKE_A_NUMBER.fullmatch(labels[-1]):
        raise InvalidBaseUrlError
    if "xn--" in host:
        _to_ascii(host)


def _to_ascii(host: str) -> str:
    """Return a name in the form that DNS is asked for it. Raises InvalidBaseUrlError."""
    if len(host) > _MAX_NAME:
        raise InvalidBaseUrlError
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii").lower()
    except UnicodeError as error:
        raise InvalidBaseUrlError from error
