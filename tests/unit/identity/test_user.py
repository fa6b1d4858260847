"""The user a call is for."""

import pytest

from waystation.config.references import PLACEHOLDERS
from waystation.config.references import USER_FIELDS as PLACEHOLDER_FIELDS
from waystation.config.schema import USER_FIELDS
from waystation.identity.incoming import Incoming
from waystation.identity.user import MAX_FIELD_LENGTH, Caller, User, parse_user

USERS = {
    "id alone": ({"id": "u"}, User("u")),
    "record of a database": ({"_id": "u", "__v": 0, "password": "x"}, User("u")),
    "id before _id": ({"id": "u", "_id": "v"}, User("u")),
    "empty id": ({"id": "", "_id": "v"}, User("v")),
    "number": ({"id": 7}, User("7")),
    "booleans": (
        {"id": "u", "emailVerified": True, "twoFactorEnabled": False},
        User("u", {"emailVerified": "true", "twoFactorEnabled": "false"}),
    ),
    "nulls and empty texts": ({"id": "u", "email": None, "name": ""}, User("u")),
    "longest": ({"id": "x" * MAX_FIELD_LENGTH}, User("x" * MAX_FIELD_LENGTH)),
}


@pytest.mark.parametrize(("document", "user"), USERS.values(), ids=USERS)
def test_user_is_read(document, user):
    assert parse_user(document) == user


MALFORMED = {
    "list": ([], "a user must be a JSON object"),
    "no id": ({"name": "u"}, "a user needs an id"),
    "null id": ({"id": None}, "a user needs an id"),
    "object": ({"id": "u", "role": {}}, "role must be a text of at most 8192 characters"),
    "float": ({"id": 1.5}, "id must be a text of at most 8192 characters"),
    "too long": (
        {"id": "u", "name": "x" * 8193},
        "name must be a text of at most 8192 characters",
    ),
}


@pytest.mark.parametrize(("document", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_user_is_refused_naming_the_field(document, message):
    with pytest.raises(ValueError, match=r".") as caught:
        parse_user(document)
    assert str(caught.value) == message


def test_placeholders_are_named_as_templates_ask_for_them():
    assert User("u", {"emailVerified": "true"}).placeholders() == {
        "USER_ID": "u",
        "USER_EMAILVERIFIED": "true",
    }


def test_fields_are_those_the_templates_know():
    assert list(USER_FIELDS) == PLACEHOLDER_FIELDS
    user = User("u", dict.fromkeys(USER_FIELDS[1:], "x"))
    assert {f"LIBRECHAT_{name}" for name in user.placeholders()} == {
        name for name in PLACEHOLDERS if name.startswith("LIBRECHAT_USER_")
    }


def test_request_does_not_show_its_headers_and_body():
    incoming = Incoming("r", Caller(User("u"), "k"), {"h": "secret"}, {"b": "prompt"}, 1.0, {})
    assert "secret" not in repr(incoming)
    assert "prompt" not in repr(incoming)
