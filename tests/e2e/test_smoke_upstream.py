"""What `make smoke-aws` deploys and measures, with both functions streaming as Lambda has them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.aws_server import KEY, AwsServer, aws_server
from tests.support.fake_lambda import ROOT, FakeLambda, fake_lambda
from tests.support.fake_upstream import FakeUpstream, json_reply, stream_reply, streamed
from tests.support.served_gateway import CHAT, chat_body
from waystation_cli.smoke.stacks import DEMO_COST_NANOUSD, DEMO_MODEL, WORDS, demo_config
from waystation_cli.smoke.timing import Stream, stream_chat

UPSTREAM = ROOT / "tools" / "waystation_cli" / "smoke" / "upstream"
SECRET = "known-to-the-gateway-alone"
SPACING_S = 0.1
ENVIRONMENT = {
    "KEY_DIGEST": hashlib.sha256(SECRET.encode()).hexdigest(),
    "WORDS": str(WORDS),
    "SPACING_MS": str(round(SPACING_S * 1000)),
}


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with aws_server(SMOKE_API_KEY=SECRET) as aws:
        yield aws


@pytest.fixture
async def words(tmp_path: Path) -> AsyncIterator[FakeLambda]:
    """The upstream behind a function URL."""
    async with fake_lambda(UPSTREAM, tmp_path, environment=ENVIRONMENT, version="2.0") as words:
        words.client.headers["authorization"] = f"Bearer {SECRET}"
        yield words


async def measure(url: str, key: str, body: object) -> Stream:
    def read() -> Stream:
        with httpx2.Client(trust_env=False, timeout=30) as client:
            return stream_chat(client, url, {"Authorization": f"Bearer {key}"}, body)

    return await asyncio.to_thread(read)


async def test_events_pass_both_functions_one_by_one(
    words: FakeLambda, aws: AwsServer, tmp_path: Path
) -> None:
    directory = tmp_path / "chat"
    directory.mkdir()
    config = demo_config(str(words.client.base_url), is_public=False)
    environment = aws.environment(config)
    code = ROOT / "functions" / "chat"
    async with fake_lambda(code, directory, environment=environment, timeout_s=60) as chat:
        body = chat_body(model=DEMO_MODEL, stream=True)
        stream = await measure(f"{chat.client.base_url}{CHAT}", KEY, body)
        record = await aws.record(stream.request_id)
    assert (stream.status, stream.is_complete, len(stream.events_s)) == (200, True, WORDS)
    assert stream.verdict(SPACING_S) == "one by one"
    assert (record["state"], record["cost"]) == ("SETTLED", DEMO_COST_NANOUSD)


async def test_the_upstream_answers_whole_too(words: FakeLambda) -> None:
    answer = await words.client.post(CHAT, json=chat_body())
    whole = answer.json()
    assert whole["choices"][0]["message"]["content"].split() == [str(n) for n in range(WORDS)]
    assert whole["usage"]["completion_tokens"] == WORDS


@pytest.mark.parametrize("given", ["", "Bearer", f"Basic {SECRET}", f"Bearer {SECRET}x"])
async def test_the_upstream_answers_nobody_else(words: FakeLambda, given: str) -> None:
    answer = await words.client.post(CHAT, json=chat_body(), headers={"authorization": given})
    assert answer.status_code == 401


async def test_the_upstream_has_no_other_route(words: FakeLambda) -> None:
    assert (await words.client.get("/")).status_code == 404


async def test_a_stream_that_comes_at_its_end_is_told(upstream: FakeUpstream) -> None:
    upstream.answer([0.5, *streamed(*map(str, range(WORDS)))])
    stream = await measure(f"{upstream.url}/chat", "any", {})
    assert (stream.is_complete, len(stream.events_s)) == (True, WORDS)
    assert stream.verdict(SPACING_S) == stream.verdict() == "at once"


async def test_a_stream_that_breaks_off_is_no_whole_one(upstream: FakeUpstream) -> None:
    upstream.answer(stream_reply({"error": {"code": "upstream_error"}}))
    stream = await measure(f"{upstream.url}/chat", "any", {})
    assert (stream.status, stream.is_complete, stream.events_s) == (200, False, ())
    assert "upstream_error" in stream.problem


async def test_a_refusal_is_told(upstream: FakeUpstream) -> None:
    upstream.answer(json_reply({"error": {"code": "no_such_thing"}}, status=404))
    stream = await measure(f"{upstream.url}/chat", "any", {})
    assert (stream.status, stream.is_complete) == (404, False)
    assert "no_such_thing" in stream.problem
