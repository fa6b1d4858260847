"""What a request says of its caller."""

import pytest

from waystation.identity.presented import QUERY_NAMES, Presented

HEADERS = {
    "bearer": ({"authorization": "Bearer k-1"}, "k-1"),
    "scheme in any case": ({"authorization": "bEARER k-1"}, "k-1"),
    "blanks around": ({"authorization": "Bearer   k-1  "}, "k-1"),
    "x-api-key": ({"x-api-key": "k-1"}, "k-1"),
    "both, equal": ({"authorization": "Bearer k-1", "x-api-key": "k-1"}, "k-1"),
    "both, different": ({"authorization": "Bearer k-1", "x-api-key": "k-2"}, None),
    "none": ({}, None),
    "empty": ({"authorization": "", "x-api-key": ""}, None),
    "empty beside one": ({"authorization": "", "x-api-key": "k-1"}, "k-1"),
    "no key after the scheme": ({"authorization": "Bearer"}, None),
    "blanks after the scheme": ({"authorization": "Bearer   "}, None),
    "scheme alone beside one": ({"authorization": "Bearer", "x-api-key": "k-1"}, None),
    "another scheme": ({"authorization": "Basic k-1"}, None),
    "another scheme beside one": ({"authorization": "Basic k-1", "x-api-key": "k-1"}, None),
    "no scheme": ({"authorization": "k-1"}, None),
    "not ASCII": ({"x-api-key": "ké"}, None),
    "control character": ({"x-api-key": "k\x00"}, None),
    "8192 characters": ({"x-api-key": "k" * 8192}, "k" * 8192),
    "8193 characters": ({"x-api-key": "k" * 8193}, None),
}


QUERIES = {
    "the same": ([("key", "k-1")], "k-1"),
    "another": ([("key", "k-2")], None),
    "another, in capitals": ([("API_KEY", "k-2")], None),
    "another beside the same": ([("key", "k-1"), ("api_key", "k-2")], None),
    "another token": ([("access_token", "k-2")], None),
    "empty": ([("key", "")], "k-1"),
    "something else": ([("model", "k-2")], "k-1"),
}


@pytest.mark.parametrize(("headers", "credential"), HEADERS.values(), ids=HEADERS)
def test_one_credential_is_read_from_the_headers(headers, credential):
    assert Presented(headers).credential() == credential


@pytest.mark.parametrize(("query", "credential"), QUERIES.values(), ids=QUERIES)
def test_query_must_agree_with_the_headers(query, credential):
    assert Presented({"authorization": "Bearer k-1"}, query).credential() == credential


@pytest.mark.parametrize("name", sorted(QUERY_NAMES))
def test_query_alone_is_no_credential(name):
    assert Presented({}, [(name, "k-1")]).credential() is None


def test_representation_shows_nothing_of_it():
    assert "k-1" not in repr(Presented({"x-api-key": "k-1"}, [("key", "k-1")], {"body": "k-1"}))
