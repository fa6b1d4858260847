"""What the parameters of an entry do to the request for a title."""

from typing import Any

import pytest

from tests.support.title_requests import NATIVE, PLAIN, sent, sent_to_claude

SPELLINGS = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxTokens",
    "maxCompletionTokens",
    "maxOutputTokens",
]


THINKING: dict[str, dict[str, object]] = {
    "by the interface": {"waystation": {"uiDefaults": True}},
    "by a switch": {"addParams": {"thinking": True, "thinkingBudget": 2000}},
    "by an object": {"addParams": {"thinking": {"type": "enabled", "budget_tokens": 2000}}},
    "by a hint": {"addParams": {"reasoning_effort": "high"}},
    "by a budget": {"addParams": {"thinkingBudget": 2000}},
    "by definitions": {
        "customParams": {
            "paramDefinitions": [
                {"key": "thinking", "default": True},
                {"key": "thinkingBudget", "default": 2000},
            ]
        }
    },
}


@pytest.mark.parametrize("entry", THINKING.values(), ids=THINKING)
def test_no_model_thinks_about_a_title(entry: dict[str, object]):
    assert sent_to_claude(**entry) == NATIVE


@pytest.mark.parametrize("params_endpoint", ["anthropic", "google"])
@pytest.mark.parametrize(
    "added",
    [
        {"thinking": True, "thinkingBudget": 2000, "thinkingLevel": "high"},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}, "thinkingDisplay": "summarized"},
    ],
    ids=["by switches", "by an object"],
)
def test_no_model_of_a_set_thinks_about_a_title(added: dict[str, object], params_endpoint: str):
    custom = {"defaultParamsEndpoint": params_endpoint}
    extras: list[dict[str, Any]] = [{}, {"waystation": {"uiDefaults": True}}]
    for extra in extras:
        body = sent(addParams=added, customParams=custom, **extra)[1]
        assert body == sent(customParams=custom)[1]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_limit_of_the_entry_cuts_a_title(spelling: str):
    assert sent(addParams={spelling: 5})[1] == PLAIN
    assert sent_to_claude(addParams={spelling: 5}) == NATIVE


def test_no_limit_of_a_definition_cuts_a_title():
    definitions = [{"key": "max_tokens", "default": 5}]
    assert sent(customParams={"paramDefinitions": definitions})[1] == PLAIN
    definitions = [{"key": "maxOutputTokens", "default": 5}]
    assert sent_to_claude(customParams={"paramDefinitions": definitions}) == NATIVE


SKIPPED: dict[str, object] = {
    "stream": True,
    "streaming": True,
    "stream_options": {"include_usage": True},
    "tools": [{"type": "web_search"}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "functions": [{"name": "f"}],
    "function_call": "auto",
    "n": 3,
    "promptCache": True,
    "promptCacheTtl": "1h",
    "web_search_options": {},
}


@pytest.mark.parametrize(("name", "value"), SKIPPED.items(), ids=SKIPPED)
def test_what_shapes_a_chats_answer_is_left_out(name: str, value: object):
    assert sent(addParams={name: value})[1] == PLAIN
    assert sent_to_claude(addParams={name: value}) == NATIVE


def test_other_params_of_the_entry_are_kept():
    added = {"temperature": 0.2, "top_p": 0.5, "safe_prompt": True, "user": "team-1"}
    assert sent(addParams=added)[1] == {**PLAIN, **added}


def test_defaults_of_definitions_are_kept():
    definitions = [{"key": "temperature", "default": 0.3}]
    custom = {"paramDefinitions": definitions}
    assert sent(customParams=custom)[1] == {**PLAIN, "temperature": 0.3}
    assert sent_to_claude(customParams=custom) == {**NATIVE, "temperature": 0.3}


def test_reasoning_of_the_entry_is_kept_where_it_is_not_anthropics():
    body = sent(addParams={"reasoning_effort": "low"})[1]
    assert body == {**PLAIN, "reasoning_effort": "low"}


def test_drop_params_are_heeded():
    body = sent(addParams={"temperature": 0.2}, dropParams=["temperature", "user"])[1]
    assert body == {name: value for name, value in PLAIN.items() if name != "user"}


def test_direct_endpoint_is_kept():
    assert sent(directEndpoint=True) == ("/v1", PLAIN)


def test_web_search_leaves_its_api_without_the_tool():
    path, body = sent(addParams={"web_search": True})
    assert path == "/v1/responses"
    assert "tools" not in body
    assert body["input"] == [{"type": "message", "role": "system", "content": "P"}]


def test_schema_is_asked_for_in_the_words_of_the_responses_api():
    path, body = sent(addParams={"web_search": True}, method="structured")
    assert path == "/v1/responses"
    _, chat = sent(method="structured")
    assert body["text"] == {
        "format": {"type": "json_schema", **chat["response_format"]["json_schema"]}
    }
    path, body = sent(addParams={"web_search": True}, method="structured", is_plainer=True)
    assert path == "/v1/responses"
    assert body["tool_choice"] == {"type": "function", "name": "extract"}


NO_SEARCH: dict[str, dict[str, Any]] = {
    "off": {"addParams": {"web_search": False}},
    "dropped": {"addParams": {"web_search": True}, "dropParams": ["web_search"]},
    "of Google's set": {
        "addParams": {"web_search": True},
        "customParams": {"defaultParamsEndpoint": "google"},
    },
    "of OpenRouter": {"addParams": {"web_search": True}, "name": "openrouter"},
}


@pytest.mark.parametrize("entry", NO_SEARCH.values(), ids=NO_SEARCH)
def test_other_searches_do_not_change_the_api(entry: dict[str, Any]):
    path, body = sent(**entry)
    assert path == "/v1/chat/completions"
    assert not body.keys() & {"tools", "plugins", "web_search"}


def test_native_search_is_left_out():
    assert sent_to_claude(addParams={"web_search": True}) == NATIVE
