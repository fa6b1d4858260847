"""The body of a chat completion, split into its parts."""

import pytest

from waystation.errors import InvalidBodyError
from waystation.wire.anthropic_request import parse_messages_request
from waystation.wire.chat_request import ChatRequest, parse_chat_request

HELLO: list[dict[str, object]] = [{"role": "user", "content": "Hello"}]
MINIMAL: dict[str, object] = {"model": "m", "messages": HELLO}


def test_minimal_body_is_a_plain_chat():
    assert parse_chat_request(MINIMAL) == ChatRequest(model="m", messages=HELLO, stream=False)


def test_body_is_split_into_routing_ids_and_the_rest():
    body = {
        **MINIMAL,
        "endpoint": "Acme",
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
        "conversationId": "c",
        "parentMessageId": "p",
        "messageId": "i",
        "temperature": 0.5,
        "provider": {"order": ["a"]},
        "unheard_of": [1, {"a": None}],
    }
    assert parse_chat_request(body) == ChatRequest(
        model="m",
        messages=HELLO,
        stream=True,
        endpoint="Acme",
        params={
            "stream_options": {"include_usage": True, "include_obfuscation": False},
            "temperature": 0.5,
            "provider": {"order": ["a"]},
            "unheard_of": [1, {"a": None}],
        },
        conversation={"conversationId": "c", "parentMessageId": "p", "messageId": "i"},
        wants_usage=True,
    )


@pytest.mark.parametrize(
    "name",
    ["endpoint", "stream", "stream_options", "conversationId", "max_tokens", "n", "tools"],
)
def test_null_is_absent(name):
    assert parse_chat_request({**MINIMAL, name: None}) == parse_chat_request(MINIMAL)


@pytest.mark.parametrize(
    "name",
    [
        "base_url",
        "baseURL",
        "api_base",
        "api_key",
        "apiKey",
        "api_version",
        "extra_headers",
        "extra_body",
        "extra_query",
        "default_headers",
        "headers",
        "organization",
        "custom_llm_provider",
    ],
)
def test_field_that_would_steer_the_request_is_dropped(name):
    assert parse_chat_request({**MINIMAL, name: "x"}) == parse_chat_request(MINIMAL)


REFUSED = {
    "list": ([], None, "The body must be a JSON object."),
    "text": ("x", None, "The body must be a JSON object."),
    "null": (None, None, "The body must be a JSON object."),
    "no model": ({"messages": HELLO}, "model", "model is required: a non-empty string."),
    "a model without end": (
        {**MINIMAL, "model": "m" * 257},
        "model",
        "model has more than 256 characters.",
    ),
    "a role that is no text": (
        {**MINIMAL, "messages": [{"role": [], "content": "x"}]},
        "messages[0].role",
        "messages[0].role must be a string.",
    ),
    "no role": (
        {**MINIMAL, "messages": [{"content": "x"}]},
        "messages[0].role",
        "messages[0].role must be a string.",
    ),
    "null model": (
        {**MINIMAL, "model": None},
        "model",
        "model is required: a non-empty string.",
    ),
    "empty model": ({**MINIMAL, "model": ""}, "model", "model is required: a non-empty string."),
    "model number": ({**MINIMAL, "model": 4}, "model", "model must be a string."),
    "no messages": ({"model": "m"}, "messages", "messages must be a non-empty list."),
    "empty messages": (
        {**MINIMAL, "messages": []},
        "messages",
        "messages must be a non-empty list.",
    ),
    "messages text": (
        {**MINIMAL, "messages": "hi"},
        "messages",
        "messages must be a non-empty list.",
    ),
    "message text": (
        {**MINIMAL, "messages": [*HELLO, "hi"]},
        "messages[1]",
        "A message must be an object.",
    ),
    "stream text": ({**MINIMAL, "stream": "true"}, "stream", "stream must be true or false."),
    "stream one": ({**MINIMAL, "stream": 1}, "stream", "stream must be true or false."),
    "options list": (
        {**MINIMAL, "stream_options": []},
        "stream_options",
        "stream_options must be an object.",
    ),
    "option text": (
        {**MINIMAL, "stream_options": {"include_usage": "yes"}},
        "stream_options.include_usage",
        "stream_options.include_usage must be true or false.",
    ),
    "endpoint number": ({**MINIMAL, "endpoint": 1}, "endpoint", "endpoint must be a string."),
    "id number": (
        {**MINIMAL, "conversationId": 1},
        "conversationId",
        "conversationId must be a string.",
    ),
}


@pytest.mark.parametrize(("body", "param", "message"), REFUSED.values(), ids=REFUSED)
def test_malformed_body_is_refused_naming_the_field(body, param, message):
    with pytest.raises(InvalidBodyError) as caught:
        parse_chat_request(body)
    assert caught.value.to_envelope() == {
        "error": {
            "message": message,
            "type": "invalid_request_error",
            "param": param,
            "code": "invalid_body",
        }
    }


@pytest.mark.parametrize(
    ("name", "value", "bound"),
    [
        ("max_tokens", 0, "of at least 1"),
        ("max_tokens", 1.0, "of at least 1"),
        ("max_tokens", True, "of at least 1"),
        ("max_completion_tokens", "5", "of at least 1"),
        ("maxTokens", -1, "of at least 1"),
        ("maxOutputTokens", [], "of at least 0"),
        ("n", 0, "from 1 to 8"),
        ("n", 9, "from 1 to 8"),
        ("n", True, "from 1 to 8"),
    ],
)
def test_limit_is_a_whole_number_in_its_bounds(name, value, bound):
    with pytest.raises(InvalidBodyError) as caught:
        parse_chat_request({**MINIMAL, name: value})
    assert (caught.value.message, caught.value.param) == (
        f"{name} must be a whole number {bound}.",
        name,
    )


@pytest.mark.parametrize(("name", "value"), [("max_tokens", 1), ("n", 8), ("maxOutputTokens", "")])
def test_limit_in_its_bounds_goes_on(name, value):
    assert parse_chat_request({**MINIMAL, name: value}).params == {name: value}


@pytest.mark.parametrize(
    ("key", "expires_at_ms"),
    [
        ("2030-01-31T12:00:00.000Z", 1_896_091_200_000),
        (1_896_091_200_000, 1_896_091_200_000),
        ("never", None),
        ("", None),
        ({"a": 1}, None),
        (None, None),
    ],
)
def test_expiry_of_a_users_key_is_read_and_goes_no_further(key, expires_at_ms):
    request = parse_chat_request({**MINIMAL, "key": key})
    assert request == ChatRequest("m", HELLO, stream=False, key_expires_at_ms=expires_at_ms)
    messages = parse_messages_request({**MINIMAL, "max_tokens": 5, "key": key}, {})
    assert messages.key_expires_at_ms == expires_at_ms
    assert messages.native == {"messages": HELLO, "max_tokens": 5}
