"""The user a call is for, in LibreChat's fields, and the caller who makes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.config.schema import USER_FIELDS

MAX_FIELD_LENGTH = 8192


@dataclass(frozen=True, slots=True)
class User:
    """`fields` are texts by LibreChat's field name, without the id."""

    id: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def placeholders(self) -> dict[str, str]:
        """Return the values of `{{LIBRECHAT_USER_…}}`, keyed `USER_…`."""
        return {"USER_ID": self.id} | {
            f"USER_{name.upper()}": value for name, value in self.fields.items()
        }


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds the key. A trusted caller may say which user a request is for."""

    user: User
    key_id: str
    is_trusted: bool = False
    is_admin: bool = False


def parse_user(document: object) -> User:
    """Read a user from JSON with LibreChat's field names; `_id` stands in for `id`.

    Raises ValueError, naming the field. Unknown fields are ignored, so that a whole user record
    works.
    """
    if not isinstance(document, Mapping):
        raise ValueError("a user must be a JSON object")  # noqa: TRY004 (one kind for all faults)
    texts = {name: text_of(name, document.get(name)) for name in USER_FIELDS}
    user_id = texts.pop("id") or text_of("_id", document.get("_id"))
    if not user_id:
        raise ValueError("a user needs an id")
    return User(user_id, {name: text for name, text in texts.items() if text})


def text_of(name: str, value: object) -> str:
    """Return a field as text, none for None. Raises ValueError, naming the field."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int) or len(str(value)) > MAX_FIELD_LENGTH:
        raise ValueError(f"{name} must be a text of at most {MAX_FIELD_LENGTH} characters")
    return str(value)
