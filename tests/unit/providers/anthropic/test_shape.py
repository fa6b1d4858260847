"""A chat shaped as a Messages request: the whole of it, whatever a client sends."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.messages_shaping import ADAPTIVE, BASE, HI, MODEL, body_of, fields_of, shape
from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.answer import AnthropicAnswerReader

HOUR = {"type": "ephemeral", "ttl": "1h"}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def test_a_plain_request_asks_for_nothing_that_was_not_asked_for():
    shaped = shape()
    assert json.loads(shaped.request.body) == BASE
    assert shaped.request.url == "https://claude.acme.test/v1/messages"
    assert shaped.model == MODEL
    assert isinstance(shaped.reader, AnthropicAnswerReader)


def test_uidefaults_thinks_and_caches():
    messages = [{"role": "system", "content": "S"}, *HI]
    assert body_of(ui=True, messages=messages) == BASE | {
        "system": [{"type": "text", "text": "S", "cache_control": HOUR}],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    }


@pytest.mark.parametrize("setting", [{"streaming": False}, {"disableStreaming": True}])
def test_streams_unless_a_setting_forbids_it(setting):
    assert body_of(is_stream=True)["stream"] is True
    assert body_of(setting, is_stream=True)["stream"] is False
    assert body_of(is_stream=True, addParams=setting)["stream"] is False


def test_what_a_model_takes_is_told_by_the_name_that_was_asked_for():
    shaped = shape(ui=True, model=ADAPTIVE, addParams={"model": "our-deployment"})
    body = json.loads(shaped.request.body)
    assert shaped.model == body["model"] == "our-deployment"
    assert (body["max_tokens"], body["thinking"]) == (128_000, {"type": "adaptive"})


@pytest.mark.parametrize("name", [5, "", ["m"]])
def test_a_model_is_a_name(name):
    with pytest.raises(InvalidBodyError, match="model must be a string") as caught:
        shape(addParams={"model": name})
    assert caught.value.param == "model"


def test_a_client_does_not_choose_the_model_past_the_route():
    assert body_of({"model": "other", "modelName": "other"})["model"] == MODEL


SEARCHES = {
    "client": ({"web_search": True}, {}, [SEARCH]),
    "addParams": ({}, {"addParams": {"web_search": True}}, [SEARCH]),
    "addParams wins": ({"web_search": True}, {"addParams": {"web_search": False}}, None),
    "dropParams wins": ({"web_search": True}, {"dropParams": ["web_search"]}, None),
    "only true counts": ({"web_search": "yes"}, {}, None),
    "beside tools": (
        {"web_search": True, "tools": [TOOL]},
        {},
        [{"name": "f", "input_schema": {"type": "object"}}, SEARCH],
    ),
    "once": (
        {"web_search": True, "tools": [SEARCH | {"max_uses": 3}]},
        {},
        [SEARCH | {"max_uses": 3}],
    ),
    "beside the operator's tools": (
        {"web_search": True, "tools": [TOOL]},
        {"addParams": {"tools": [{"name": "g", "input_schema": {}}]}},
        [{"name": "g", "input_schema": {}}, SEARCH],
    ),
    "forbidden, by any way": (
        {"tools": [SEARCH], "web_search_options": {}},
        {"dropParams": ["web_search"]},
        None,
    ),
}


@pytest.mark.parametrize(("params", "entry", "tools"), SEARCHES.values(), ids=SEARCHES)
def test_web_search_is_a_tool(params, entry, tools):
    assert body_of(params, **entry).get("tools") == tools


def test_a_definition_may_search():
    definition = {"key": "web_search", "default": True}
    custom = {"customParams": {"paramDefinitions": [definition]}}
    assert body_of(**custom)["tools"] == [SEARCH]
    assert "tools" not in body_of({"web_search": False}, **custom)


def test_what_cannot_be_expressed_is_refused_unless_it_is_dropped():
    with pytest.raises(InvalidBodyError) as caught:
        shape({"seed": 7})
    assert caught.value.param == "seed"
    assert fields_of({"seed": 7}, dropParams=["seed"]) == {}


def test_dropparams_comes_last():
    params = {"tools": [TOOL], "tool_choice": "auto", "stop": ["A"], "effort": "low"}
    fixed = ["model", "messages", "stream"]
    dropped = ["tools", "tool_choice", "stop", "user", "effort", "service_tier", *fixed]
    entry = {"addParams": {"service_tier": "auto"}, "dropParams": dropped}
    body = body_of(params, model=ADAPTIVE, **entry)
    assert body == {"model": ADAPTIVE, "max_tokens": 128_000, "stream": False, "messages": HI}


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 2**40)
    | st.floats(allow_nan=False, allow_infinity=False, width=16)
    | st.text(max_size=4)
    | st.sampled_from(["auto", "text", "function", "user", "{}", "low"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "role",
                    "content",
                    "text",
                    "name",
                    "function",
                    "id",
                    "arguments",
                    "url",
                    "image_url",
                    "file",
                    "file_data",
                    "tool_calls",
                    "parameters",
                    "json_schema",
                    "schema",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
# fmt: off
FIELDS = [
    "tools", "functions", "tool_choice", "function_call", "parallel_tool_calls",
    "response_format", "thinking", "effort", "thinkingBudget", "thinkingDisplay",
    "reasoning_effort", "max_tokens", "maxOutputTokens", "max_output_tokens", "temperature",
    "top_p", "topP", "top_k", "topK", "stop", "n", "seed", "logprobs", "logit_bias", "metadata",
    "output_config", "user", "service_tier", "web_search", "web_search_options", "promptCache",
    "promptCacheTtl", "store", "modalities", "odd", "stream_options", "verbosity",
    "frequency_penalty", "system", "streaming",
]
# fmt: on
# fmt: off
MEMBERS = [
    "name", "tool_calls", "tool_call_id", "function_call", "thinking_blocks",
    "server_tool_blocks", "refusal", "cache_control", "reasoning_content", "audio", "odd",
]
# fmt: on
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "odd"])


@st.composite
def messages(draw: st.DrawFn) -> list[object]:
    message = st.fixed_dictionaries(
        {"role": ROLES, "content": st.text(max_size=3) | ODD},
        optional=dict.fromkeys(MEMBERS, ODD),
    )
    return draw(st.lists(message | ODD, min_size=1, max_size=4))


@given(
    params=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=6),
    chat=messages(),
    model=st.sampled_from([MODEL, ADAPTIVE, "claude-opus-5", "my-alias"]),
    ui=st.booleans(),
)
def test_whatever_a_client_sends_is_shaped_or_refused(params, chat, model, ui):
    try:
        shaped, param = shape(params, messages=chat, model=model, ui=ui), None
    except InvalidBodyError as error:
        shaped, param = None, error.param
    if shaped is None:
        assert param
        return
    body = json.loads(shaped.request.body)
    roles = [message["role"] for message in body["messages"]]
    assert roles
    assert all(one != other for one, other in itertools.pairwise(roles))


@given(st.integers(0, 70), st.sampled_from('[{"'))
def test_arguments_nested_without_end_are_refused(depth, mark):
    call = {"id": "c", "function": {"name": "f", "arguments": mark * depth * 400}}
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]}]
    if depth:
        with pytest.raises(InvalidBodyError, match="arguments"):
            shape(messages=chat)
    else:
        assert body_of(messages=chat)["messages"][1]["content"][0]["input"] == {}


OPERATED = [
    ({"addParams": {"reasoning_effort": "low"}}, {"effort": "low"}),
    ({"addParams": {"reasoning_effort": "none"}}, None),
    ({"dropParams": ["reasoning_effort"]}, None),
]


@pytest.mark.parametrize(("entry", "config"), OPERATED)
def test_the_operators_effort_beats_the_apis_own_name(entry, config):
    body = body_of({"output_config": {"effort": "max"}}, model="claude-opus-4-6", **entry)
    assert body.get("output_config") == config
