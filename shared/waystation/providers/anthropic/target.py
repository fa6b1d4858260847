"""Where a Messages request goes: its URL, its headers, the key in them.

Source: https://platform.claude.com/docs/en/api/overview, 2026-11.
"""

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from waystation.errors import EndpointMisconfiguredError, InvalidUserKeyError
from waystation.providers.addressing import merge_headers, url_below
from waystation.providers.provider import CallContext

API_VERSION = "2023-06-01"
_KEY_MEMBER = "ANTHROPIC_API_KEY"


def messages_url(base_url: str) -> str:
    """Return the URL of a call; a base URL may end in `/v1` or before it."""
    has_version = urlsplit(base_url).path.rstrip("/").endswith("/v1")
    return url_below(base_url, "/messages" if has_version else "/v1/messages")


def headers_of(
    context: CallContext, *, is_stream: bool, betas: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """Return the headers of a call. Raises what `key_of` does for a key that is none."""
    own = {
        "x-api-key": key_of(context),
        "anthropic-version": API_VERSION,
        "accept": "text/event-stream" if is_stream else "application/json",
    }
    return merge_headers(own, context.headers, betas=betas)


def key_of(context: CallContext) -> str:
    """Return the key itself: JSON text is an object whose `ANTHROPIC_API_KEY` is the key.

    Other JSON is refused, as LibreChat does: raises InvalidUserKeyError for a user's own key,
    EndpointMisconfiguredError for a configured one.
    """
    try:
        credentials = json.loads(context.api_key, parse_int=float)
    except (ValueError, RecursionError):
        return context.api_key
    key = credentials.get(_KEY_MEMBER) if isinstance(credentials, dict) else None
    if not isinstance(key, str) or not key.isascii() or not key.isprintable() or not key:
        if context.is_users_key:
            raise InvalidUserKeyError(
                f"Your key for endpoint '{context.endpoint.name}' is JSON without an {_KEY_MEMBER}."
            )
        raise EndpointMisconfiguredError(
            f"Endpoint '{context.endpoint.name}': apiKey is JSON without an {_KEY_MEMBER}."
        )
    return key
