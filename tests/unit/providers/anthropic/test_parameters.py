"""Parameters merged: the client's, the defaults, the operator's; what is dropped is gone."""

from typing import Any

import pytest

from tests.support.messages_shaping import ADAPTIVE, body_of, fields_of
from waystation.errors import InvalidBodyError

NAMES = {
    "LibreChat's names": (
        {"topP": 0.4, "topK": 3, "stopSequences": ["Z"]},
        {"top_p": 0.4, "top_k": 3, "stop_sequences": ["Z"]},
    ),
    "the API's own name counts where both are given": (
        {"topP": 0.7, "top_p": 0.6, "stop": "A", "stop_sequences": ["B"]},
        {"top_p": 0.6, "stop_sequences": ["B"]},
    ),
    "what is empty": ({"temperature": "", "stop": "", "topP": None}, {}),
    "zero and empty lists are values": (
        {"temperature": 0, "stop": []},
        {"temperature": 0, "stop_sequences": []},
    ),
    "what LibreChat keeps to itself": (
        {
            "resendFiles": True,
            "promptPrefix": "P",
            "maxContextTokens": 1000,
            "modelLabel": "L",
            "fileTokenLimit": 10,
            "imageDetail": "high",
            "useResponsesApi": True,
            "streamUsage": True,
            "reasoning_summary": "auto",
            "thinkingLevel": "low",
        },
        {},
    ),
    "fields of nobody's": ({"odd": {"a": None}}, {"odd": {"a": None}}),
}


@pytest.mark.parametrize(("params", "fields"), NAMES.values(), ids=NAMES)
def test_a_client_may_use_any_name(params, fields):
    assert fields_of(params) == fields


LIMITS = {
    "max_tokens": ({"max_tokens": 5}, {}, 5),
    "max_completion_tokens": ({"max_completion_tokens": 5}, {}, 5),
    "LibreChat's first": ({"max_tokens": 5, "maxOutputTokens": 6}, {}, 6),
    "the newer of OpenAI's": ({"max_tokens": 5, "max_completion_tokens": 6}, {}, 6),
    "zero is the model's own": ({"maxOutputTokens": 0}, {}, 64_000),
    "zero leaves another": ({"maxOutputTokens": 0, "max_tokens": 5}, {}, 5),
    "addParams": ({"max_tokens": 5}, {"addParams": {"max_tokens": 7}}, 7),
    "addParams, LibreChat's name": ({"max_tokens": 5}, {"addParams": {"maxTokens": 7}}, 7),
    "addParams, both": ({}, {"addParams": {"maxTokens": 7, "max_tokens": 8}}, 8),
    "addParams, null": ({"max_tokens": 5}, {"addParams": {"max_tokens": None}}, 5),
    "dropped": ({"max_tokens": 5}, {"dropParams": ["max_tokens"]}, 64_000),
    "dropped, LibreChat's name": (
        {"max_tokens": 5},
        {"addParams": {"max_tokens": 7}, "dropParams": ["maxOutputTokens"]},
        64_000,
    ),
}


@pytest.mark.parametrize(("params", "entry", "limit"), LIMITS.values(), ids=LIMITS)
def test_there_is_always_one_limit(params, entry, limit):
    body = body_of(params, **entry)
    assert body["max_tokens"] == limit
    assert not {"maxTokens", "maxOutputTokens", "max_completion_tokens"} & body.keys()


def definitions(**defaults: object) -> dict[str, Any]:
    named = [{"key": key, "default": default} for key, default in defaults.items()]
    return {"customParams": {"paramDefinitions": named}}


def test_defaults_are_for_what_was_not_chosen():
    entry = definitions(temperature=0.2, topP=0.3, maxOutputTokens=9)
    assert fields_of(**entry) == {"temperature": 0.2, "top_p": 0.3}
    assert body_of(**entry)["max_tokens"] == 9
    chosen = body_of({"temperature": 0.7, "top_p": 0.8, "max_tokens": 5}, **entry)
    assert (chosen["temperature"], chosen["top_p"], chosen["max_tokens"]) == (0.7, 0.8, 5)


def test_defaults_of_another_set():
    entry = definitions(stop=["A"], frequency_penalty=1)
    entry["customParams"]["defaultParamsEndpoint"] = "openAI"
    assert fields_of(**entry) == {"stop_sequences": ["A"]}


def test_a_default_limit_of_zero_is_the_models_own():
    entry = definitions(max_tokens=0)
    entry["customParams"]["defaultParamsEndpoint"] = "openAI"
    assert body_of(**entry)["max_tokens"] == 64_000


