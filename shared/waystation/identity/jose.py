"""Reads the parts of a signed token as they are written. Nothing here is checked yet."""

import base64
import binascii
import re
from collections.abc import Mapping

from waystation.errors import InvalidJsonError
from waystation.wire.json_reader import read_json

_PART = r"[A-Za-z0-9_-]+"
_COMPACT = re.compile(rf"{_PART}\.{_PART}\.{_PART}")


def read_header(text: str) -> Mapping[str, object] | None:
    """Return the header of a token; None for text that has not the form of one."""
    if not _COMPACT.fullmatch(text):
        return None
    try:
        encoded = text.partition(".")[0]
        header = read_object(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except binascii.Error:
        return None
    return header if header is not None and "alg" in header else None


def read_object(data: bytes) -> Mapping[str, object] | None:
    """Return a JSON object; None for anything else, and for one with the same key twice."""
    try:
        document = read_json(data)
    except InvalidJsonError:
        return None
    return document if isinstance(document, dict) else None
