"""A Messages request that goes on as it came, under the rules of its entry."""

import json
from typing import Any

import pytest

from tests.support.messages_shaping import HI, MODEL
from tests.support.native_shaping import body_of, context_of, shape
from waystation.errors import EndpointMisconfiguredError, InvalidBodyError
from waystation.providers.anthropic import Anthropic
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.providers.anthropic.passthrough_answer import NativeAnswerReader
from waystation.wire.anthropic_request import parse_messages_request
from waystation.wire.chat_request import ChatRequest
from waystation.wire.upstream_request import UpstreamRequest

ADAPTIVE = "claude-opus-4-6"
BASE = {
    "model": MODEL,
    "max_tokens": 9,
    "metadata": {"user_id": "alice"},
    "stream": False,
    "messages": HI,
}
MARK = {"type": "ephemeral", "ttl": "1h"}
MARKED = [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": MARK}]}]
TOOL = {"name": "f", "input_schema": {"type": "object"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def fields_of(**kwargs: Any) -> dict[str, Any]:
    """Return what differs from the fields that every request has."""
    body = body_of(**kwargs)
    assert body.keys() >= BASE.keys() - {"metadata"}
    return {name: value for name, value in body.items() if BASE.get(name) != value}


def test_body_goes_on_as_it_came():
    body = {
        "system": [{"type": "text", "text": "a", "citations": None}],
        "tools": [SEARCH, TOOL],
        "temperature": 0,
        "top_k": 1,
        "unheard_of": {"a": [None]},
        "messages": [{"role": "user", "content": [{"type": "new", "x": None}]}],
    }
    assert body_of(body=body) == {**BASE, **body}
    assert shape(body=body).model == MODEL
    assert isinstance(shape(body=body).reader, NativeAnswerReader)


def test_request_of_a_chat_is_translated():
    shaped = Anthropic().shape(ChatRequest("m", HI, stream=False), context_of(model=MODEL))
    assert isinstance(shaped.reader, AnthropicAnswerReader)


USERS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "the gateway's": ({}, {"user_id": "alice", "other": 1}),
    "by addParams": ({"addParams": {"user": "bob"}}, {"user_id": "bob", "other": 1}),
    "whole": ({"addParams": {"metadata": {"a": 1}}}, {"a": 1}),
}


@pytest.mark.parametrize(("entry", "expected"), USERS.values(), ids=USERS)
def test_user_is_not_the_clients_to_say(entry, expected):
    body = {"metadata": {"user_id": "mallory", "other": 1}}
    assert body_of(body=body, **entry)["metadata"] == expected


def test_user_can_be_dropped():
    for name in ("user", "metadata", "user_id"):
        assert "metadata" not in body_of(dropParams=[name])


ADDED: dict[str, tuple[dict[str, object], dict[str, object], dict[str, object]]] = {
    "a field": ({}, {"top_p": 0.5}, {"top_p": 0.5}),
    "over the client's": ({"top_p": 0.1}, {"topP": 0.5}, {"top_p": 0.5}),
    "null": ({"temperature": 1}, {"temperature": None}, {}),
    "a limit": ({}, {"maxOutputTokens": 7}, {"max_tokens": 7}),
    "a model": ({}, {"model": "other"}, {"model": "other"}),
    "system": ({"system": "a"}, {"system": "b"}, {"system": "b"}),
    "web search": ({"tools": [TOOL]}, {"web_search": True}, {"tools": [TOOL, SEARCH]}),
    "thinking": (
        {"max_tokens": 4000},
        {"thinking": True},
        {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    "no thinking": ({"thinking": {"type": "enabled"}}, {"thinking": False}, {}),
    "a cache": ({}, {"promptCache": True}, {"messages": MARKED}),
    "streaming": ({"stream": True}, {"disableStreaming": True}, {}),
}


@pytest.mark.parametrize(("body", "added", "expected"), ADDED.values(), ids=ADDED)
def test_add_params_are_the_operators(body, added, expected):
    assert fields_of(body=body, addParams=added) == expected


def test_effort_of_the_entry_counts():
    entry: dict[str, Any] = {"addParams": {"effort": "low"}, "model": ADAPTIVE}
    body = body_of(body={"output_config": {"effort": "max", "x": 1}}, **entry)
    assert body["output_config"] == {"effort": "low", "x": 1}


DROPPED: dict[str, tuple[list[str], dict[str, object], dict[str, object]]] = {
    "a field": (["temperature"], {"temperature": 1}, {}),
    "by another name": (["topK", "stop"], {"top_k": 1, "stop_sequences": ["a"]}, {}),
    "thinking": (["thinking"], {"thinking": {"type": "adaptive"}}, {}),
    "web search": (["web_search"], {"tools": [SEARCH, TOOL]}, {"tools": [TOOL]}),
    "effort": (["effort"], {"output_config": {"effort": "low"}}, {}),
    "the client's marks": (
        ["promptCache"],
        {"system": MARKED[0]["content"], "tools": [{**TOOL, "cache_control": MARK}]},
        {"system": [{"type": "text", "text": "Hi"}], "tools": [TOOL]},
    ),
    "the limit": (["max_tokens"], {"max_tokens": 5}, {"max_tokens": 64_000}),
    "what cannot be": (["model", "messages", "stream"], {}, {}),
}


@pytest.mark.parametrize(("dropped", "body", "expected"), DROPPED.values(), ids=DROPPED)
def test_drop_params_come_last(dropped, body, expected):
    assert fields_of(body=body, dropParams=dropped) == expected


def test_defaults_stand_in_where_the_client_chose_nothing():
    definitions = [
        {"key": "temperature", "type": "number", "default": 0.5},
        {"key": "maxOutputTokens", "type": "number", "default": 100},
    ]
    entry: Any = {"customParams": {"paramDefinitions": definitions}}
    assert fields_of(**entry) == {"temperature": 0.5}
    assert fields_of(body={"temperature": 1}, **entry) == {"temperature": 1}


def test_defaults_of_librechats_interface_are_not_applied():
    assert body_of(waystation={"uiDefaults": True}) == BASE


def test_sampling_is_the_clients():
    sampling = {"temperature": 0.5, "top_p": 0.5, "top_k": 1}
    assert fields_of(body=sampling, model="claude-opus-5") == {"model": "claude-opus-5", **sampling}


def test_limit_of_zero_only_fills_the_cache():
    assert body_of(body={"max_tokens": 0})["max_tokens"] == 0


def test_older_models_get_no_cache_marks():
    assert body_of(addParams={"promptCache": True}, model="claude-2")["messages"] == HI


def test_client_that_streams_asks_for_a_stream():
    request = shape(body={"stream": True}).request
    assert json.loads(request.body)["stream"] is True
    assert dict(request.headers)["accept"] == "text/event-stream"


def test_headers():
    assert shape().request.url == "https://claude.acme.test/v1/messages?x=1"
    assert dict(shape().request.headers) == {
        "x-api-key": "key",
        "anthropic-version": "2023-06-01",
        "accept": "application/json",
        "content-type": "application/json",
    }


VERSIONS: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "ours": ({}, {}, "2023-06-01"),
    "the client's": ({"anthropic-version": "2027-01-01"}, {}, "2027-01-01"),
    "the entry's": (
        {"anthropic-version": "2027-01-01"},
        {"Anthropic-Version": "2025-01-01"},
        "2025-01-01",
    ),
}


@pytest.mark.parametrize(("client", "headers", "version"), VERSIONS.values(), ids=VERSIONS)
def test_version_is_the_entrys_or_the_clients(client, headers, version):
    assert dict(shape(client=client, headers=headers).request.headers)["anthropic-version"] == (
        version
    )


def test_betas_of_the_client_follow_those_of_the_entry():
    request = shape(client={"anthropic-beta": "b,a"}, headers={"anthropic-beta": "a, c"}).request
    assert dict(request.headers)["anthropic-beta"] == "a,c,b"


def test_key_that_is_none_is_the_operators_mistake():
    with pytest.raises(EndpointMisconfiguredError):
        shape(api_key="{}")


@pytest.mark.parametrize("model", [5, ""])
def test_model_of_the_entry_is_a_name(model):
    with pytest.raises(InvalidBodyError):
        shape(addParams={"model": model})


def count(body: Any = None, **entry: Any) -> UpstreamRequest:
    request = parse_messages_request(
        {"model": "m", "messages": HI} | (body or {}), {}, is_answered=False
    )
    assert request.native is not None
    return Anthropic().shape_count(request, request.native, context_of(model=MODEL, **entry))


def test_request_for_a_count_holds_what_is_counted():
    request = count(addParams={"temperature": 1, "system": "Be brief.", "maxTokens": 7})
    assert request.url == "https://claude.acme.test/v1/messages/count_tokens?x=1"
    assert json.loads(request.body) == {"model": MODEL, "messages": HI, "system": "Be brief."}


def test_request_for_a_count_keeps_what_the_client_says():
    body = {"tools": [TOOL], "thinking": {"type": "adaptive"}, "unheard_of": 1, "max_tokens": 5}
    assert json.loads(count(body, dropParams=["thinking"]).body) == {
        "model": MODEL,
        "messages": HI,
        "tools": [TOOL],
        "unheard_of": 1,
        "max_tokens": 5,
    }
