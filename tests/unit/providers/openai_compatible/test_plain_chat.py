"""Chats that came in another API, as a strict upstream takes them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.config_entries import build_entry
from waystation.providers.openai_compatible.shape import shape_chat
from waystation.providers.provider import CallContext
from waystation.wire.anthropic_request import parse_messages_request

MARK = {"cache_control": {"type": "ephemeral"}}
BODY: dict[str, Any] = {
    "model": "acme-large",
    "max_tokens": 10,
    "system": [{"type": "text", "text": "Be brief.", **MARK}],
    "tools": [{"name": "weather", "input_schema": {"type": "object"}, **MARK}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi", **MARK}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "!", "is_error": True}
            ],
        },
    ],
}


def sent(base_url: str = "https://llm.acme.test/v1", *, is_native: bool = True) -> dict[str, Any]:
    request = parse_messages_request(BODY, {})
    context = CallContext(
        endpoint=build_entry(),
        model="acme-large",
        user_id="alice",
        api_key="key",
        base_url=base_url,
        headers={},
    )
    request = request if is_native else replace(request, native=None)
    body: dict[str, Any] = json.loads(shape_chat(request, context).request.body)
    return body


def test_what_only_the_other_api_knows_is_left_out():
    text = json.dumps(sent())
    for name in ("cache_control", "thinking_blocks", "is_error"):
        assert name not in text
    assert sent()["tools"][0]["function"]["name"] == "weather"
    assert sent()["messages"][-1] == {"role": "tool", "tool_call_id": "t1", "content": "!"}


def test_marks_stay_where_they_are_known():
    text = json.dumps(sent("https://openrouter.ai/api/v1"))
    assert text.count("cache_control") == 3
    assert "thinking_blocks" not in text


@pytest.mark.parametrize("name", ["cache_control", "is_error"])
def test_a_client_that_says_so_itself_is_taken_at_its_word(name):
    assert name in json.dumps(sent(is_native=False))