def test_defaults_that_steer():
    assert "thinking" in body_of(**definitions(thinking=True))
    assert "cache_control" in str(body_of(**definitions(promptCache=True)))


ADDED = {
    "beats the client": ({"temperature": 1}, {"temperature": 0.1}, {"temperature": 0.1}),
    "by LibreChat's names": (
        {"top_p": 0.9, "stop": ["A"]},
        {"topP": 0.1, "topK": 2, "stopSequences": ["B"]},
        {"top_p": 0.1, "top_k": 2, "stop_sequences": ["B"]},
    ),
    "the API's own name first": ({}, {"topP": 0.1, "top_p": 0.2}, {"top_p": 0.2}),
    "as it is": (
        {},
        {"service_tier": None, "anthropic_version": "x", "odd": {"a": [1]}, "seed": 3},
        {"service_tier": None, "anthropic_version": "x", "odd": {"a": [1]}, "seed": 3},
    ),
    "null clears what was chosen": (
        {"temperature": 0.5, "top_p": 0.5, "top_k": 4, "stop": "A"},
        {"temperature": None, "topP": None, "top_k": None, "stop": None},
        {},
    ),
    "null clears steering": ({"effort": "low"}, {"effort": None}, {}),
    "in the place of the client's tools": (
        {"tools": 5, "functions": 5, "tool_choice": 5, "function_call": 5},
        {"tools": [{"name": "f"}], "tool_choice": {"type": "any"}},
        {"tools": [{"name": "f"}], "tool_choice": {"type": "any"}},
    ),
    "settings of LibreChat's own": (
        {},
        {
            "apiKey": "other",
            "anthropicApiUrl": "https://elsewhere.test",
            "defaultHeaders": {"x": "1"},
            "timeout": 5,
            "maxRetries": 1,
            "resendFiles": True,
            "frequency_penalty": 1,
            "n": 3,
            "stream": True,
            "messages": [],
        },
        {},
    ),
    "thinking in the API's own form": (
        {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
}


@pytest.mark.parametrize(("params", "added", "fields"), ADDED.values(), ids=ADDED)
def test_addparams(params, added, fields):
    body = body_of(params, addParams=added)
    assert body["stream"] is False
    assert fields_of(params, addParams=added) == fields


def test_the_operator_may_name_the_user():
    assert body_of(addParams={"user": "svc"})["metadata"] == {"user_id": "svc"}
    assert body_of(addParams={"user": None})["metadata"] == {"user_id": "alice"}
    assert body_of(addParams={"metadata": {"user_id": "m"}})["metadata"] == {"user_id": "m"}


@pytest.mark.parametrize("name", ["metadata", "user", "user_id"])
def test_the_user_is_left_out_by_any_name(name):
    assert "metadata" not in body_of(dropParams=[name])
    assert "metadata" not in body_of(addParams={"metadata": {"a": "b"}}, dropParams=[name])


DROPPED = {
    "temperature": {"temperature": 0.5},
    "topP": {"top_p": 0.5},
    "top_p": {"topP": 0.5},
    "topK": {"top_k": 5},
    "stop": {"stop_sequences": ["A"]},
    "stop_sequences": {"stop": ["A"]},
    "stopSequences": {"stop": ["A"]},
    "odd": {"odd": 1},
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "thinkingBudget": {"thinkingBudget": 2000},
    "effort": {"output_config": {"effort": "low"}},
    "reasoning_effort": {"reasoning_effort": "low"},
    "response_format": {"response_format": {"type": "json_object"}},
}


@pytest.mark.parametrize(("name", "params"), DROPPED.items())
def test_dropparams_by_any_name_whoever_set_it(name, params):
    assert fields_of(params, model=ADAPTIVE, dropParams=[name]) == {}


@pytest.mark.parametrize("name", ["model", "messages", "stream", "clientOptions"])
def test_what_cannot_be_dropped(name):
    assert body_of(dropParams=[name]) == body_of()


@pytest.mark.parametrize("limit", [-1, 1.5, "5", True, [], {"a": 1}])
def test_wrong_limits_are_named(limit):
    with pytest.raises(InvalidBodyError, match="must be a positive whole number") as caught:
        body_of({"max_output_tokens": limit})
    assert caught.value.param == "max_output_tokens"


def test_an_operators_values_are_not_changed():
    added = {"output_config": {"format": {}}, "tools": [{"name": "f"}], "metadata": {}}
    before = str(added)
    body_of({"effort": "low", "web_search": True}, model=ADAPTIVE, ui=True, addParams=added)
    assert str(added) == before
