"""The bodies that bring a user's key."""

import json

import pytest

from waystation.account.body import KeyBody, parse_key_body, parse_librechat_body
from waystation.credentials.own import OwnCredentials
from waystation.errors import InvalidBodyError

AT = 1_896_091_200_000


@pytest.mark.parametrize(
    ("body", "parsed"),
    [
        ({"apiKey": "k"}, KeyBody(OwnCredentials("k"), None)),
        ({"apiKey": " é "}, KeyBody(OwnCredentials("é"), None)),
        (
            {"apiKey": "k", "baseURL": "https://a.test", "expiresAt": AT},
            KeyBody(OwnCredentials("k", "https://a.test"), AT),
        ),
        (
            {"baseURL": "u", "expiresAt": "2030-01-31T12:00:00Z"},
            KeyBody(OwnCredentials(None, "u"), AT),
        ),
        ({"apiKey": "k", "baseURL": "", "expiresAt": ""}, KeyBody(OwnCredentials("k"), None)),
        ({"apiKey": "k", "baseURL": None, "expiresAt": None}, KeyBody(OwnCredentials("k"), None)),
        ({"apiKey": "k", "expiresAt": "never"}, KeyBody(OwnCredentials("k"), None)),
        ({"apiKey": "k", "expiresAt": 0}, KeyBody(OwnCredentials("k"), None)),
        ({"apiKey": "k" * 4096}, KeyBody(OwnCredentials("k" * 4096), None)),
    ],
)
def test_body_is_read(body, parsed):
    assert parse_key_body(body) == parsed


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ([], None),
        ("k", None),
        (None, None),
        ({}, "apiKey"),
        ({"apiKey": "", "baseURL": None}, "apiKey"),
        ({"apiKey": " "}, "apiKey"),
        ({"apiKey": 1}, "apiKey"),
        ({"apiKey": ["k"]}, "apiKey"),
        ({"apiKey": "a\r\nx: y"}, "apiKey"),
        ({"apiKey": "名"}, "apiKey"),
        ({"apiKey": "k" * 4097}, "apiKey"),
        ({"apiKey": "k", "baseURL": {}}, "baseURL"),
        ({"apiKey": "k", "expiresAt": "soon"}, "expiresAt"),
        ({"apiKey": "k", "expiresAt": True}, "expiresAt"),
        ({"apiKey": "k", "expiresAt": -1}, "expiresAt"),
    ],
)
def test_fault_names_the_field(body, param):
    with pytest.raises(InvalidBodyError) as caught:
        parse_key_body(body)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("value", "own"),
    [
        ("sk-plain", OwnCredentials("sk-plain")),
        ("123", OwnCredentials("123")),
        ('"sk"', OwnCredentials('"sk"')),
        ("{not json", OwnCredentials("{not json")),
        (json.dumps({"apiKey": "k"}), OwnCredentials("k")),
        (json.dumps({"apiKey": "k", "baseURL": ""}), OwnCredentials("k")),
        (json.dumps({"apiKey": "k", "baseURL": "u"}), OwnCredentials("k", "u")),
        (json.dumps({"GOOGLE_API_KEY": "g"}), OwnCredentials("g")),
        (json.dumps({"ANTHROPIC_API_KEY": "a"}), OwnCredentials("a")),
    ],
)
def test_librechats_value_is_read(value, own):
    body = {"name": "Acme", "value": value, "expiresAt": AT}
    assert parse_librechat_body(body) == ("Acme", KeyBody(own, AT))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ([], None),
        ({"value": "k"}, "name"),
        ({"name": 1, "value": "k"}, "name"),
        ({"name": "Acme"}, "value"),
        ({"name": "Acme", "value": {"apiKey": "k"}}, "value"),
        ({"name": "Acme", "value": "{}"}, "value"),
        ({"name": "Acme", "value": json.dumps({"apiKey": 1})}, "apiKey"),
        ({"name": "Acme", "value": "a\nb"}, "value"),
    ],
)
def test_librechats_fault_names_the_field(body, param):
    with pytest.raises(InvalidBodyError) as caught:
        parse_librechat_body(body)
    assert caught.value.param == param
