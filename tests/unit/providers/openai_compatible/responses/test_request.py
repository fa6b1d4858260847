"""The body of a request to the Responses API."""

import json

import pytest

from tests.support.mutations import mutations
from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible.responses import build_responses_body

HI: list[dict[str, object]] = [{"role": "user", "content": "Hi"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def build(**params: object) -> dict[str, object]:
    """Return the body without what every one of these has: the model and the input."""
    body = build_responses_body(list(HI), {"model": "m", **params})
    assert body.pop("model") == "m"
    assert body.pop("input") == [{"type": "message", "role": "user", "content": "Hi"}]
    return body


def refused_field(**params: object) -> str | None:
    with pytest.raises(InvalidBodyError) as caught:
        build(**params)
    return caught.value.param


def test_a_plain_chat():
    assert build_responses_body(list(HI), {"model": "m", "stream": True, "user": "alice"}) == {
        "model": "m",
        "stream": True,
        "user": "alice",
        "text": {},
        "input": [{"type": "message", "role": "user", "content": "Hi"}],
    }


SAME: dict[str, object] = {
    "temperature": 0.5,
    "top_p": 0.9,
    "metadata": {"a": "b"},
    "store": False,
    "service_tier": "flex",
    "safety_identifier": "s",
    "prompt_cache_key": "k",
    "prompt_cache_retention": "24h",
    "parallel_tool_calls": False,
    "top_logprobs": 3,
    "truncation": "auto",
    "previous_response_id": "resp_0",
}
UNKNOWN: dict[str, object] = {
    "seed": 1,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "logit_bias": {"1": 2},
    "safe_prompt": True,
    "future": {"x": [1]},
}


def test_fields_of_the_same_name_and_unknown_ones_pass():
    assert build(**SAME, **UNKNOWN) == {**SAME, **UNKNOWN, "text": {}}


def test_null_is_absent():
    assert build(temperature=None, stop=None, tools=None, n=None, reasoning=None) == {"text": {}}


LIMITS = {
    "older": ({"max_tokens": 5}, 5),
    "newer": ({"max_completion_tokens": 6}, 6),
    "newer wins": ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
    "own wins": ({"max_completion_tokens": 6, "max_output_tokens": 7}, 7),
}


@pytest.mark.parametrize(("params", "limit"), LIMITS.values(), ids=LIMITS)
def test_limits_become_one(params, limit):
    assert build(**params) == {"max_output_tokens": limit, "text": {}}


FORMATS = {
    "text": ({"type": "text"}, {"type": "text"}),
    "json object": ({"type": "json_object"}, {"type": "json_object"}),
    "future": ({"type": "xml", "xml": {}}, {"type": "xml", "xml": {}}),
    "schema": (
        {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": SCHEMA, "strict": True, "description": "d"},
        },
        {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True, "description": "d"},
    ),
    "schema with nulls": (
        {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": None}},
        {"type": "json_schema", "name": "n", "schema": SCHEMA},
    ),
}


@pytest.mark.parametrize(("chat", "expected"), FORMATS.values(), ids=FORMATS)
def test_the_response_format_goes_into_text(chat, expected):
    assert build(response_format=chat) == {"text": {"format": expected}}


def test_verbosity_goes_into_text():
    assert build(verbosity="low") == {"text": {"verbosity": "low"}}


def test_text_of_the_entry_is_kept_and_wins():
    text = {"format": {"type": "text"}, "verbosity": "high"}
    assert build(text={"format": {"type": "text"}}, verbosity="low")["text"] == {
        "format": {"type": "text"},
        "verbosity": "low",
    }
    assert build(text=text, verbosity="low", response_format={"type": "json_object"}) == {
        "text": text
    }


def test_effort_goes_into_reasoning():
    assert build(reasoning_effort="high")["reasoning"] == {"effort": "high"}
    assert build(reasoning_effort="high", reasoning={"summary": "auto"})["reasoning"] == {
        "effort": "high",
        "summary": "auto",
    }
    assert build(reasoning_effort="high", reasoning={"effort": "low"})["reasoning"] == {
        "effort": "low"
    }


def test_usage_is_not_asked_for():
    assert build(stream_options={"include_usage": True}) == {"text": {}}
    assert build(stream_options={"include_usage": True, "include_obfuscation": False}) == {
        "stream_options": {"include_obfuscation": False},
        "text": {},
    }


def test_logprobs_are_included():
    logprobs = "message.output_text.logprobs"
    assert build(logprobs=True)["include"] == [logprobs]
    assert build(logprobs=True, include=["a"])["include"] == ["a", logprobs]
    assert build(logprobs=True, include=[logprobs])["include"] == [logprobs]
    assert build(logprobs=False, include=["a"])["include"] == ["a"]


@pytest.mark.parametrize(
    "params",
    [
        {"n": 1},
        {"stop": []},
        {"stop": ""},
        {"modalities": ["text"]},
        {"logprobs": False},
        {"tools": []},
    ],
    ids=str,
)
def test_what_asks_for_nothing_is_left_out(params):
    assert build(**params) == {"text": {}}


@pytest.mark.parametrize(
    "params",
    [
        {"n": 2},
        {"n": True},
        {"stop": "x"},
        {"stop": ["x"]},
        {"stop": {}},
        {"audio": {"voice": "a"}},
        {"modalities": ["text", "audio"]},
        {"modalities": "text"},
        {"prediction": {"type": "content", "content": "x"}},
        {"input": "x"},
    ],
    ids=str,
)
def test_what_the_api_cannot_do_is_refused(params):
    assert refused_field(**params) == next(iter(params))


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"text": "x"}, "text"),
        ({"reasoning": []}, "reasoning"),
        ({"stream_options": True}, "stream_options"),
        ({"include": "x"}, "include"),
        ({"logprobs": 1}, "logprobs"),
        ({"response_format": "json"}, "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": "x"}},
            "response_format.json_schema",
        ),
    ],
    ids=str,
)
def test_a_wrong_shape_is_named(params, field):
    assert refused_field(**params) == field


