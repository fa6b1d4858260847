"""The bodies that bring a user's key, checked: the gateway's own, and LibreChat's."""

from collections.abc import Mapping
from dataclasses import dataclass

from waystation.config.templates import header_value
from waystation.credentials.own import OwnCredentials
from waystation.errors import InvalidBodyError
from waystation.wire.chat_request import present_fields
from waystation.wire.json_reader import read_json_lenient
from waystation.wire.moments import read_moment

MAX_KEY_LENGTH = 4096

# The texts of LibreChat's forms for a key, by endpoint.
# Source: https://github.com/danny-avila/LibreChat, `AuthKeys` and `SetKeyDialog`, 2026-11.
_KEY_NAMES = ("apiKey", "GOOGLE_API_KEY", "ANTHROPIC_API_KEY")
_NEVER = "never"


@dataclass(frozen=True, slots=True)
class KeyBody:
    """What a user wants to be stored; the time is in milliseconds since 1970, None is never."""

    own: OwnCredentials
    expires_at_ms: int | None


def parse_key_body(body: object) -> KeyBody:
    """Check the body of PUT /v1/keys. Raises InvalidBodyError, naming the field."""
    fields = present_fields(body)
    own = _own(_text(fields, "apiKey"), _text(fields, "baseURL"), "apiKey")
    return KeyBody(own, _expiry(fields))


def parse_librechat_body(body: object) -> tuple[str, KeyBody]:
    """Check the body of PUT /api/keys; return the endpoint's name too.

    `value` is the JSON text of an object with the key and perhaps a URL, or else the key itself.

    Raises InvalidBodyError, naming the field.
    """
    fields = present_fields(body)
    name, value = _text(fields, "name"), _text(fields, "value")
    if name is None:
        raise InvalidBodyError("name is required: the name of an endpoint.", param="name")
    try:
        members: object = read_json_lenient((value or "").encode())
    except ValueError:
        members = None
    if not isinstance(members, dict):
        return name, KeyBody(_own(value, None, "value"), _expiry(fields))
    keys = [key for known in _KEY_NAMES if (key := _text(members, known)) is not None]
    own = _own(next(iter(keys), None), _text(members, "baseURL"), "value")
    return name, KeyBody(own, _expiry(fields))


def _own(api_key: str | None, base_url: str | None, place: str) -> OwnCredentials:
    if api_key is None and base_url is None:
        raise InvalidBodyError("A key or a URL is required: apiKey, baseURL.", param=place)
    try:
        key = None if api_key is None else header_value(api_key)
    except ValueError:
        raise InvalidBodyError("The key cannot be sent in a header.", param=place) from None
    if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
        raise InvalidBodyError(f"A key has 1 to {MAX_KEY_LENGTH} characters.", param=place)
    return OwnCredentials(key, base_url)


def _text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidBodyError(f"{name} must be a string.", param=name)
    return value or None


def _expiry(fields: Mapping[str, object]) -> int | None:
    value = fields.get("expiresAt")
    if not value or value == _NEVER:
        return None
    try:
        return read_moment(value)
    except ValueError:
        raise InvalidBodyError(
            "expiresAt must be a date and time of ISO 8601, or milliseconds since 1970.",
            param="expiresAt",
        ) from None
