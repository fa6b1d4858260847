"""What the operator decides does not come back from a client by another way."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.shaping import body_of, fields_of, shape
from waystation.errors import InvalidBodyError

EFFORT = {"reasoning": {"effort": "high"}}
OBJECT = {"reasoningFormat": "reasoning_object"}
ANTHROPIC = {"defaultParamsEndpoint": "anthropic"}
RESPONSES = {"useResponsesApi": True}
TOOL = {"type": "function", "function": {"name": "f"}}


def test_a_client_cannot_name_another_model():
    shaped = shape({"modelName": "expensive"})
    assert shaped.model == "acme-large"
    assert fields_of({"modelName": "expensive"}) == {}
    assert shape(addParams={"modelName": "other"}).model == "other"


ADDED = {
    "an effort against an object": (
        EFFORT,
        {"addParams": {"reasoning_effort": "low"}, "customParams": OBJECT},
        {"reasoning": {"effort": "low"}},
    ),
    "an effort against an object, as a field": (
        {"reasoning": {"effort": "high", "max_tokens": 9}},
        {"addParams": {"reasoning_effort": "low"}},
        {"reasoning": {"max_tokens": 9}, "reasoning_effort": "low"},
    ),
    "an effort for OpenRouter": (
        EFFORT,
        {"name": "openrouter", "addParams": {"reasoning_effort": "low"}},
        {"reasoning": {"effort": "low"}},
    ),
    "an effort for OpenRouter's Claude": (
        {"verbosity": "max"},
        {
            "name": "openrouter",
            "model": "anthropic/claude-opus-4.7",
            "addParams": {"reasoning_effort": "low"},
        },
        {"reasoning": {"enabled": True}, "verbosity": "low"},
    ),
    "no effort": (EFFORT, {"addParams": {"reasoning_effort": None}, "customParams": OBJECT}, {}),
    "no object": (
        {"reasoning": "high"},
        {"addParams": {"reasoning_effort": "low"}, "customParams": OBJECT},
        {"reasoning": {"effort": "low"}},
    ),
    "no web search": (
        {"web_search_options": {}, "tools": [TOOL, {"type": "web_search_preview"}]},
        {"addParams": {"web_search": False}},
        {"tools": [TOOL]},
    ),
    "an effort by Anthropic's name": (
        {"output_config": {"effort": "max", "format": {}}},
        {"addParams": {"reasoning_effort": "low", "response_format": {"type": "text"}}},
        {"reasoning_effort": "low", "response_format": {"type": "text"}},
    ),
    "other tools": ({"functions": []}, {"addParams": {"tools": [TOOL]}}, {"tools": [TOOL]}),
}


@pytest.mark.parametrize(("params", "kwargs", "fields"), ADDED.values(), ids=ADDED)
def test_add_params_beat_what_says_the_same(params, kwargs, fields):
    assert fields_of(params, **kwargs) == fields


def responses(params: Mapping[str, object], **entry: Any) -> dict[str, object]:
    added = entry.pop("addParams", {})
    body = body_of(params, addParams=added | RESPONSES, **entry)
    del body["input"]
    return {name: v for name, v in body.items() if name not in {"model", "user", "stream"}}


def test_add_params_beat_what_says_the_same_on_responses():
    assert responses(EFFORT, addParams={"reasoning_effort": "low"}) == {
        "reasoning": {"effort": "low"},
        "text": {},
    }
    text = {"verbosity": "high", "format": {"type": "text"}}
    added: dict[str, object] = {
        "verbosity": "low",
        "response_format": {"type": "json_object"},
    }
    assert responses({"text": text}, addParams=added) == {
        "text": {"verbosity": "low", "format": {"type": "json_object"}}
    }
    assert responses({"max_output_tokens": 9}, addParams={"max_tokens": 5}) == {
        "max_output_tokens": 5,
        "text": {},
    }


THINKING = {
    "off": ({"thinking": False}, "claude-sonnet-4-5", {}),
    "a budget": (
        {"thinkingBudget": 1024},
        "claude-sonnet-4-5",
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
    "an object": ({"thinking": {"type": "disabled"}}, "m", {"thinking": {"type": "disabled"}}),
    "an effort": ({"effort": "low"}, "claude-opus-4-6", {"output_config": {"effort": "low"}}),
}


@pytest.mark.parametrize(("added", "model", "fields"), THINKING.values(), ids=THINKING)
def test_add_params_beat_a_clients_thinking(added, model, fields):
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 50_000}}
    params = {"output_config": {"effort": "max"}} if "effort" in added else thinking
    sent = fields_of(params, model=model, addParams=added, customParams=ANTHROPIC)
    del sent["metadata"]
    assert sent == fields


DROPPED = {
    "by a name of another set": ({"top_k": 5}, ["topK"], {}, {}),
    "a member of an object": (
        {"reasoning": {"effort": "low", "summary": "auto"}},
        ["reasoning_summary"],
        {"customParams": OBJECT},
        {"reasoning": {"effort": "low"}},
    ),
    "an effort": (
        {"output_config": {"effort": "max"}},
        ["effort", "metadata"],
        {"customParams": ANTHROPIC},
        {},
    ),
    "web search": (
        {"web_search_options": {}, "tools": [{"type": "web_search"}]},
        ["web_search"],
        {},
        {},
    ),
    "a plugin that searches": (
        {"plugins": [{"id": "web"}, {"id": "file-parser"}]},
        ["web_search"],
        {"name": "openrouter"},
        {"plugins": [{"id": "file-parser"}]},
    ),
    "tools, the older way": (
        {"functions": [], "function_call": "auto"},
        ["tools", "tool_choice"],
        {},
        {},
    ),
}


@pytest.mark.parametrize(("params", "dropped", "entry", "fields"), DROPPED.values(), ids=DROPPED)
def test_what_is_dropped_does_not_come_another_way(params, dropped, entry, fields):
    assert fields_of(params, dropParams=dropped, **entry) == fields


def test_what_is_dropped_does_not_come_another_way_on_responses():
    text = {"verbosity": "high", "format": {"type": "text"}}
    dropped = ["verbosity", "response_format", "maxTokens"]
    assert responses({"text": text, "max_tokens": 9}, dropParams=dropped) == {"text": {}}


def test_a_clients_own_search_tool_is_not_doubled():
    tool = {"type": "web_search", "search_context_size": "low"}
    sent = responses({"tools": [tool], "web_search": True})
    assert sent == {"tools": [tool], "text": {}}


def test_tools_that_are_no_list_are_refused():
    for params in ({"web_search": True, "tools": {"a": 1}}, {"web_search": True, "plugins": 1}):
        with pytest.raises(InvalidBodyError):
            shape(params, name="openrouter" if "plugins" in params else "Acme")


def test_what_no_client_asked_for_never_fails_a_responses_call():
    keys = ({"key": "web_search", "default": True}, {"key": "frequency_penalty"}, {"key": "stop"})
    sent = body_of(addParams={"stop": ["x"], "n": 2}, customParams={"paramDefinitions": [*keys]})
    assert sent.keys() == {"model", "user", "stream", "input", "text", "tools"}
    with pytest.raises(InvalidBodyError, match="stop"):
        shape({"stop": ["x"]}, addParams=RESPONSES)


@pytest.mark.parametrize("model", ["o1", "gpt-5"])
def test_a_reasoning_model_gets_what_the_operator_writes_out(model):
    added = {"top_p": 0.5, "logit_bias": {"1": 1}, "presencePenalty": 1, "temperature": 1, "n": 2}
    assert fields_of(model=model, addParams=added) == {"top_p": 0.5, "logit_bias": {"1": 1}}


def test_the_operator_names_the_user_of_the_anthropic_set():
    added = {"metadata": {"user_id": "team"}, "user": "team"}
    sent = body_of(addParams=added, customParams=ANTHROPIC)
    assert (sent["metadata"], sent["user"]) == ({"user_id": "team"}, "team")


def test_the_entry_searches_whether_or_not_a_client_asks():
    google = {
        "defaultParamsEndpoint": "google",
        "paramDefinitions": [{"key": "web_search", "default": True}],
    }
    searching: dict[str, object] = {"tools": [{"googleSearch": {}}]}
    assert fields_of({"web_search": True}, customParams=google) == searching
    assert fields_of({"web_search": False}, customParams=google) == {}


def test_a_version_that_is_no_version_is_only_a_name():
    assert fields_of(model="claude-opus-" + "9" * 5000, customParams=ANTHROPIC).keys() == {
        "metadata"
    }
