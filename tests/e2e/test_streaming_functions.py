"""The chat function in a process of its own, as Lambda runs it, streaming."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.support.anthropic_upstream import events_of, text_block
from tests.support.aws_server import KEY, AwsServer
from tests.support.chat_function import ENDING, chat_function
from tests.support.event_bytes import encoded
from tests.support.fake_lambda import FakeLambda
from tests.support.fake_upstream import (
    RESET,
    FakeUpstream,
    chunk_of,
    json_reply,
    stream_reply,
    streamed,
)
from tests.support.lambda_events import rest_event
from tests.support.responses_upstream import events_of as response_events
from tests.support.responses_upstream import text_item
from tests.support.served_gateway import CHAT, MESSAGES, chat_body, expect_error, sse_data

SPECIAL = "é\u2028\u2029\x85\U0001f600\r\n"  # what ends a line elsewhere, and long characters


@pytest.fixture(scope="module")
async def _chat(
    served_aws: AwsServer,
    acme: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[FakeLambda]:
    claude = acme | {"name": "Claude", "provider": "anthropic", "models": {"default": ["claude"]}}
    responding = acme | {"name": "Responding", "addParams": {"useResponsesApi": True}}
    directory = tmp_path_factory.mktemp("chat")
    async with chat_function(served_aws, directory, acme, claude, responding) as chat:
        yield chat


@pytest.fixture
async def chat(_chat: FakeLambda, upstream: FakeUpstream) -> FakeLambda:
    """The function, warm after the first test; it has logged nothing."""
    await _chat.function.settled()
    _chat.clear_log()
    return _chat


async def test_chat_is_answered_whole_and_settled(chat: FakeLambda, served_aws: AwsServer) -> None:
    answer = await chat.client.post(CHAT, json=chat_body())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["usage"]["cost_nanousd"] == 50_000
    record = await served_aws.record(answer.headers["x-request-id"])
    assert (record["state"], record["cost"]) == ("SETTLED", 50_000)


async def test_stream_is_settled_before_its_end(
    chat: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    upstream.answer(streamed("Hel", "lo"))
    async with chat.client.stream("POST", CHAT, json=chat_body(stream=True)) as answer:
        data = sse_data([line async for line in answer.aiter_lines()])
        record = await served_aws.record(answer.headers["x-request-id"])
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert [json.loads(one)["choices"][0]["delta"].get("content") for one in data[:2]] == [
        "Hel",
        "lo",
    ]
    assert data[-1] == "[DONE]"
    assert (record["state"], record["cost"]) == ("SETTLED", 50_000)


UPSTREAMS: dict[str, tuple[str, str, list[object]]] = {
    "chat completions": (
        CHAT,
        "Acme/acme-large",
        [chunk_of("Hel"), chunk_of("lo"), *ENDING],
    ),
    "Anthropic": (CHAT, "Claude/claude", [encoded(e) for e in events_of(text_block("Hello"))]),
    "Anthropic both ways": (
        MESSAGES,
        "Claude/claude",
        [encoded(e) for e in events_of(text_block("Hello"))],
    ),
    "Responses": (
        CHAT,
        "Responding/acme-large",
        [encoded(e) for e in response_events(text_item("Hel", "lo"))],
    ),
}


@pytest.mark.parametrize(("path", "model", "events"), UPSTREAMS.values(), ids=UPSTREAMS)
async def test_first_words_come_while_the_upstream_still_speaks(
    chat: FakeLambda, upstream: FakeUpstream, path: str, model: str, events: list[object]
) -> None:
    """The upstream pauses for a second before its last event."""
    upstream.answer(stream_reply(*events[:-1], 1.0, events[-1]))
    body = chat_body(model=model, stream=True, max_tokens=100)
    async with chat.client.stream("POST", path, json=body) as answer:
        assert answer.status_code == 200
        pieces = answer.aiter_bytes()
        await anext(pieces)
        assert not upstream.last.is_answered
        async for _ in pieces:
            pass
    assert upstream.last.is_answered


async def test_forty_events_go_out_as_forty_pieces(
    chat: FakeLambda, upstream: FakeUpstream
) -> None:
    spaced: list[object] = [0.5]  # the first byte waits for the record, and others would catch up
    for number in range(40):
        spaced += [chunk_of(f"{number} "), 0.01]
    upstream.answer(stream_reply(*spaced, *ENDING))
    body = json.dumps(chat_body(stream=True)).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    invocation = chat.function.invoke(rest_event("POST", CHAT, headers, body))
    pieces = [piece async for piece in invocation.pieces()]
    with_text = [piece for piece in pieces if b'"content"' in piece]
    assert len(with_text) == 40
    assert all(piece.count(b'"content"') == 1 for piece in with_text)


async def test_error_before_the_first_event_keeps_its_status(
    chat: FakeLambda, upstream: FakeUpstream
) -> None:
    upstream.answer(json_reply({"error": {"message": "slow down"}}, status=429))
    answer = await chat.client.post(CHAT, json=chat_body(stream=True))
    expect_error(answer, 429, "upstream_rate_limited")
    answer = await chat.client.post(CHAT, json=chat_body(), headers={"authorization": "Bearer x"})
    expect_error(answer, 401, "invalid_api_key")
    assert (await chat.client.post(MESSAGES, json={})).json()["type"] == "error"


async def test_error_after_the_first_event_is_an_event(
    chat: FakeLambda, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(chunk_of("Hel"), RESET))
    answer = await chat.client.post(CHAT, json=chat_body(stream=True))
    *_, last = sse_data(answer.text.split("\n"))
    assert answer.status_code == 200
    assert json.loads(last)["error"]["code"] == "upstream_error"


async def test_characters_arrive_whole_however_they_come(
    chat: FakeLambda, upstream: FakeUpstream
) -> None:
    """Each byte of an event comes by itself."""
    event = f"data: {json.dumps(chunk_of(SPECIAL), ensure_ascii=False)}\n\n".encode()
    bytewise = [step for byte in event for step in (bytes([byte]), 0.001)]
    upstream.answer(stream_reply(*bytewise, *ENDING))
    answer = await chat.client.post(CHAT, json=chat_body(stream=True))
    first, *_ = answer.content.split(b"\n\n")
    document = json.loads(first.removeprefix(b"data: "))
    assert document["choices"][0]["delta"]["content"] == SPECIAL
