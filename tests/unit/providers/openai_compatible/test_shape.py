"""Requests of chat completions, as they go upstream."""

import json

import pytest

from tests.support.shaping import BASE, body_of, shape
from waystation.errors import InvalidBodyError

USAGE_ASKED = {"include_usage": True}


def test_plain_request_is_whole():
    shaped = shape()
    request = shaped.request
    assert shaped.model == "acme-large"
    assert (request.method, request.url) == ("POST", "https://llm.acme.test/v1/chat/completions")
    assert dict(request.headers) == {
        "authorization": "Bearer key",
        "accept": "application/json",
        "content-type": "application/json",
    }
    assert json.loads(request.body) == BASE
    assert "Hé\u2028".encode() in request.body


def test_streamed_request_asks_for_usage():
    assert body_of(is_stream=True) == BASE | {"stream": True, "stream_options": USAGE_ASKED}
    assert dict(shape(is_stream=True).request.headers)["accept"] == "text/event-stream"


PARAMS: dict[str, tuple[dict[str, object], ...]] = {
    "client's value": ({"temperature": 0.5}, {}, {}, {"temperature": 0.5}),
    "unknown fields": ({"odd": {"a": [1]}}, {}, {}, {"odd": {"a": [1]}}),
    "addParams": ({}, {"addParams": {"top_p": 0.1}}, {}, {"top_p": 0.1}),
    "addParams beats the client": (
        {"top_p": 0.9},
        {"addParams": {"top_p": 0.1}},
        {},
        {"top_p": 0.1},
    ),
    "dropParams beats the client": ({"stop": "x"}, {"dropParams": ["stop"]}, {}, {}),
    "dropParams beats addParams": (
        {},
        {"addParams": {"stop": "x"}, "dropParams": ["stop"]},
        {},
        {},
    ),
    "user is the caller": ({"user": "mallory"}, {}, {}, {}),
    "user from addParams": ({}, {"addParams": {"user": "team"}}, {}, {"user": "team"}),
    "what addParams may not change": (
        {},
        {"addParams": {"messages": [], "stream": True, "apiKey": "x"}},
        {},
        {},
    ),
    "what dropParams may not take": ({}, {"dropParams": ["messages", "stream", "model"]}, {}, {}),
    "null in addParams": ({"top_p": 1}, {"addParams": {"top_p": None}}, {}, {"top_p": None}),
    "switches that are off": ({"useResponsesApi": False, "web_search": False}, {}, {}, {}),
    "switch dropped": ({"web_search": True}, {"dropParams": ["web_search"]}, {}, {}),
}


@pytest.mark.parametrize(("params", "entry", "context", "change"), PARAMS.values(), ids=PARAMS)
def test_body_is_the_client_then_add_then_drop(params, entry, context, change):
    assert body_of(params, **entry, **context) == BASE | change


def test_user_can_be_dropped():
    body = body_of(dropParams=["user"])
    assert body == {name: value for name, value in BASE.items() if name != "user"}


def test_model_from_add_params_is_the_one_sent_and_priced():
    shaped = shape(addParams={"model": "acme-huge"})
    assert shaped.model == "acme-huge"
    assert json.loads(shaped.request.body) == BASE | {"model": "acme-huge"}


def test_model_must_be_text():
    with pytest.raises(InvalidBodyError) as caught:
        shape(addParams={"model": 5})
    assert (caught.value.message, caught.value.param) == ("model must be a string.", "model")


MISTRAL = {"base_url": "https://api.mistral.ai/v1"}
STREAM_OPTIONS = {
    "client's options are kept": (
        {"stream_options": {"include_obfuscation": False}},
        {},
        {"include_obfuscation": False, "include_usage": True},
    ),
    "client cannot switch it off": (
        {"stream_options": {"include_usage": False}},
        {},
        USAGE_ASKED,
    ),
    "addParams decide": (
        {},
        {"addParams": {"stream_options": {"include_usage": False}}},
        {"include_usage": False},
    ),
    "dropped": ({}, {"dropParams": ["stream_options"]}, None),
    "dropped though the client asks": (
        {"stream_options": USAGE_ASKED},
        {"dropParams": ["stream_options"]},
        None,
    ),
    "host that refuses": ({}, MISTRAL, None),
    "host that refuses though the client asks": ({"stream_options": USAGE_ASKED}, MISTRAL, None),
    "host that has refused": ({}, {"asks_usage": False}, None),
    "host that has refused though the client asks": (
        {"stream_options": USAGE_ASKED},
        {"asks_usage": False},
        None,
    ),
    "another host of that name": (
        {},
        {"base_url": "https://api.mistral.ai.acme.test/v1"},
        USAGE_ASKED,
    ),
}


@pytest.mark.parametrize(
    ("params", "kwargs", "options"), STREAM_OPTIONS.values(), ids=STREAM_OPTIONS
)
def test_usage_is_asked_for_unless_it_is_refused(params, kwargs, options):
    assert body_of(params, is_stream=True, **kwargs).get("stream_options") == options


URLS = {
    "plain": ("https://u.test/v1", False, "https://u.test/v1/chat/completions"),
    "slash at the end": ("https://u.test/v1//", False, "https://u.test/v1/chat/completions"),
    "no path": ("http://u.test:8080", False, "http://u.test:8080/chat/completions"),
    "query": (
        "https://u.test/openai?api-version=2024-10-21",
        False,
        "https://u.test/openai/chat/completions?api-version=2024-10-21",
    ),
    "direct": ("https://u.test/my/chat/", True, "https://u.test/my/chat/"),
    "direct with query": ("https://u.test/c?a=b", True, "https://u.test/c?a=b"),
}


@pytest.mark.parametrize(("base", "is_direct", "url"), URLS.values(), ids=URLS)
def test_url_is_the_base_and_the_path(base, is_direct, url):
    assert shape(base_url=base, directEndpoint=is_direct).request.url == url


HEADERS = {
    "configured": ({"X-Team": "é"}, {"x-team": "é"}),
    "Authorization beats the key": (
        {"Authorization": "Basic abc"},
        {"authorization": "Basic abc"},
    ),
    "accept": ({"ACCEPT": "*/*"}, {"accept": "*/*"}),
    "content type is fixed": ({"Content-Type": "text/plain"}, {}),
}


@pytest.mark.parametrize(("headers", "change"), HEADERS.values(), ids=HEADERS)
def test_configured_headers_are_sent_once(headers, change):
    sent = shape(headers=headers).request.headers
    own = {
        "authorization": "Bearer key",
        "accept": "application/json",
        "content-type": "application/json",
    }
    assert sorted(sent) == sorted((own | change).items())


def test_a_request_comes_with_what_reads_its_answer():
    reader = shape().reader
    body = b'{"id":"x","choices":[{"message":{"content":"a"}}]}'
    assert reader.parse(body).upstream_id == "x"
    assert reader.stream_parser() is not reader.stream_parser()
