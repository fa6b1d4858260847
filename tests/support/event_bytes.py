"""Events of a stream whose data says their name, as bytes."""

import json
from collections.abc import Mapping


def encoded(event: Mapping[str, object] | bytes) -> bytes:
    """Return an event as it is sent; bytes are what they are."""
    if isinstance(event, bytes):
        return event
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
