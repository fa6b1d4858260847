"""The streaming function under load: large requests and answers, slow readers, many streams."""

import asyncio
import json

import pytest

from tests.support.aws_server import KEY
from tests.support.chat_function import (
    ENDING,
    memory_of,
    open_files_of,
    process_of,
)
from tests.support.fake_lambda import FakeLambda
from tests.support.fake_upstream import FakeUpstream, chunk_of, stream_reply, streamed
from tests.support.lambda_events import rest_event
from tests.support.served_gateway import CHAT, chat_body

MB = 1_000_000


@pytest.fixture
async def chat(chat_process: FakeLambda, upstream: FakeUpstream) -> FakeLambda:
    """The function, after a first stream."""
    await chat_process.function.settled()
    upstream.answer(streamed("Hello!"))
    await _stream(chat_process)
    return chat_process


async def test_slow_reader_slows_the_upstream_and_fills_no_memory(
    chat: FakeLambda, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(*[chunk_of("x" * 50_000)] * 500, *ENDING))
    body = json.dumps(chat_body(stream=True)).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    process = process_of(chat)
    before = memory_of(process)
    invocation = chat.function.invoke(rest_event("POST", CHAT, headers, body))
    pieces = invocation.pieces()
    received = len(await anext(pieces))
    sent = -1
    while sent != upstream.last.sent_bytes:
        sent = upstream.last.sent_bytes
        await asyncio.sleep(0.5)
    assert sent < 12.5 * MB  # half of it: the rest waits at the upstream
    most = memory_of(process)
    async for piece in pieces:
        received += len(piece)
        most = max(most, memory_of(process))
    await chat.function.settled()
    assert received > 25 * MB
    assert most - before < 8 * MB


@pytest.mark.parametrize(("size", "code"), [(4_100_000, 200), (5_900_000, 413)])
async def test_large_body_is_answered_or_refused(
    chat: FakeLambda, upstream: FakeUpstream, size: int, code: int
) -> None:
    messages = [{"role": "user", "content": "x" * size}]
    answer = await chat.client.post(CHAT, json=chat_body(messages=messages, stream=True))
    assert answer.status_code == code
    await chat.function.settled()
    await _stream(chat)


async def test_one_process_serves_200_streams_and_keeps_nothing(
    chat: FakeLambda, upstream: FakeUpstream
) -> None:
    for _ in range(50):
        await _stream(chat)
    process = process_of(chat)
    files, memory = open_files_of(process), memory_of(process)
    for _ in range(150):
        await _stream(chat)
    assert process_of(chat) is process
    assert open_files_of(process) <= files + 2
    assert memory_of(process) - memory < 2 * MB


async def _stream(chat: FakeLambda) -> None:
    answer = await chat.client.post(CHAT, json=chat_body(stream=True))
    assert answer.text.endswith("data: [DONE]\n\n")
    await chat.function.settled()
