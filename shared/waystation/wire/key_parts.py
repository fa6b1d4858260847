"""Texts of users and operators as parts of keys: of items in the table, and of what binds them."""

import hashlib
import re

MAX_PART_BYTES = 200

_UNSAFE = re.compile(r"[#%/\x00-\x1f\x7f-\x9f]")


def encode_part(text: str) -> str:
    """Make a text safe as part of a key: distinct texts, distinct parts, 200 bytes at most."""
    encoded = _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", text)
    if len(encoded.encode()) > MAX_PART_BYTES:
        return f"%h{hashlib.sha256(text.encode()).hexdigest()}"
    return encoded
