"""Parameters merged: the client's, the defaults, the operator's; what is dropped is gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.shaping import body_of, fields_of

NAMES = {
    "LibreChat's names": (
        {"topP": 0.4, "frequencyPenalty": 1, "presencePenalty": 2, "stopSequences": ["Z"]},
        {"top_p": 0.4, "frequency_penalty": 1, "presence_penalty": 2, "stop": ["Z"]},
    ),
    "maxTokens": ({"maxTokens": 257}, {"max_tokens": 257}),
    "logits": (
        {"logitBias": {"1": 5}, "topLogprobs": 2, "logprobs": True},
        {"logit_bias": {"1": 5}, "top_logprobs": 2, "logprobs": True},
    ),
    "LibreChat's name counts where both are given": ({"topP": 0.7, "top_p": 0.6}, {"top_p": 0.7}),
    "what is empty": ({"temperature": "", "stop": ""}, {}),
    "zero and empty lists are values": (
        {"temperature": 0, "stop": [], "frequency_penalty": 0},
        {"temperature": 0, "stop": [], "frequency_penalty": 0},
    ),
    "what LibreChat keeps to itself": (
        {
            "resendFiles": True,
            "promptPrefix": "P",
            "maxContextTokens": 1000,
            "modelLabel": "L",
            "fileTokenLimit": 10,
            "imageDetail": "high",
            "maxOutputTokens": 300,
            "topK": 3,
            "thinking": True,
            "thinkingBudget": 1024,
            "effort": "high",
            "promptCache": True,
            "url_context": True,
            "streamUsage": False,
        },
        {},
    ),
    "an upstream's own thinking": (
        {"thinking": {"type": "enabled"}},
        {"thinking": {"type": "enabled"}},
    ),
    "verbosity": ({"verbosity": "low"}, {"verbosity": "low"}),
    "unknown fields": ({"seed": 7, "odd": {"a": None}}, {"seed": 7, "odd": {"a": None}}),
}


@pytest.mark.parametrize(("params", "fields"), NAMES.values(), ids=NAMES)
def test_a_client_may_use_either_name(params, fields):
    assert fields_of(params) == fields


ADDED = {
    "its name": ({"topP": 0.9}, {"top_p": 0.1}, {"top_p": 0.1}),
    "LibreChat's name": ({"top_p": 0.9}, {"topP": 0.1}, {"top_p": 0.1}),
    "both names": ({}, {"topP": 0.9, "top_p": 0.1}, {"top_p": 0.1}),
    "stopSequences": ({"stop": ["A"]}, {"stopSequences": ["Z"]}, {"stop": ["Z"]}),
    "a limit": ({"max_tokens": 100}, {"max_tokens": 2048}, {"max_tokens": 2048}),
    "a limit by LibreChat's name": ({"max_tokens": 1}, {"maxTokens": 20}, {"max_tokens": 20}),
    "a limit by another name": (
        {"max_completion_tokens": 100},
        {"max_tokens": 20},
        {"max_tokens": 20},
    ),
    "a limit under its own name": (
        {"max_tokens": 100},
        {"max_completion_tokens": 500},
        {"max_completion_tokens": 500},
    ),
    "values as they are": (
        {},
        {"a": [1, "2", True], "b": 3.5, "c": {"uid": "{{LIBRECHAT_USER_ID}} ${X}"}, "e": None},
        {"a": [1, "2", True], "b": 3.5, "c": {"uid": "{{LIBRECHAT_USER_ID}} ${X}"}, "e": None},
    ),
    "null clears a choice": ({"temperature": 0.1, "n": 2}, {"temperature": None, "n": None}, {}),
    "null by LibreChat's name clears": ({"top_p": 0.1}, {"topP": None}, {}),
    "null under a wire name is sent": ({"top_p": 1}, {"top_p": None}, {"top_p": None}),
    "null says nothing of a limit": ({"max_tokens": 9}, {"max_tokens": None}, {"max_tokens": 9}),
    "what LibreChat loses": (
        {},
        {"seed": 1, "response_format": {"type": "text"}, "tools": [], "prompt_cache_key": "k"},
        {"seed": 1, "response_format": {"type": "text"}, "tools": [], "prompt_cache_key": "k"},
    ),
    "settings of LibreChat's client": (
        {},
        {"apiKey": "x", "timeout": 5, "maxRetries": 0, "configuration": {"baseURL": "x"}},
        {},
    ),
    "a name of another set": ({}, {"topK": 3}, {"topK": 3}),
    "an upstream's own thinking": (
        {"thinking": {"type": "enabled"}},
        {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "disabled"}},
    ),
}


@pytest.mark.parametrize(("params", "added", "fields"), ADDED.values(), ids=ADDED)
def test_add_params_beat_the_client(params, added, fields):
    assert fields_of(params, addParams=added) == fields


def definitions(**defaults: object) -> dict[str, object]:
    return {"paramDefinitions": [{"key": k, "default": v} for k, v in defaults.items()]}


DEFAULTS = {
    "where nothing was chosen": ({}, {"temperature": 0.25}, {}, {"temperature": 0.25}),
    "not against the client": (
        {"temperature": 0.75},
        {"temperature": 0.25},
        {},
        {"temperature": 0.75},
    ),
    "not against the client's other name": ({"topP": 0.9}, {"top_p": 0.5}, {}, {"top_p": 0.9}),
    "an empty value is no choice": (
        {"temperature": ""},
        {"temperature": 0.25},
        {},
        {"temperature": 0.25},
    ),
    "a limit": ({}, {"max_tokens": 512}, {}, {"max_tokens": 512}),
    "a list": ({}, {"stop": ["A", "B"]}, {}, {"stop": ["A", "B"]}),
    "no second limit": (
        {"max_completion_tokens": 9},
        {"max_tokens": 512},
        {},
        {"max_completion_tokens": 9},
    ),
    "addParams beat them": ({}, {"temperature": 0.2}, {"temperature": 0.5}, {"temperature": 0.5}),
    "what LibreChat keeps to itself": ({}, {"resendFiles": True, "modelLabel": "L"}, {}, {}),
}


@pytest.mark.parametrize(("params", "defaults", "added", "fields"), DEFAULTS.values(), ids=DEFAULTS)
def test_defaults_fill_in(params, defaults, added, fields):
    custom = definitions(**defaults)
    assert fields_of(params, addParams=added, customParams=custom) == fields


def test_what_only_bedrock_knows_is_not_sent():
    custom = definitions(system="S", maxTokens=9) | {"defaultParamsEndpoint": "bedrock-anthropic"}
    assert fields_of(customParams=custom) == {"max_tokens": 9}


def test_a_definition_without_a_default_brings_the_known_one():
    assert fields_of(customParams={"paramDefinitions": [{"key": "temperature"}]}) == {
        "temperature": 1
    }


DROPPED = {
    "its name": ({"frequency_penalty": 1}, {}, ["frequency_penalty"], {}),
    "LibreChat's name": ({"frequency_penalty": 1}, {}, ["frequencyPenalty"], {}),
    "its name, given by LibreChat's": ({"topP": 1}, {}, ["top_p"], {}),
    "what was added": ({}, {"safe_prompt": True}, ["safe_prompt"], {}),
    "every limit": (
        {"max_tokens": 1},
        {"max_completion_tokens": 2},
        ["maxTokens"],
        {},
    ),
    "no path": ({}, {"a": {"b": 1}}, ["a.b"], {"a": {"b": 1}}),
    "reasoning": ({"reasoning_effort": "low"}, {}, ["reasoning_effort"], {}),
    "reasoning by its other name": ({"reasoning_effort": "low"}, {}, ["reasoning"], {}),
    "reasoning that was added": ({}, {"reasoning": {"effort": "low"}}, ["reasoning_effort"], {}),
}


@pytest.mark.parametrize(("params", "added", "dropped", "fields"), DROPPED.values(), ids=DROPPED)
def test_drop_params_come_last(params, added, dropped, fields):
    assert fields_of(params, addParams=added, dropParams=dropped) == fields


OPTIONS = {
    "streaming": ({}, {"streaming": False}),
    "disableStreaming": ({}, {"disableStreaming": True}),
    "disableStreaming by the client": ({"disableStreaming": True}, {}),
}


@pytest.mark.parametrize(("params", "added"), OPTIONS.values(), ids=OPTIONS)
def test_an_entry_may_have_no_streaming(params, added):
    body = body_of(params | {"stream_options": {}}, is_stream=True, addParams=added)
    assert body["stream"] is False
    assert "stream_options" not in body


names = st.sampled_from(
    [
        "temperature",
        "top_p",
        "topP",
        "frequency_penalty",
        "frequencyPenalty",
        "stop",
        "n",
        "seed",
        "odd",
        "logit_bias",
    ]
)
values = st.one_of(st.integers(), st.text(min_size=1), st.booleans(), st.lists(st.integers()))
WIRE = {"topP": "top_p", "frequencyPenalty": "frequency_penalty"}


@given(st.dictionaries(names, values), st.dictionaries(names, values))
def test_add_params_always_win(params, added):
    body = body_of(params, addParams=added)
    for name, value in added.items():
        wire = WIRE.get(name, name)
        if name == wire or wire not in added:
            assert body[wire] == value


@given(
    st.dictionaries(names, values),
    st.dictionaries(names, values),
    st.lists(names),
    st.dictionaries(st.sampled_from(["temperature", "top_p"]), st.floats(0, 1)),
)
def test_drop_params_are_always_last(params, added, dropped, defaults):
    body = body_of(
        params, addParams=added, dropParams=dropped, customParams=definitions(**defaults)
    )
    assert not {WIRE.get(name, name) for name in dropped} & body.keys()
    assert body.keys() >= {"model", "messages", "stream", "user"}


@given(st.dictionaries(names, values))
def test_what_the_operator_does_not_name_is_the_clients(params):
    body = body_of(params)
    for name, value in params.items():
        wire = WIRE.get(name, name)
        if value != "" and (
            name != wire or not {k for k, v in WIRE.items() if v == name} & params.keys()
        ):
            assert body[wire] == value
