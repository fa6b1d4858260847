"""The body of a Messages request, read as a chat."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.errors import InvalidBodyError, InvalidHeaderValueError
from waystation.wire.anthropic_request import MAX_BETAS, parse_messages_request
from waystation.wire.chat_request import ChatRequest

HELLO: list[dict[str, object]] = [{"role": "user", "content": "Hello"}]
MINIMAL: dict[str, object] = {"model": "m", "max_tokens": 9, "messages": HELLO}


def parse(**fields: object) -> ChatRequest:
    return parse_messages_request(MINIMAL | fields, {})


def params(**fields: object) -> dict[str, Any]:
    """Return the fields beyond the conversation, by a chat's names."""
    return {name: value for name, value in parse(**fields).params.items() if name != "max_tokens"}


def test_minimal_body_is_a_chat():
    assert parse() == ChatRequest(
        model="m",
        messages=HELLO,
        stream=False,
        params={"max_tokens": 9},
        wants_usage=True,
        native={"max_tokens": 9, "messages": HELLO},
    )


def test_body_is_split_into_routing_ids_and_the_rest():
    request = parse(
        endpoint="Acme",
        stream=True,
        conversationId="c",
        parentMessageId="p",
        messageId="i",
        temperature=0.5,
        api_key="x",
        system=None,
    )
    assert (request.endpoint, request.stream) == ("Acme", True)
    assert request.conversation == {"conversationId": "c", "parentMessageId": "p", "messageId": "i"}
    assert request.params == {"max_tokens": 9, "temperature": 0.5}
    assert request.native == {"max_tokens": 9, "messages": HELLO, "temperature": 0.5}


PARAMS = {
    "sampling": ({"temperature": 1, "top_p": 0.5, "top_k": 5}, None),
    "unknown fields": ({"container": {"a": [None]}, "speed": "fast"}, None),
    "thinking": ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, None),
    "stop sequences": ({"stop_sequences": ["a"]}, {"stop": ["a"]}),
    "both kinds of stop": ({"stop_sequences": ["a"], "stop": "b"}, {"stop": ["a"]}),
    "standard service": ({"service_tier": "standard_only"}, {"service_tier": "default"}),
    "any service": ({"service_tier": "auto"}, None),
    "strange service": ({"service_tier": ["a"]}, None),
    "the user's id": ({"metadata": {"user_id": "mallory"}}, {}),
    "other metadata": ({"metadata": {"user_id": "u", "a": "b"}}, {"metadata": {"a": "b"}}),
    "effort": ({"output_config": {"effort": "low"}}, {"reasoning_effort": "low"}),
    "effort twice": (
        {"output_config": {"effort": "low"}, "reasoning_effort": "high"},
        None,
    ),
    "strange effort": ({"output_config": {"effort": 1}}, None),
    "format": (
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}},
            }
        },
    ),
    "another format": ({"output_config": {"format": {"type": "xml"}, "x": 1}}, None),
    "no output": ({"output_config": {}}, {}),
    "no tool": ({"tools": []}, None),
}


@pytest.mark.parametrize(("fields", "expected"), PARAMS.values(), ids=PARAMS)
def test_fields_get_a_chats_names(fields, expected):
    assert params(**fields) == (fields if expected is None else expected)


def test_native_body_keeps_everything():
    fields = {
        "system": [{"type": "text", "text": "a", "citations": None}],
        "metadata": {"user_id": "mallory"},
        "output_config": {"effort": "low"},
        "tools": [{"name": "f", "input_schema": {}}],
    }
    assert parse(**fields).native == {"max_tokens": 9, "messages": HELLO, **fields}


def test_instructions_come_first():
    assert parse(system="Be brief.").messages == [
        {"role": "system", "content": "Be brief."},
        *HELLO,
    ]


def test_limit_may_be_zero():
    assert parse(max_tokens=0).params == {"max_tokens": 0}


def test_request_for_no_answer_needs_no_limit():
    body = {"model": "m", "messages": HELLO}
    assert parse_messages_request(body, {}, is_answered=False).params == {}


