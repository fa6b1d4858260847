"""POST /v1/messages and /v1/messages/count_tokens, between JSON and events."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.anthropic_upstream import events_of, message, text_block
from tests.support.calls import (
    COST,
    DONE,
    build_calls,
    chunk,
    completion,
    json_answer,
    priced_entry,
    stream_answer,
    usage_chunk,
)
from tests.support.event_bytes import encoded
from tests.support.fakes import (
    InMemoryLedger,
    Reply,
    ScriptedEgress,
    StaticConfig,
    build_snapshot_of,
    built_ins,
)
from waystation.calls.routing import Routes
from waystation.chat.messages_routes import count_message_tokens, create_message
from waystation.chat.routes import ChatRuntime
from waystation.chat.service import ChatService
from waystation.errors import (
    GatewayError,
    InvalidBodyError,
    InvalidHeaderValueError,
    NotFoundError,
    UpstreamFailedError,
)
from waystation.identity.incoming import Incoming
from waystation.identity.user import Caller, User
from waystation.wire.answers import Answer, EventStream, JsonAnswer

USAGE = {"input_tokens": 10, "output_tokens": 5, "cost": COST / 1e9, "cost_nanousd": COST}
ROUTED = {"model": "acme-large", "endpoint": "Acme", "listed_model": "acme-large"}
NOTES = {
    **ROUTED,
    "upstream_model": "acme-large",
    "error_code": None,
    "input_tokens": 10,
    "output_tokens": 5,
    "cache_read_tokens": None,
    "cache_write_tokens": None,
    "usage_source": "upstream",
    "cost_nanousd": COST,
}
BODY: dict[str, object] = {
    "model": "Acme/acme-large",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "12345678"}],
}


@dataclass
class ChatOnly:
    """A runtime with nothing but chats."""

    chat: ChatService


async def ask(
    *script: Reply | Exception,
    make: Callable[
        [Callable[[], ChatRuntime]], Callable[[Incoming], Awaitable[Answer]]
    ] = create_message,
    provider: str | None = None,
    headers: dict[str, str] | None = None,
    **body: object,
) -> tuple[Any, dict[str, object]]:
    """Ask once; return the answer and the notes for the log line."""
    entry = priced_entry(**({"provider": provider} if provider else {}))
    service = ChatService(
        config=StaticConfig(build_snapshot_of(entry)),
        routes=Routes(built_ins()),
        calls=build_calls(ScriptedEgress(*script), InMemoryLedger()),
        now_ms=lambda: 1_780_000_000_000,
    )
    incoming = Incoming(
        request_id="01JZ",
        caller=Caller(User("alice"), "k1"),
        headers=headers or {},
        body=BODY | body,
        ends_at=asyncio.get_running_loop().time() + 10,
        notes={},
    )
    return await make(lambda: ChatOnly(service))(incoming), incoming.notes


async def stream(*script: Reply, **options: Any) -> tuple[list[dict[str, Any]], dict[str, object]]:
    answer, notes = await ask(*script, stream=True, **options)
    assert isinstance(answer, EventStream)
    text = b"".join([piece async for piece in answer.chunks]).decode()
    return [json.loads(event.split("\ndata: ")[1]) for event in text.split("\n\n")[:-1]], notes


async def test_whole_answer_is_a_message_with_the_cost():
    answer, notes = await ask(json_answer(completion()))
    assert answer == JsonAnswer(
        {
            "id": "chatcmpl-1",
            "type": "message",
            "role": "assistant",
            "model": "acme-large-0711",
            "content": [{"type": "text", "text": "Hello"}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": USAGE,
        }
    )
    assert notes == NOTES | {"stream": False}


async def test_stream_is_told_as_events_with_the_cost():
    events, notes = await stream(stream_answer(chunk("Hi", "stop"), usage_chunk(), DONE))
    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[-2]["usage"] == USAGE
    assert notes == NOTES | {"stream": True}


async def test_answer_of_the_same_api_is_passed_on_with_the_cost():
    whole = message(text_block("Hi"), new=1)
    answer, notes = await ask(json_answer(whole), provider="anthropic")
    assert answer == JsonAnswer({**whole, "usage": USAGE})
    assert notes == NOTES | {"stream": False}


async def test_stream_of_the_same_api_is_passed_on_with_the_cost():
    sent = events_of(text_block("Hello"))
    events, notes = await stream(stream_answer(*map(encoded, sent)), provider="anthropic")
    sent[-2]["usage"] = USAGE
    assert events == sent
    assert notes == NOTES | {"stream": True}


@pytest.mark.parametrize("provider", [None, "anthropic"])
async def test_failure_inside_the_stream_is_an_event(provider):
    first = chunk("Hi") if provider is None else encoded(events_of(text_block("Hi"))[0])
    reply = stream_answer(first, UpstreamFailedError("It broke."))
    events, notes = await stream(reply, provider=provider)
    assert events[-1] == {
        "type": "error",
        "error": {"type": "api_error", "message": "It broke."},
        "request_id": "01JZ",
    }
    assert notes["error_code"] == "upstream_error"


async def test_failure_before_the_stream_is_raised():
    with pytest.raises(GatewayError):
        await ask(json_answer({"error": "x"}, 500), stream=True)


async def test_body_and_headers_are_checked():
    with pytest.raises(InvalidBodyError):
        await ask(max_tokens=None)
    with pytest.raises(InvalidHeaderValueError):
        await ask(headers={"anthropic-beta": "a b"})


async def test_count_is_the_upstreams():
    reply = json_answer({"input_tokens": 14})
    answer, notes = await ask(
        reply, make=count_message_tokens, provider="anthropic", max_tokens=None
    )
    assert answer == JsonAnswer({"input_tokens": 14})
    assert notes == {**ROUTED, "stream": False}


async def test_count_of_other_apis_is_not_found():
    with pytest.raises(NotFoundError):
        await ask(make=count_message_tokens)
