"""Clients that leave the streaming function: the upstream is read to its usage, and settled."""

import asyncio

import httpx2
import pytest

from tests.support.aws_server import AwsServer
from tests.support.chat_function import ENDING
from tests.support.fake_lambda import FakeLambda
from tests.support.fake_upstream import (
    RESET,
    FakeUpstream,
    chunk_of,
    completion,
    json_reply,
    stream_reply,
)
from tests.support.served_gateway import CHAT, chat_body

TEXTS = [piece for n in range(6) for piece in (chunk_of(f"{n} "), 0.15)]


@pytest.fixture
async def chat(chat_process: FakeLambda, upstream: FakeUpstream) -> FakeLambda:
    """The function; it has logged nothing."""
    await chat_process.function.settled()
    chat_process.clear_log()
    return chat_process


async def leave_after(chat: FakeLambda, text: bytes) -> None:
    """Ask for a stream, and leave when this much has come; wait until the function is done."""
    seen = b""
    async with chat.client.stream("POST", CHAT, json=chat_body(stream=True)) as answer:
        async for piece in answer.aiter_bytes():
            seen += piece
            if text in seen:
                break
    assert text in seen
    await chat.function.settled()


async def record_of(chat: FakeLambda, served_aws: AwsServer) -> dict[str, object]:
    """Return the record of the one request, after a look at its line of the log."""
    (line,) = [line for line in chat.log() if line["message"] == "request"]
    record = await served_aws.record(line["request_id"])
    assert line.get("cost_nanousd") == record.get("cost")
    return record | {"log": line.get("error_code")}


def expect_all_of_it(record: dict[str, object], *, is_told: bool) -> None:
    """Expect the whole usage that the upstream has reported."""
    assert (record["state"], record["cost"]) == ("SETTLED", 50_000)
    assert record["usage_source"] == "upstream"
    assert record["tokens"] == {"in": 10, "out": 5}
    assert record.get("client_disconnected") == (True if is_told else None)
    assert "error_code" not in record


async def test_client_that_leaves_before_the_first_event(
    chat: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    upstream.answer([0.5, *stream_reply(*TEXTS, *ENDING)])
    with pytest.raises(httpx2.ReadTimeout):
        await chat.client.post(CHAT, json=chat_body(stream=True), timeout=0.2)
    await chat.function.settled()
    assert upstream.last.is_answered
    record = await record_of(chat, served_aws)
    expect_all_of_it(record, is_told=True)
    assert record["log"] == "client_disconnected"


@pytest.mark.parametrize("text", [b'"0 "', b'"2 "'], ids=["after one event", "in the middle"])
async def test_client_that_leaves_inside_a_stream(
    chat: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer, text: bytes
) -> None:
    upstream.answer(stream_reply(*TEXTS, *ENDING))
    await leave_after(chat, text)
    assert upstream.last.is_answered
    record = await record_of(chat, served_aws)
    expect_all_of_it(record, is_told=True)
    assert record["log"] == "client_disconnected"


async def test_client_that_leaves_with_the_last_event(
    chat: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    """The answer was settled before that event was sent."""
    upstream.answer(stream_reply(*TEXTS, *ENDING))
    await leave_after(chat, b"[DONE]")
    expect_all_of_it(await record_of(chat, served_aws), is_told=False)


async def test_client_that_stays_is_not_said_to_have_gone(
    chat: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    upstream.answer(stream_reply(*TEXTS, *ENDING))
    assert (await chat.client.post(CHAT, json=chat_body(stream=True))).text.endswith("[DONE]\n\n")
    await chat.function.settled()
    record = await record_of(chat, served_aws)
    expect_all_of_it(record, is_told=False)
    assert record["log"] is None


async def test_client_that_leaves_a_stream_that_breaks_off(
    chat: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    """What has been said is estimated; both facts stand in the record, the failure in the log."""
    upstream.answer(stream_reply(*TEXTS, RESET))
    await leave_after(chat, b'"0 "')
    record = await record_of(chat, served_aws)
    assert (record["usage_source"], record["error_code"]) == ("estimated", "upstream_error")
    assert record["client_disconnected"] is True
    assert record["log"] == "upstream_error"


async def test_client_that_leaves_before_a_whole_answer_is_charged(
    chat: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    """That it has gone shows when the answer is handed over, which is after it was settled."""
    upstream.answer([0.5, *json_reply(completion())])
    with pytest.raises(httpx2.ReadTimeout):
        await chat.client.post(CHAT, json=chat_body(), timeout=0.2)
    await chat.function.settled()
    expect_all_of_it(await record_of(chat, served_aws), is_told=False)


async def test_clients_that_leave_together_are_all_charged(
    chat: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    upstream.answer(stream_reply(*TEXTS, *ENDING))
    await asyncio.gather(*(leave_after(chat, b'"1 "') for _ in range(2)))
    records = [await served_aws.record(line["request_id"]) for line in chat.log()]
    assert [record["cost"] for record in records] == [50_000] * 2
    assert [record["client_disconnected"] for record in records] == [True] * 2
