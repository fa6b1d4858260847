"""Anthropic's SDK as the judge of Messages requests: of their shape, and of what goes out.

The SDK speaks a later version of the API than this gateway, under another header for the key. Its
types know no sampling any more; the models that take it do.
"""

import json
from typing import Any

import pytest
from anthropic import Anthropic
from anthropic.types import ContentBlockParam
from anthropic.types.message_create_params import (
    MessageCreateParamsNonStreaming,
    MessageCreateParamsStreaming,
)
from pydantic import TypeAdapter

from tests.support.anthropic_upstream import messages_reply, messages_streamed, text_block
from tests.support.fake_upstream import FakeUpstream
from tests.support.messages_shaping import ADAPTIVE, HI, MODEL, body_of, shape

# The SDK warns of models that are to go.
pytestmark = pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")

BODIES: dict[bool, TypeAdapter[Any]] = {
    False: TypeAdapter(MessageCreateParamsNonStreaming),
    True: TypeAdapter(MessageCreateParamsStreaming),
}
BLOCK: TypeAdapter[Any] = TypeAdapter(ContentBlockParam)

MARK = {"type": "ephemeral"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA, "strict": True}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":""}'}}
SIGNED = {"type": "thinking", "thinking": "t", "signature": "s"}
USED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
SYSTEM = {"role": "system", "content": "S"}


def parts(*content: object) -> dict[str, object]:
    return {"role": "user", "content": [*content]}


def text(value: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": value, **more}


def image(url: str) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}}


def file(**members: object) -> dict[str, object]:
    return {"type": "file", "file": members}


#        messages, params, other arguments of the shaping
CHATS: dict[str, tuple[list[Any], dict[str, Any], dict[str, Any]]] = {
    "plain": (HI, {"stop": "A", "max_tokens": 5}, {}),
    "as LibreChat asks": ([SYSTEM, *HI], {"web_search": True}, {"ui": True}),
    "with instructions": (
        [SYSTEM, {"role": "developer", "content": [text("D", cache_control=MARK)]}, *HI],
        {},
        {},
    ),
    "images and documents": (
        [
            parts(
                text("t"),
                image("data:image/png;base64,iVBO"),
                image("https://a.test/i.png"),
                file(file_data="data:application/pdf;base64,JVBERi0=", filename="a.pdf"),
                file(file_data="data:text/plain;base64,QQ=="),
                file(file_data="https://a.test/a.pdf"),
                file(file_id="file_1"),
            )
        ],
        {},
        {},
    ),
    "a tool loop": (
        [
            *HI,
            {
                "role": "assistant",
                "content": "ok",
                "thinking_blocks": [SIGNED, {"type": "redacted_thinking", "data": "d"}],
                "tool_calls": [CALL, CALL | {"id": "c2"}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
            {
                "role": "tool",
                "tool_call_id": "c2",
                "content": [text("rain"), image("https://a.test/i.png")],
                "is_error": True,
            },
        ],
        {
            "tools": [TOOL],
            "tool_choice": "auto",
            "parallel_tool_calls": False,
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        },
        {},
    ),
    "a search that was made": (
        [*HI, {"role": "assistant", "content": "A", "server_tool_blocks": [USED, FOUND]}, *HI],
        {"web_search_options": {}},
        {},
    ),
    "choices": (
        HI,
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "weather"}}},
        {},
    ),
    "a format and an effort": (
        HI,
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": SCHEMA},
            },
            "reasoning_effort": "low",
            "service_tier": "default",
        },
        {"model": ADAPTIVE},
    ),
    "cached": ([SYSTEM, *HI], {"promptCache": True, "tools": [TOOL]}, {}),
}
every_chat = pytest.mark.parametrize(("messages", "params", "others"), CHATS.values(), ids=CHATS)


@every_chat
@pytest.mark.parametrize("is_stream", [True, False])
def test_bodies_are_valid_and_hold_nothing_that_the_sdk_does_not_know(
    messages, params, others, is_stream
):
    body = body_of(params, messages=messages, is_stream=is_stream, **others)
    check(BODIES[is_stream], {**body, "messages": HI})
    for message in body["messages"]:
        assert message.keys() == {"role", "content"}
        for block in [] if isinstance(message["content"], str) else message["content"]:
            check(BLOCK, block)


def check(adapter: TypeAdapter[Any], value: object) -> None:
    """Expect a value that the SDK knows, with nothing that it does not know."""
    read = adapter.validate_python(value)
    assert json.loads(adapter.dump_json(read, warnings=False)) == value


@every_chat
def test_the_sdk_sends_the_same(messages, params, others):
    with (
        FakeUpstream() as upstream,
        Anthropic(api_key="key", base_url=f"http://{upstream.address}", max_retries=0) as client,
    ):
        upstream.answer(messages_reply(text_block("Hello!")))
        shaped = shape(params, messages=messages, base_url=f"http://{upstream.address}", **others)
        body = json.loads(shaped.request.body)
        client.messages.create(**body, timeout=5)
        sent = upstream.last
    assert sent.json == body
    assert shaped.request.url == f"http://{upstream.address}{sent.path}"
    headers = dict(shaped.request.headers)
    for name in ("content-type", "accept"):
        assert sent.header(name) == [headers[name]]


def test_the_sdk_streams_the_same():
    with (
        FakeUpstream() as upstream,
        Anthropic(api_key="key", base_url=f"http://{upstream.address}", max_retries=0) as client,
    ):
        upstream.answer(messages_streamed(text_block("Hello!")))
        body = body_of({"temperature": 0.5, "topP": 0.9, "topK": 3}, is_stream=True)
        typed = {"model": MODEL, "max_tokens": 64_000, "messages": HI}
        sampling = {name: body[name] for name in ("temperature", "top_p", "top_k")}
        asked: Any = {**typed, "metadata": {"user_id": "alice"}, "extra_body": sampling}
        with client.messages.stream(**asked) as stream:
            stream.get_final_message()
        assert upstream.last.json == body