def test_what_is_given_stays_as_it_was():
    params = {
        "model": "m",
        "stream_options": {"include_usage": True},
        "tools": [{"type": "function", "function": {"name": "f", "strict": None}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n"}},
    }
    part = {"type": "image_url", "image_url": {"url": "u"}}
    item = {"type": "reasoning", "id": "rs_1", "index": 0, "summary": []}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}, "index": 0}
    messages: list[dict[str, object]] = [
        {"role": "user", "content": [part]},
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_items": [item]},
    ]
    before = json.dumps([messages, params])
    build_responses_body(messages, params)
    assert json.dumps([messages, params]) == before


RICH: dict[str, object] = {
    "model": "m",
    "stream": True,
    "store": False,
    "max_tokens": 5,
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "reasoning_effort": "low",
    "reasoning": {"summary": "auto"},
    "text": {"verbosity": "low"},
    "stream_options": {"include_usage": True},
    "include": ["reasoning.encrypted_content"],
    "logprobs": True,
    "n": 1,
    "stop": [],
    "modalities": ["text"],
    "tools": [
        {"type": "function", "function": {"name": "f", "parameters": SCHEMA}},
        {"type": "custom", "custom": {"name": "c", "format": {"type": "grammar", "grammar": {}}}},
        {"type": "mcp", "server_label": "x", "require_approval": "never"},
    ],
    "functions": [{"name": "g"}],
    "web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": "x"}}},
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {}}]},
    },
}
TURNS: list[dict[str, object]] = [
    {"role": "system", "content": "s"},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "t"},
            {"type": "image_url", "image_url": {"url": "u", "detail": "low"}},
            {"type": "file", "file": {"file_id": "f"}},
        ],
    },
    {
        "role": "assistant",
        "content": [{"type": "text", "text": "t"}, {"type": "refusal", "refusal": "r"}],
        "refusal": "r",
        "reasoning_items": [{"type": "reasoning", "encrypted_content": "e"}],
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
            {"id": "b", "type": "custom", "custom": {"name": "c", "input": ""}},
        ],
        "function_call": {"name": "f", "arguments": ""},
    },
    {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "t"}]},
    {"role": "tool", "tool_call_id": "b", "content": "t"},
    {"role": "function", "name": "f", "content": "t"},
]


def outcome(messages: list[dict[str, object]], params: dict[str, object]) -> tuple[object, object]:
    """Return the body, or the field that was refused."""
    try:
        return build_responses_body(messages, params), None
    except InvalidBodyError as error:
        return None, error.param


def test_what_is_wrong_in_one_place_is_sent_or_refused_by_name():
    assert outcome(TURNS, RICH)[0]
    wrong = [(TURNS, params) for params in mutations(RICH)]
    wrong += [
        (turns, RICH) for turns in mutations(TURNS) if all(isinstance(t, dict) for t in turns)
    ]
    for messages, params in wrong:
        body, field = outcome(messages, params)
        assert body or field, (messages, params)
