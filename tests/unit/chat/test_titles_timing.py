"""When the job of a title is sent, and that it changes nothing of the chat."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.support.asgi import AsgiAnswer, ask
from tests.support.beside import CHAT, MESSAGES, Beside, Starter
from tests.support.calls import (
    DONE,
    chunk,
    completion,
    data,
    json_answer,
    stream_answer,
    usage_chunk,
)
from tests.support.fakes import Hang, Reply
from tests.support.logs import fresh_log
from tests.support.titles import refuses, titled_entry
from waystation.errors import UpstreamFailedError
from waystation.wire.title_job import TitleJob

FINAL = titled_entry(titleTiming="final")


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    with fresh_log():
        yield


def streamed(*texts: str) -> Reply:
    return stream_answer(*map(chunk, texts), chunk("", "stop"), usage_chunk(), DONE)


def pieces(*deltas: dict[str, object]) -> Reply:
    """Stream these deltas."""
    chunks = [data({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas]
    return stream_answer(*chunks, chunk("", "stop"), usage_chunk(), DONE)


async def outputs(reply: Reply | Exception, path: str = CHAT, **body: Any) -> list[str]:
    """Ask one chat with a final title; return the answers that its jobs tell of."""
    starter = Starter()
    await Beside(reply, starter=starter, entry=body.pop("entry", FINAL)).ask(path, **body)
    return [job.output for job in starter.jobs]


async def moments(beside: Beside, starter: Starter, **body: Any) -> list[int]:
    """Ask one chat; return how much of the answer had been sent when its jobs were started."""
    sent: list[Message] = []
    starter.sent = lambda: len(sent)

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_counted(message: Message) -> None:
            await asyncio.sleep(0)
            sent.append(message)
            await send(message)

        await app(scope, receive, send_counted)

    app, beside.app = beside.app, counting  # type: ignore[assignment]
    answer = await beside.ask(**body)
    return [len(answer.messages) - moment for moment in starter.moments]


@pytest.mark.parametrize("stream", [True, False])
async def test_immediate_job_is_sent_before_the_answer(stream: bool):
    starter = Starter()
    reply = streamed("Hel", "lo") if stream else json_answer(completion())
    beside = Beside(reply, starter=starter)
    (left,) = await moments(beside, starter, stream=stream)
    assert left >= 2  # nothing had been sent
    assert starter.jobs[0].output == ""
    assert starter.moments == [0]


@pytest.mark.parametrize("stream", [True, False])
async def test_final_job_is_sent_after_the_last_byte(stream: bool):
    starter = Starter()
    reply = streamed("Hel", "lo") if stream else json_answer(completion())
    beside = Beside(reply, starter=starter, entry=FINAL)
    assert await moments(beside, starter, stream=stream) == [0]
    assert starter.jobs[0].output == "Hello"


async def test_final_job_tells_up_to_8000_characters():
    assert await outputs(streamed("😀" * 5000, "b" * 5000), stream=True) == [
        "😀" * 5000 + "b" * 3000
    ]
    message = {"role": "assistant", "content": "c" * 9000}
    body = completion(choices=[{"index": 0, "message": message, "finish_reason": "stop"}])
    assert await outputs(json_answer(body)) == ["c" * 8000]


async def test_reasoning_and_tool_calls_are_no_output():
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}
    reply = pieces({"reasoning_content": "Hm."}, {"content": "Hello"}, {"tool_calls": [call]})
    assert await outputs(reply, stream=True) == ["Hello"]
    assert await outputs(streamed("<think>Hm.</think>", "Hello"), stream=True) == ["Hello"]


BREAKS = {
    "inside": lambda: stream_answer(chunk("Hel"), UpstreamFailedError("It broke.")),
    "by an event": lambda: stream_answer(chunk("Hel"), data({"error": {"message": "It broke."}})),
    "before it begins": lambda: refuses("No."),
    "without an answer": lambda: UpstreamFailedError("It broke."),
}


@pytest.mark.parametrize("make", BREAKS.values(), ids=BREAKS)
async def test_final_job_is_not_sent_for_an_answer_that_fails(make):
    assert await outputs(make(), stream=True) == []


async def test_final_job_is_not_sent_for_a_whole_answer_that_fails():
    assert await outputs(refuses("No.")) == []


NATIVE_EVENTS: list[dict[str, object]] = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [],
            "usage": {"input_tokens": 3, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking"}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "thinking_delta", "thinking": "Hm."},
    },
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 5},
    },
    {"type": "message_stop"},
]
NATIVE = titled_entry(titleTiming="final", provider="anthropic")


def native_stream(*events: dict[str, object]) -> Reply:
    return stream_answer(
        *[f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]
    )


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_answer_of_anthropics_api_is_told(path: str):
    reply = native_stream(*NATIVE_EVENTS)
    assert await outputs(reply, path, entry=NATIVE, stream=True, max_tokens=50) == ["Hello"]
    content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello"}]
    whole = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }
    assert await outputs(json_answer(whole), path, entry=NATIVE, max_tokens=50) == ["Hello"]


async def test_final_job_is_not_sent_for_a_native_answer_that_breaks_off():
    reply = native_stream(*NATIVE_EVENTS[:-2])
    assert await outputs(reply, MESSAGES, entry=NATIVE, stream=True, max_tokens=50) == []


class Failing:
    """A starter that breaks its word."""

    async def start(self, job: TitleJob) -> None:
        raise ValueError("canary")


class Slow:
    """A starter that takes its time, until after the answer has been sent."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()
        self.is_done = False

    async def start(self, job: TitleJob) -> None:
        await self.answered.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        self.is_done = True


