"""Anthropic's own SDK against the gateway, whose upstream speaks OpenAI's chat completions."""

from typing import Any

import anthropic
import pytest

from tests.support.fake_upstream import (
    DONE,
    FakeUpstream,
    chunk_of,
    completion,
    json_reply,
    stream_reply,
    streamed,
)
from tests.support.served_gateway import KEY, ServedGateway

MODEL = "Acme/acme-large"
HELLO: Any = [{"role": "user", "content": "Hello!"}]
ASKED: Any = {"model": MODEL, "max_tokens": 100, "messages": HELLO}
WEATHER: Any = {
    "name": "weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
}
COST = {"cost": 0.00005, "cost_nanousd": 50_000}


def _message(**fields: object) -> Any:
    """Return the reply of an upstream whose assistant's message has these fields."""
    finish = "tool_calls" if "tool_calls" in fields else "stop"
    message = {"role": "assistant", "content": None, **fields}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return json_reply(completion(choices=[choice]))


def _deltas(*pieces: dict[str, object], finish: str = "stop") -> Any:
    """Return the reply of an upstream that streams these pieces."""
    chunks = [
        chunk_of(choices=[{"index": 0, "delta": piece, "finish_reason": None}]) for piece in pieces
    ]
    end = chunk_of(choices=[{"index": 0, "delta": {}, "finish_reason": finish}])
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return stream_reply(*chunks, end, chunk_of(usage=usage), DONE)


def test_a_message(claude_client: anthropic.Anthropic, upstream: FakeUpstream) -> None:
    message = claude_client.messages.create(
        **ASKED,
        system="Be brief.",
        extra_body={"temperature": 0.5},
        stop_sequences=["END"],
        metadata={"user_id": "mallory"},
    )

    assert [block.model_dump() for block in message.content] == [
        {"type": "text", "text": "Hello!", "citations": None}
    ]
    assert (message.role, message.stop_reason, message.model) == (
        "assistant",
        "end_turn",
        "upstream-model",
    )
    assert (message.usage.input_tokens, message.usage.output_tokens) == (10, 5)
    assert message.usage.model_extra == COST
    assert upstream.last.json == {
        "model": "acme-large",
        "messages": [{"role": "system", "content": "Be brief."}, *HELLO],
        "max_tokens": 100,
        "temperature": 0.5,
        "stop": ["END"],
        "user": "alice",
        "stream": False,
    }