REFUSED = {
    "list": ([], None),
    "no model": ({"messages": HELLO, "max_tokens": 1}, "model"),
    "long model": ({**MINIMAL, "model": "m" * 257}, "model"),
    "no limit": ({"model": "m", "messages": HELLO}, "max_tokens"),
    "null limit": ({**MINIMAL, "max_tokens": None}, "max_tokens"),
    "negative limit": ({**MINIMAL, "max_tokens": -1}, "max_tokens"),
    "limit text": ({**MINIMAL, "max_tokens": "9"}, "max_tokens"),
    "limit true": ({**MINIMAL, "max_tokens": True}, "max_tokens"),
    "another limit": ({**MINIMAL, "maxOutputTokens": 0}, "maxOutputTokens"),
    "several choices": ({**MINIMAL, "n": 2}, "n"),
    "stream text": ({**MINIMAL, "stream": "true"}, "stream"),
    "no messages": ({"model": "m", "max_tokens": 1}, "messages"),
    "empty messages": ({**MINIMAL, "messages": []}, "messages"),
    "message text": ({**MINIMAL, "messages": ["x"]}, "messages[0]"),
    "no role": ({**MINIMAL, "messages": [{"content": "x"}]}, "messages[0].role"),
    "system number": ({**MINIMAL, "system": 1}, "system"),
    "tools object": ({**MINIMAL, "tools": {}}, "tools"),
    "metadata text": ({**MINIMAL, "metadata": "x"}, "metadata"),
    "output text": ({**MINIMAL, "output_config": "x"}, "output_config"),
    "format text": ({**MINIMAL, "output_config": {"format": "x"}}, "output_config.format"),
    "format without type": (
        {**MINIMAL, "output_config": {"format": {}}},
        "output_config.format.type",
    ),
    "endpoint number": ({**MINIMAL, "endpoint": 1}, "endpoint"),
}


@pytest.mark.parametrize(("body", "param"), REFUSED.values(), ids=REFUSED)
def test_malformed_body_is_refused_naming_the_field(body, param):
    with pytest.raises(InvalidBodyError) as caught:
        parse_messages_request(body, {})
    assert caught.value.param == param


def native_headers(**headers: str) -> object:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse_messages_request(MINIMAL, {"x-api-key": "k", **named}).native_headers


def test_version_and_betas_of_the_client_are_kept():
    kept = native_headers(anthropic_beta=" a-1,b.2 ,,a-1", anthropic_version="2023-06-01")
    assert kept == {"anthropic-beta": "a-1,b.2", "anthropic-version": "2023-06-01"}
    assert native_headers(anthropic_beta=" ,", anthropic_version=" ") == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("anthropic_beta", "a b"),
        ("anthropic_beta", "a\r\nx: y"),
        ("anthropic_beta", "b" * 101),
        ("anthropic_beta", ",".join(map(str, range(MAX_BETAS + 1)))),
        ("anthropic_version", "2023 06"),
        ("anthropic_version", "é"),
    ],
)
def test_version_and_betas_are_names(name, value):
    with pytest.raises(InvalidHeaderValueError) as caught:
        native_headers(**{name: value})
    assert caught.value.param == name.replace("_", "-")


# What the parser looks for.
WORDS = [
    "type",
    "text",
    "name",
    "id",
    "input",
    "source",
    "content",
    "role",
    "user",
    "assistant",
    "system",
    "tool_use",
    "tool_result",
    "url",
    "base64",
    "media_type",
    "data",
    "image",
    "document",
    "thinking",
    "signature",
    "tool_use_id",
    "is_error",
    "input_schema",
    "web_search_20250305",
    "custom",
    "server_tool_use",
    "file",
    "file_id",
    "title",
    "context",
    "json_schema",
    "format",
    "effort",
    "schema",
    "tool",
    "any",
    "auto",
    "none",
    "disable_parallel_tool_use",
    "cache_control",
]
texts = st.sampled_from(WORDS) | st.text(max_size=3)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=12,
)
blocks = st.fixed_dictionaries(
    {"type": texts}, optional=dict.fromkeys(set(WORDS) - {"type"}, json_values)
)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool"]) | json_values},
    optional={"content": st.lists(blocks | json_values, max_size=4) | json_values},
)
bodies = st.fixed_dictionaries(
    {"model": st.just("m"), "max_tokens": st.just(1), "messages": st.lists(messages, max_size=3)},
    optional={
        "system": json_values | st.lists(blocks, max_size=2),
        "tools": st.lists(blocks | json_values, max_size=3) | json_values,
        **dict.fromkeys(("tool_choice", "output_config", "metadata"), blocks | json_values),
        **dict.fromkeys(("stop_sequences", "service_tier", "thinking", "n"), json_values),
    },
)


@given(bodies | json_values)
def test_whatever_comes_is_read_or_refused(body):
    try:
        request = parse_messages_request(body, {})
    except InvalidBodyError:
        return
    assert all(isinstance(message["role"], str) for message in request.messages)
