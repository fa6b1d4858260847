"""POST /v1/chat/completions, between JSON and events."""

import asyncio
import json
from dataclasses import dataclass

import pytest

from tests.support.calls import (
    COST,
    DONE,
    RAW_USAGE,
    build_calls,
    chunk,
    completion,
    json_answer,
    priced_entry,
    stream_answer,
    usage_chunk,
)
from tests.support.fakes import (
    InMemoryLedger,
    Reply,
    ScriptedEgress,
    StaticConfig,
    build_snapshot_of,
    built_ins,
)
from waystation.calls.routing import Routes
from waystation.chat.routes import chat_completions
from waystation.chat.service import ChatService
from waystation.errors import GatewayError, InvalidBodyError, UpstreamFailedError
from waystation.identity.incoming import Incoming
from waystation.identity.user import Caller, User
from waystation.wire.answers import EventStream, JsonAnswer

PRICED = {**RAW_USAGE, "cost": COST / 1e9, "cost_nanousd": COST}
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


@dataclass
class ChatOnly:
    """A runtime with nothing but chats."""

    chat: ChatService


async def ask(*script: Reply | Exception, **body: object):
    """Ask one chat; return the answer and the notes for the log line."""
    ledger = InMemoryLedger()
    service = ChatService(
        config=StaticConfig(build_snapshot_of(priced_entry())),
        routes=Routes(built_ins()),
        calls=build_calls(ScriptedEgress(*script), ledger),
        now_ms=lambda: 1_780_000_000_000,
    )
    incoming = Incoming(
        request_id="01JZ",
        caller=Caller(User("alice"), "k1"),
        headers={},
        body={
            "model": "Acme/acme-large",
            "messages": [{"role": "user", "content": "12345678"}],
            **body,
        },
        ends_at=asyncio.get_running_loop().time() + 10,
        notes={},
    )
    answer = await chat_completions(lambda: ChatOnly(service))(incoming)
    return answer, incoming.notes


async def stream(*script: Reply | Exception, **body: object) -> tuple[list[str], dict[str, object]]:
    answer, notes = await ask(*script, stream=True, **body)
    assert isinstance(answer, EventStream)
    text = b"".join([piece async for piece in answer.chunks]).decode()
    assert text.endswith("\n\n")
    return [event.removeprefix("data: ") for event in text.split("\n\n")[:-1]], notes


async def test_whole_answer_is_json_with_the_cost():
    answer, notes = await ask(json_answer(completion()))
    assert answer == JsonAnswer(completion(PRICED))
    assert notes == NOTES | {"stream": False}


async def test_stream_hides_the_usage_that_was_not_asked_for():
    events, notes = await stream(stream_answer(chunk("Hi", "stop"), usage_chunk(), DONE))
    assert [json.loads(event) for event in events[:-1]] == [
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 7,
            "model": "m",
            "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}],
        }
    ]
    assert events[-1] == "[DONE]"
    assert notes == NOTES | {"stream": True}


async def test_stream_tells_the_usage_that_was_asked_for():
    reply = stream_answer(chunk("Hi", "stop"), usage_chunk(), DONE)
    events, _ = await stream(reply, stream_options={"include_usage": True})
    assert json.loads(events[1]) == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m",
        "choices": [],
        "usage": PRICED,
    }
    assert events[2:] == ["[DONE]"]


async def test_failure_inside_the_stream_is_an_envelope_without_done():
    events, notes = await stream(stream_answer(chunk("Hi"), UpstreamFailedError("It broke.")))
    assert json.loads(events[-1]) == {
        "error": {
            "message": "It broke.",
            "type": "upstream_error",
            "param": None,
            "code": "upstream_error",
        }
    }
    assert len(events) == 2
    assert notes["error_code"] == "upstream_error"


async def test_failure_before_the_stream_is_raised():
    with pytest.raises(GatewayError) as caught:
        await ask(json_answer({"error": "x"}, 500), stream=True)
    assert caught.value.status == 502


async def test_stream_that_is_closed_closes_the_call():
    reply = stream_answer(chunk("Hi"), chunk("!", "stop"), usage_chunk(), DONE)
    answer, notes = await ask(reply, stream=True)
    assert isinstance(answer, EventStream)
    await anext(answer.chunks)
    await answer.chunks.aclose()
    assert reply.is_closed
    assert notes["usage_source"] == "estimated"


async def test_malformed_body_is_refused_before_anything_else():
    with pytest.raises(InvalidBodyError) as caught:
        await ask(messages=[])
    assert caught.value.param == "messages"