def test_the_key_of_the_client_stays_here(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    claude_client.messages.create(**ASKED)

    assert upstream.last.header("authorization") == ["Bearer key-of-acme-5b1f7a3c"]
    assert upstream.last.header("x-api-key") == []
    assert upstream.last.header("anthropic-version") == []
    assert KEY.encode() not in upstream.last.raw


def test_a_record_is_kept(
    claude_client: anthropic.Anthropic, messages_gateway: ServedGateway, upstream: FakeUpstream
) -> None:
    answer = claude_client.messages.with_raw_response.create(
        **ASKED, extra_body={"conversationId": "c-1", "endpoint": "Acme"}
    )

    record = messages_gateway.record_of(answer.http_response)
    assert (record["state"], record["cost"], record["conversation_id"]) == (
        "SETTLED",
        50_000,
        "c-1",
    )
    assert answer.headers["request-id"] == answer.headers["x-request-id"]


def test_a_stream(claude_client: anthropic.Anthropic, upstream: FakeUpstream) -> None:
    upstream.answer(streamed("Hel", "lo!"))

    with claude_client.messages.stream(**ASKED) as stream:
        events = list(stream)
        message = stream.get_final_message()

    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "text",
        "content_block_delta",
        "text",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert message.content[0].type == "text"
    assert message.content[0].text == "Hello!"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (10, 5)
    assert events[-2].type == "message_delta"
    assert events[-2].usage.model_extra == COST
    assert upstream.last.json["stream_options"] == {"include_usage": True}


def test_a_stream_comes_piece_by_piece(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    end = chunk_of(choices=[{"index": 0, "delta": {}, "finish_reason": "length"}])
    upstream.answer(stream_reply(chunk_of("now"), 0.3, end, DONE))

    with claude_client.messages.stream(**ASKED) as stream:
        assert next(iter(stream.text_stream)) == "now"
        assert not upstream.last.is_answered
        assert stream.get_final_message().stop_reason == "max_tokens"


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
def test_a_round_trip_of_tools(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream, *, is_stream: bool
) -> None:
    begun = CALL | {"index": 0, "function": {"name": "weather", "arguments": ""}}
    pieces: list[dict[str, object]] = [
        {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}
        for part in ('{"city":', '"Paris"}')
    ]
    asking = (
        _deltas({"tool_calls": [begun]}, *pieces, finish="tool_calls")
        if is_stream
        else _message(tool_calls=[CALL])
    )
    upstream.answer(asking, json_reply(completion("Sunny.")))
    asked: Any = ASKED | {"tools": [WEATHER], "tool_choice": {"type": "any"}}
    if is_stream:
        with claude_client.messages.stream(**asked) as stream:
            first = stream.get_final_message()
    else:
        first = claude_client.messages.create(**asked)
    (use,) = first.content
    assert first.stop_reason == "tool_use"
    assert use.type == "tool_use"
    assert (use.id, use.name, use.input) == ("call_1", "weather", {"city": "Paris"})
    assert upstream.last.json["tool_choice"] == "required"

    result = {"type": "tool_result", "tool_use_id": use.id, "content": "sunny, 21 °C"}
    history: Any = [
        *HELLO,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    second = claude_client.messages.create(
        model=MODEL, max_tokens=100, messages=history, tools=[WEATHER]
    )

    assert second.content[0].type == "text"
    assert second.content[0].text == "Sunny."
    function = {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": WEATHER["input_schema"],
    }
    assert upstream.last.json["tools"] == [{"type": "function", "function": function}]
    assert upstream.last.json["messages"] == [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny, 21 °C"},
    ]


def test_thinking_whole(claude_client: anthropic.Anthropic, upstream: FakeUpstream) -> None:
    upstream.answer(_message(reasoning_content="Hm.", content="Yes."))

    message = claude_client.messages.create(**ASKED)

    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "Yes."},
    ]


def test_thinking_streamed(claude_client: anthropic.Anthropic, upstream: FakeUpstream) -> None:
    upstream.answer(
        _deltas({"reasoning_content": "H"}, {"reasoning_content": "m."}, {"content": "Yes."})
    )

    with claude_client.messages.stream(**ASKED) as stream:
        message = stream.get_final_message()

    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "Yes."},
    ]


def test_pictures_and_documents(claude_client: anthropic.Anthropic, upstream: FakeUpstream) -> None:
    def source(media_type: str) -> dict[str, str]:
        return {"type": "base64", "media_type": media_type, "data": "iVBORw0KGgo="}

    content: Any = [
        {"type": "image", "source": source("image/png")},
        {"type": "image", "source": {"type": "url", "url": "https://acme.test/a.png"}},
        {"type": "document", "source": source("application/pdf"), "title": "A.pdf"},
        {"type": "text", "text": "What is it?"},
    ]

    claude_client.messages.create(
        model=MODEL, max_tokens=9, messages=[{"role": "user", "content": content}]
    )

    data = "data:application/pdf;base64,iVBORw0KGgo="
    assert upstream.last.json["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "image_url", "image_url": {"url": "https://acme.test/a.png"}},
        {"type": "file", "file": {"filename": "A.pdf", "file_data": data}},
        {"type": "text", "text": "What is it?"},
    ]


async def test_the_async_client(
    messages_gateway: ServedGateway, claude_client: object, upstream: FakeUpstream
) -> None:
    upstream.answer(streamed("Hel", "lo!"))
    url = f"http://127.0.0.1:{messages_gateway.port}"

    async with (
        anthropic.AsyncAnthropic(base_url=url, auth_token=KEY, api_key=None) as asynchronous,
        asynchronous.messages.stream(**ASKED) as stream,
    ):
        texts = [text async for text in stream.text_stream]

    assert texts == ["Hel", "lo!"]
