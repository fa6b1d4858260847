"""Takes secrets out of text that leaves the gateway: error messages and log lines."""

import base64
import functools
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

REDACTED = "[REDACTED]"
MIN_SECRET_LENGTH = 12

# Whatever begins like a key is taken whole, so that no text is gone through more than once.
_KEY_SHAPES = re.compile(
    r"sk-[A-Za-z0-9_-]{8,}"
    r"|Bearer [A-Za-z0-9._~+/=-]{8,}"
    r"|A(?:KIA|SIA)[A-Z0-9]{12,}"
    r"|eyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,2}",
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace key-like text, and each of `secrets` of 12 characters or more, however spelt."""
    long_enough = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]
    spellings = {spelling for secret in long_enough for spelling in _spellings(secret)}
    for spelling in sorted(spellings, key=len, reverse=True):  # one may be part of another
        text = text.replace(spelling, REDACTED)
    return _KEY_SHAPES.sub(REDACTED, text)


@functools.lru_cache(maxsize=256)
def _spellings(secret: str) -> frozenset[str]:
    return frozenset(
        {
            secret,
            quote(secret, safe=""),
            base64.b64encode(secret.encode()).decode(),
            json.dumps(secret)[1:-1],
        }
    )
