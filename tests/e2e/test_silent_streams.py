"""Streams whose upstream is silent for a while: by the server of `waystation dev`, and by Lambda's.

Pings come after 0.2 seconds here.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator

import anthropic
import openai
import pytest

from tests.support.anthropic_upstream import events_of, text_block
from tests.support.aws_server import KEY, AwsServer
from tests.support.chat_function import ENDING, PINGING_CODE, chat_function
from tests.support.event_bytes import encoded
from tests.support.fake_lambda import FakeLambda
from tests.support.fake_upstream import FakeUpstream, chunk_of, json_reply, stream_reply
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import CHAT, MESSAGES, ServedGateway, chat_body, expect_error

COMMENT, EVENT = ": ping\n\n", 'event: ping\ndata: {"type": "ping"}\n\n'
ROUTES = {"OpenAI": (CHAT, COMMENT), "Anthropic": (MESSAGES, EVENT)}
EITHER_ROUTE = pytest.mark.parametrize(("path", "ping"), ROUTES.values(), ids=ROUTES)
SILENT = stream_reply(chunk_of("Hel"), 0.7, chunk_of("lo"), *ENDING)


class PingingGateway(ServedGateway):
    """A gateway that is quick to ping."""

    ping_after_s = 0.2


@pytest.fixture(scope="module")
def claude(acme: dict[str, object]) -> dict[str, object]:
    return acme | {"name": "Claude", "provider": "anthropic", "models": {"default": ["claude"]}}


@pytest.fixture(scope="module")
def dev(
    acme: dict[str, object],
    claude: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ServedGateway]:
    directory = tmp_path_factory.mktemp("pinging")
    config = build_config(acme, claude)
    with PingingGateway(config, directory, ACME_KEY="key-of-acme") as dev:
        yield dev


@pytest.fixture(scope="module")
async def function(
    served_aws: AwsServer,
    acme: dict[str, object],
    claude: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[FakeLambda]:
    directory = tmp_path_factory.mktemp("pinging")
    async with chat_function(served_aws, directory, acme, claude, code=PINGING_CODE) as function:
        yield function


def expect_pings(text: str, ping: str) -> None:
    """Expect two pings or more, between two whole events."""
    events = re.findall(r".*?\n\n", text, re.DOTALL)
    assert "".join(events) == text
    places = [place for place, event in enumerate(events) if event == ping]
    assert len(places) >= 2
    assert places == list(range(places[0], places[-1] + 1))
    before, after = "".join(events[: places[0]]), "".join(events[places[-1] + 1 :])
    assert '"Hel"' in before
    assert '"lo"' in after
    assert "ping" not in before + after


@EITHER_ROUTE
def test_dev_server_pings(dev: ServedGateway, upstream: FakeUpstream, path: str, ping: str) -> None:
    upstream.answer(SILENT)
    answer = dev.client.post(path, json=chat_body(stream=True, max_tokens=9))
    expect_pings(answer.text, ping)
    assert dev.record_of(answer)["cost"] == 50_000


@EITHER_ROUTE
async def test_function_pings(
    function: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer, path: str, ping: str
) -> None:
    upstream.answer(SILENT)
    answer = await function.client.post(path, json=chat_body(stream=True, max_tokens=9))
    expect_pings(answer.text, ping)
    assert (await served_aws.record(answer.headers["x-request-id"]))["cost"] == 50_000


def test_nothing_is_sent_before_the_first_event(dev: ServedGateway, upstream: FakeUpstream) -> None:
    heartbeats = [piece for _ in range(5) for piece in (b": ping\n\n", 0.1)]
    error = {"error": {"message": "Overloaded"}}
    upstream.answer(stream_reply(*heartbeats, error))
    expect_error(dev.chat(stream=True), 502, "upstream_error")
    upstream.answer([0.5, *json_reply(error, status=429)])
    expect_error(dev.chat(stream=True), 429, "upstream_rate_limited")


def test_pings_of_an_upstream_before_its_message_are_no_event(
    dev: ServedGateway, upstream: FakeUpstream
) -> None:
    """Nor do they pass: an error that follows keeps its status."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    upstream.answer(stream_reply(encoded({"type": "ping"}), encoded(error)))
    body = chat_body(model="Claude/claude", stream=True, max_tokens=9)
    answer = dev.client.post(MESSAGES, json=body)
    assert answer.status_code == 502
    assert answer.json()["type"] == "error"


def test_last_event_of_a_stream_that_breaks_off_is_its_error(
    dev: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(chunk_of("Hel"), 0.5, is_complete=False))
    text = dev.chat(stream=True).text
    *_, last = text.removesuffix("\n\n").split("\n\n")
    assert COMMENT in text
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "upstream_invalid_response"
    assert "[DONE]" not in text


def test_official_clients_read_over_pings(
    dev: ServedGateway, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    url = f"http://127.0.0.1:{dev.port}"
    upstream.answer(SILENT)
    with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        chunks = client.chat.completions.create(
            model="Acme/acme-large", messages=[{"role": "user", "content": "Hi!"}], stream=True
        )
        texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(texts) == "Hello"
    start, opened, *rest = map(encoded, events_of(text_block("Hello")))
    upstream.answer(stream_reply(start, opened, 0.5, *rest))
    with (
        anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0) as claude,
        claude.messages.stream(
            model="Claude/claude", messages=[{"role": "user", "content": "Hi!"}], max_tokens=9
        ) as stream,
    ):
        assert "".join(stream.text_stream) == "Hello"


def test_client_that_leaves_in_silence_is_noticed(
    dev: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(chunk_of("Hel"), 0.5, b"".join(map(_sse, ENDING))))
    before = len(dev.records())
    with dev.client.stream("POST", CHAT, json=chat_body(stream=True)) as answer:
        next(answer.iter_bytes())
    dev.records(at_least=before + 1)
    record = dev.record_of(answer)
    assert (record["client_disconnected"], record["cost"]) == (True, 50_000)


async def test_failed_ping_tells_the_function_that_its_client_has_gone(
    function: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    """Nothing else is sent between the client's going and the settling."""
    upstream.answer(stream_reply(chunk_of("Hel"), 1.5, b"".join(map(_sse, ENDING))))
    async with function.client.stream("POST", CHAT, json=chat_body(stream=True)) as answer:
        await anext(answer.aiter_bytes())
    await function.function.settled()
    record = await served_aws.record(answer.headers["x-request-id"])
    assert (record["client_disconnected"], record["cost"]) == (True, 50_000)


def _sse(piece: object) -> bytes:
    return piece if isinstance(piece, bytes) else f"data: {json.dumps(piece)}\n\n".encode()
