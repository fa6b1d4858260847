"""The streaming function when its time is over, its upstream takes too long, or it is killed."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.support.aws_server import AwsServer
from tests.support.chat_function import chat_function, process_of
from tests.support.fake_lambda import FakeLambda
from tests.support.fake_upstream import (
    FakeUpstream,
    chunk_of,
    completion,
    json_reply,
    stream_reply,
    streamed,
)
from tests.support.served_gateway import (
    CHAT,
    MESSAGES,
    chat_body,
    expect_broken_off,
    expect_error,
    sse_data,
)

TIMEOUT_S = 6.0  # 3 of them are for the upstream


@pytest.fixture(scope="module")
async def _hasty(
    served_aws: AwsServer,
    acme: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[FakeLambda]:
    directory = tmp_path_factory.mktemp("hasty")
    async with chat_function(served_aws, directory, acme, timeout_s=TIMEOUT_S) as chat:
        yield chat


@pytest.fixture
async def hasty(_hasty: FakeLambda, upstream: FakeUpstream) -> FakeLambda:
    """A warm function with little time."""
    for _ in range(10):  # the start does not count, nor what is fetched once
        await _hasty.function.settled()
        if await is_served(_hasty, upstream):
            break
    return _hasty


@pytest.fixture(scope="module")
async def _impatient(
    served_aws: AwsServer,
    acme: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[FakeLambda]:
    directory = tmp_path_factory.mktemp("impatient")
    async with chat_function(
        served_aws, directory, acme, FIRST_BYTE_TIMEOUT_S="1", IDLE_TIMEOUT_S="1"
    ) as chat:
        yield chat


@pytest.fixture
async def impatient(_impatient: FakeLambda) -> FakeLambda:
    """A function whose upstreams have a second to begin, and a second to go on."""
    await _impatient.function.settled()
    return _impatient


async def is_served(chat: FakeLambda, upstream: FakeUpstream) -> bool:
    upstream.answer(streamed("Hello!"))
    answer = await chat.client.post(CHAT, json=chat_body(stream=True))
    await chat.function.settled()
    return answer.text.endswith("data: [DONE]\n\n")


async def expect_served(chat: FakeLambda, upstream: FakeUpstream) -> None:
    assert await is_served(chat, upstream)


async def expect_estimated(served_aws: AwsServer, answer: httpx2.Response, tokens: object) -> None:
    record = await served_aws.record(answer.headers["x-request-id"])
    assert (record["state"], record["usage_source"]) == ("SETTLED", "estimated")
    assert (record["error_code"], record["tokens"]) == ("upstream_timeout", tokens)


async def test_time_that_is_over_inside_a_stream_is_its_last_event(
    hasty: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    process = process_of(hasty)
    upstream.answer(stream_reply(chunk_of("Hel"), 30.0))
    answer = await hasty.client.post(CHAT, json=chat_body(stream=True))
    expect_broken_off(answer, "upstream_timeout", "Hel")
    assert "[DONE]" not in answer.text
    await hasty.function.settled()
    await expect_estimated(served_aws, answer, {"in": 1, "out": 1})
    await expect_served(hasty, upstream)
    assert process_of(hasty) is process


async def test_time_that_is_over_inside_a_message_is_an_event_of_its_api(
    hasty: FakeLambda, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(chunk_of("Hel"), 30.0))
    body = chat_body(stream=True, max_tokens=9)
    answer = await hasty.client.post(MESSAGES, json=body)
    *_, last = sse_data(answer.text.split("\n"))
    assert json.loads(last)["error"]["type"] == "timeout_error"
    assert "message_stop" not in answer.text


async def test_time_that_is_over_before_the_first_event_is_504(
    hasty: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    process = process_of(hasty)
    upstream.answer(stream_reply(b": ping\n\n", 30.0))
    answer = await hasty.client.post(CHAT, json=chat_body(stream=True))
    expect_error(answer, 504, "upstream_timeout")
    assert answer.headers["x-should-retry"] == "false"
    await hasty.function.settled()
    await expect_estimated(served_aws, answer, {"in": 1, "out": 0})
    await expect_served(hasty, upstream)
    assert process_of(hasty) is process


HEARTBEATS = [step for _ in range(30) for step in (b": ping\n\n", 0.1)]


@pytest.mark.parametrize(
    "late",
    [[30.0], stream_reply(*HEARTBEATS, chunk_of("Hi"))],
    ids=["silent", "heartbeats only"],
)
async def test_operator_says_how_long_an_upstream_may_take_to_begin(
    impatient: FakeLambda, upstream: FakeUpstream, late
) -> None:
    upstream.answer(late)
    answer = await impatient.client.post(CHAT, json=chat_body(stream=True))
    expect_error(answer, 504, "upstream_timeout")


async def test_operator_says_how_long_an_upstream_may_be_silent(
    impatient: FakeLambda, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(chunk_of("Hel"), 0.5, chunk_of("lo"), 30.0))
    answer = await impatient.client.post(CHAT, json=chat_body(stream=True))
    expect_broken_off(answer, "upstream_timeout", "Hel", "lo")


async def test_whole_answer_may_take_longer_to_begin(
    impatient: FakeLambda, upstream: FakeUpstream
) -> None:
    upstream.answer([1.5, *json_reply(completion())])
    answer = await impatient.client.post(CHAT, json=chat_body())
    assert answer.status_code == 200


async def test_process_that_is_killed_inside_a_stream_is_replaced(
    impatient: FakeLambda, upstream: FakeUpstream
) -> None:
    """The client's answer ends, but not as a whole one does."""
    await expect_served(impatient, upstream)
    process = process_of(impatient)
    upstream.answer(stream_reply(chunk_of("Hel"), 0.8, chunk_of("lo"), 0.8, chunk_of("!")))
    seen: list[bytes] = []

    async def read() -> None:
        async with impatient.client.stream("POST", CHAT, json=chat_body(stream=True)) as answer:
            assert answer.status_code == 200
            async for piece in answer.aiter_bytes():
                if not seen:
                    process.kill()
                seen.append(piece)

    with pytest.raises(httpx2.RemoteProtocolError):
        await read()
    assert b"Hel" in seen[0]
    assert b"[DONE]" not in b"".join(seen)
    await impatient.function.settled()
    await expect_served(impatient, upstream)
    assert process_of(impatient).pid != process.pid
