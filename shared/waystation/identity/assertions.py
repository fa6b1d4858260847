"""What a trusted caller asserts by headers: the user, and the ids of the request.

LibreChat, say, sends `x-librechat-user-email: {{LIBRECHAT_USER_EMAIL}}`. The user named this way
replaces the key's own altogether; an absent or empty header is an unset field. A value that
starts with `b64:` is base64 of UTF-8.
"""

import base64
from collections.abc import Mapping

from waystation.config.schema import USER_FIELDS
from waystation.errors import InvalidHeaderValueError
from waystation.identity.user import MAX_FIELD_LENGTH, User
from waystation.wire.chat_request import CONVERSATION_FIELDS

_USER_PREFIX = "x-librechat-user-"
_BODY_PREFIX = "x-librechat-body-"
_BODY_FIELDS = {name.lower(): name for name in CONVERSATION_FIELDS}
_USER_FIELDS = {name.lower(): name for name in USER_FIELDS}
_ENCODED = "b64:"


def asserted_user(headers: Mapping[str, str]) -> User | None:
    """Return the user the headers name, None if they name none. Raises InvalidHeaderValueError."""
    fields = _fields(headers, _USER_PREFIX, _USER_FIELDS)
    user_id = fields.pop("id", None)
    if user_id is None and fields:
        raise InvalidHeaderValueError(
            "A user that is asserted needs an id.", param=f"{_USER_PREFIX}id"
        )
    return User(user_id, fields) if user_id is not None else None


def asserted_ids(headers: Mapping[str, str]) -> dict[str, str]:
    """Return conversationId, parentMessageId and messageId as far as the headers give them."""
    return _fields(headers, _BODY_PREFIX, _BODY_FIELDS)


def _fields(headers: Mapping[str, str], prefix: str, names: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for header, value in headers.items():
        if header.startswith(prefix) and (name := names.get(header[len(prefix) :])):
            found[name] = _decode(header, value)
    return {name: text for name, text in found.items() if text}


def _decode(header: str, value: str) -> str:
    try:
        text = (
            base64.b64decode(value[len(_ENCODED) :], validate=True).decode()
            if value.startswith(_ENCODED)
            else value
        )
    except ValueError:
        raise InvalidHeaderValueError(
            "A b64: value must be base64 of UTF-8 text.", param=header
        ) from None
    if len(text) > MAX_FIELD_LENGTH:
        raise InvalidHeaderValueError("The value is too long.", param=header)
    return text
