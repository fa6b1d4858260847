"""What OpenRouter is sent beyond chat completions."""

from typing import Any

import pytest

from tests.support.shaping import MESSAGES, body_of, fields_of

UI = {"uiDefaults": True}
OPENROUTER: dict[str, Any] = {"base_url": "https://openrouter.ai/api/v1"}
LOOKS: dict[str, dict[str, object]] = {
    "by URL": OPENROUTER,
    "by name": {"name": "My OpenRouter"},
    "by its set": {"customParams": {"defaultParamsEndpoint": "openrouter"}},
}


@pytest.mark.parametrize("entry", LOOKS.values(), ids=LOOKS)
def test_effort_is_an_object(entry):
    assert fields_of({"reasoning_effort": "low"}, **entry) == {"reasoning": {"effort": "low"}}


@pytest.mark.parametrize("chosen", ["anthropic", "google"])
def test_another_set_wins(chosen):
    custom = {"defaultParamsEndpoint": chosen}
    assert "reasoning" not in body_of(customParams=custom, waystation=UI, **OPENROUTER)


REASONING: dict[str, tuple[dict[str, object], dict[str, object], dict[str, object]]] = {
    "nothing unasked": ({}, {}, {}),
    "the interface reasons": ({}, {"waystation": UI}, {"reasoning": {"enabled": True}}),
    "a format is not read": (
        {"reasoning_effort": "low"},
        {"customParams": {"reasoningFormat": "reasoning_effort"}},
        {"reasoning": {"effort": "low"}},
    ),
    "but disabled is": (
        {"reasoning_effort": "low", "reasoning": {"enabled": True}},
        {"customParams": {"reasoningFormat": "disabled"}, "waystation": UI},
        {},
    ),
    "a client's object": (
        {"reasoning": {"max_tokens": 9}},
        {"waystation": UI},
        {"reasoning": {"max_tokens": 9}},
    ),
    "an adaptive Claude": (
        {"reasoning_effort": "xhigh"},
        {"model": "anthropic/claude-opus-4.6"},
        {"reasoning": {"enabled": True}, "verbosity": "max"},
    ),
    "an adaptive Claude told not to": (
        {"reasoning_effort": "none"},
        {"model": "anthropic/claude-opus-4.6"},
        {"reasoning": {"effort": "none"}},
    ),
    "another Claude": (
        {"reasoning_effort": "high"},
        {"model": "anthropic/claude-sonnet-4.5"},
        {"reasoning": {"effort": "high"}},
    ),
}


@pytest.mark.parametrize(("params", "kwargs", "fields"), REASONING.values(), ids=REASONING)
def test_reasoning(params, kwargs, fields):
    assert fields_of(params, **(OPENROUTER | kwargs)) == fields


SEARCHES: dict[str, tuple[dict[str, object], dict[str, object], dict[str, object]]] = {
    "a client's": ({"web_search": True}, {}, {"plugins": [{"id": "web"}]}),
    "the operator's": ({}, {"addParams": {"web_search": True}}, {"plugins": [{"id": "web"}]}),
    "beside others": (
        {"web_search": True, "plugins": [{"id": "file-parser"}]},
        {},
        {"plugins": [{"id": "file-parser"}, {"id": "web"}]},
    ),
    "dropped": ({"web_search": True}, {"dropParams": ["web_search"]}, {}),
    "with the Responses API asked for": (
        {"web_search": True, "useResponsesApi": True},
        {},
        {"plugins": [{"id": "web"}]},
    ),
}


@pytest.mark.parametrize(("params", "entry", "fields"), SEARCHES.values(), ids=SEARCHES)
def test_web_search_is_a_plugin(params, entry, fields):
    assert fields_of(params, **OPENROUTER, **entry) == fields


HOUR = {"type": "ephemeral", "ttl": "1h"}
SYSTEM: dict[str, object] = {"role": "system", "content": "S"}
USER: dict[str, object] = {"role": "user", "content": "U"}
ANSWER: dict[str, object] = {"role": "assistant", "content": "A"}


def marked(message: dict[str, object], mark: dict[str, str] = HOUR) -> dict[str, object]:
    part = {"type": "text", "text": message["content"], "cache_control": mark}
    return {**message, "content": [part]}


CACHED = {
    "one message": ([USER], [marked(USER)]),
    "instructions and a message": ([SYSTEM, USER], [marked(SYSTEM), USER]),
    "a conversation": (
        [SYSTEM, USER, ANSWER, USER],
        [marked(SYSTEM), USER, ANSWER, marked(USER)],
    ),
    "no instructions": ([USER, ANSWER, USER], [USER, ANSWER, marked(USER)]),
    "nothing to mark": (
        [{"role": "assistant", "content": None}],
        [{"role": "assistant", "content": None}],
    ),
    "blank text": ([{"role": "user", "content": " "}], [{"role": "user", "content": " "}]),
}


@pytest.mark.parametrize(("messages", "sent"), CACHED.values(), ids=CACHED)
def test_the_prompt_is_cached_where_it_is_asked_for(messages, sent):
    assert body_of({"promptCache": True}, messages=messages, **OPENROUTER)["messages"] == sent
    assert body_of(messages=messages, waystation=UI, **OPENROUTER)["messages"] == sent
    assert body_of(messages=messages, **OPENROUTER)["messages"] == messages


def test_the_last_text_of_parts_is_marked():
    picture = {"type": "image_url", "image_url": {"url": "https://i.test/a.png"}}
    text = {"type": "text", "text": "T"}
    messages: list[dict[str, object]] = [{"role": "user", "content": [text, text, picture]}]
    sent = body_of({"promptCache": True}, messages=messages, **OPENROUTER)["messages"]
    content = [text, text | {"cache_control": HOUR}, picture]
    assert sent == [{"role": "user", "content": content}]


def test_a_clients_own_mark_stays_unless_it_is_dropped():
    text = {"type": "text", "text": "T", "cache_control": {"type": "ephemeral"}}
    messages: list[dict[str, object]] = [{"role": "user", "content": [text]}]
    sent = body_of({"promptCache": True}, messages=messages, **OPENROUTER)["messages"]
    assert sent == messages
    sent = body_of(messages=messages, dropParams=["promptCache"], **OPENROUTER)["messages"]
    assert sent == [{"role": "user", "content": [{"type": "text", "text": "T"}]}]


OFF: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "by the client": ({"promptCache": False}, {}),
    "by dropParams": ({}, {"dropParams": ["promptCache"]}),
    "by addParams": ({"promptCache": True}, {"addParams": {"promptCache": False}}),
}


@pytest.mark.parametrize(("params", "entry"), OFF.values(), ids=OFF)
def test_caching_can_be_switched_off(params, entry):
    body = body_of(params, waystation=UI, **OPENROUTER, **entry)
    assert body["messages"] == MESSAGES
    assert "promptCache" not in body


def test_five_minutes_are_the_marks_default():
    params: dict[str, object] = {"promptCache": True, "promptCacheTtl": "5m"}
    body = body_of(params, messages=[USER], **OPENROUTER)
    assert body["messages"] == [marked(USER, {"type": "ephemeral"})]
    assert "promptCacheTtl" not in body
