"""What a trusted caller asserts by headers."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.config.schema import USER_FIELDS
from waystation.errors import InvalidHeaderValueError
from waystation.identity.assertions import asserted_ids, asserted_user
from waystation.identity.user import MAX_FIELD_LENGTH, User


def test_every_field_can_be_asserted():
    headers = {f"x-librechat-user-{name.lower()}": f"v-{name}" for name in USER_FIELDS}
    fields = {name: f"v-{name}" for name in USER_FIELDS if name != "id"}
    assert asserted_user(headers) == User("v-id", fields)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-librechat-user-id": ""},
        {"x-librechat-user-id": "b64:"},
        {"x-librechat-user-unknown": "x"},
        {"x-librechat-body-messageid": "x"},
    ],
)
def test_absent_empty_or_unknown_headers_assert_nobody(headers):
    assert asserted_user(headers) is None


def test_empty_field_is_unset():
    headers = {"x-librechat-user-id": "bob", "x-librechat-user-email": ""}
    assert asserted_user(headers) == User("bob")


@given(st.text(min_size=1, max_size=50))
def test_value_in_base64_is_decoded(text):
    encoded = "b64:" + base64.b64encode(text.encode()).decode()
    headers = {"x-librechat-user-id": encoded, "x-librechat-user-name": encoded}
    assert asserted_user(headers) == User(text, {"name": text})


MALFORMED = {
    "not base64": "b64:?",
    "bad padding": "b64:abc",
    "not UTF-8": "b64:/w==",
    "too long": "x" * (MAX_FIELD_LENGTH + 1),
    "too long, encoded": "b64:" + base64.b64encode(b"x" * (MAX_FIELD_LENGTH + 1)).decode(),
    "not ASCII": "b64:é",
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("header", ["x-librechat-user-id", "x-librechat-user-name"])
def test_malformed_value_is_refused_naming_the_header(header, value):
    with pytest.raises(InvalidHeaderValueError) as caught:
        asserted_user({"x-librechat-user-id": "bob", header: value})
    assert (caught.value.status, caught.value.param) == (400, header)
    assert value not in caught.value.message


def test_ids_of_the_request_are_asserted():
    headers = {
        "x-librechat-body-conversationid": "c",
        "x-librechat-body-parentmessageid": "b64:cA==",
        "x-librechat-body-messageid": "",
        "x-librechat-body-model": "m",
        "x-librechat-user-id": "bob",
    }
    assert asserted_ids(headers) == {"conversationId": "c", "parentMessageId": "p"}
