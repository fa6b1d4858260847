"""Reads the header `Idempotency-Key`, by which a caller has a request made at most once."""

import hashlib
import json
import re

from waystation.errors import InvalidHeaderValueError
from waystation.identity.incoming import Incoming
from waystation.ledger.records import Idempotency

HEADER = "idempotency-key"

# Headers that make another request of the same body.
_DECIDING = ("x-endpoint", "anthropic-beta")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def read_idempotency(incoming: Incoming, route: str) -> Idempotency | None:
    """Return the key of a request, for this route alone, and the digest of what it asks for.

    Raises InvalidHeaderValueError.
    """
    key = incoming.headers.get(HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidHeaderValueError(
            "An Idempotency-Key has 1 to 255 visible ASCII characters.", param=HEADER
        )
    asked = [*map(incoming.headers.get, _DECIDING), incoming.body]
    body = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return Idempotency(f"IDM#{_digest(f'{route} {key}')}", _digest(body))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