def same(answer: AsgiAnswer, expected: AsgiAnswer) -> bool:
    def told(one: AsgiAnswer) -> tuple[int, list[object]]:
        request_id = one.headers["x-request-id"].encode()
        bodies = [m.get("body", b"").replace(request_id, b"ID") for m in one.messages]
        return one.status, list(bodies)

    return told(answer) == told(expected)


REPLIES: dict[str, tuple[Any, bool]] = {
    "whole": (lambda: json_answer(completion()), False),
    "streamed": (lambda: streamed("Hel", "lo"), True),
    "refused": (lambda: refuses("No."), False),
    "broken off": (lambda: stream_answer(chunk("Hel"), UpstreamFailedError("x")), True),
}


@pytest.mark.parametrize("timing", ["immediate", "final"])
@pytest.mark.parametrize(("make", "stream"), REPLIES.values(), ids=REPLIES)
async def test_starter_that_fails_changes_no_byte(make, stream: bool, timing: str, capsys):
    entry = titled_entry(titleTiming=timing)
    expected = await Beside(make(), starter=None, entry=entry).ask(stream=stream)
    answer = await Beside(make(), starter=Failing(), entry=entry).ask(stream=stream)
    assert same(answer, expected)
    assert "canary" not in capsys.readouterr().out


@pytest.mark.parametrize("timing", ["immediate", "final"])
@pytest.mark.parametrize(("make", "stream"), REPLIES.values(), ids=REPLIES)
async def test_slow_starter_holds_back_no_byte(make, stream: bool, timing: str):
    starter = Slow()
    entry = titled_entry(titleTiming=timing)
    expected = await Beside(make(), starter=None, entry=entry).ask(stream=stream)
    beside = Beside(make(), starter=starter, entry=entry)
    app = beside.app

    async def watching(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_noted(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                starter.answered.set()

        await app(scope, receive, send_noted)

    beside.app = watching  # type: ignore[assignment]
    answer = await asyncio.wait_for(beside.ask(stream=stream), 5)
    assert same(answer, expected)
    is_answered = make in {REPLIES["whole"][0], REPLIES["streamed"][0]}
    assert starter.is_done is (timing == "immediate" or is_answered)


async def test_client_that_has_gone_still_gets_its_title():
    starter = Starter()
    beside = Beside(streamed("Hel", "lo"), starter=starter, entry=FINAL)

    async def gone(message: Message) -> None:
        raise OSError("gone")

    async def app(scope: Scope, receive: Receive, _: Send) -> None:
        await beside.app(scope, receive, gone)

    body = {
        "model": "acme-large",
        "messages": [{"role": "user", "content": "Hi"}],
        "conversationId": "c1",
        "stream": True,
    }
    headers = {"content-type": "application/json"}
    answer = await ask(app, "POST", CHAT, headers=headers, body=[json.dumps(body).encode()])
    assert answer.messages == []
    assert [job.output for job in starter.jobs] == ["Hello"]


async def test_chat_that_is_cut_short_gets_no_final_title():
    starter = Starter()
    reply = stream_answer(chunk("Hel"), Hang())
    beside = Beside(reply, starter=starter, entry=FINAL)
    task = asyncio.create_task(beside.ask(stream=True))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert starter.jobs == []
