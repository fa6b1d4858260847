"""The chat function behind a function URL, as docs/streaming.md has it."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws_server import KEY, AwsServer
from tests.support.fake_lambda import ROOT, FakeLambda, fake_lambda
from tests.support.fake_upstream import (
    DONE,
    FakeUpstream,
    chunk_of,
    completion,
    json_reply,
    stream_reply,
)
from tests.support.lambda_events import url_event, with_authorizer
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import CHAT, chat_body, expect_error, sse_data
from tests.support.template import TEMPLATE, load

CODE = ROOT / "functions" / "chat"
ORIGIN = "https://app.example.com"
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
SIGNED = {"iam": {"accountId": "123456789012", "userArn": "arn:aws:iam::1:user/x", "userId": "U"}}


@pytest.fixture(scope="module")
async def _chat(
    served_aws: AwsServer,
    acme: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[FakeLambda]:
    environment = served_aws.environment(build_config(acme), CORS_ORIGINS=ORIGIN)
    directory = tmp_path_factory.mktemp("chat")
    async with fake_lambda(CODE, directory, environment=environment, version="2.0") as chat:
        chat.client.headers["authorization"] = f"Bearer {KEY}"
        yield chat


@pytest.fixture
async def chat(_chat: FakeLambda, upstream: FakeUpstream) -> FakeLambda:
    await _chat.function.settled()
    return _chat


async def test_stream_passes_while_the_upstream_still_speaks(
    chat: FakeLambda, upstream: FakeUpstream, served_aws: AwsServer
) -> None:
    """The upstream pauses for a second before its last event."""
    upstream.answer(stream_reply(chunk_of("Hel"), chunk_of("lo"), chunk_of(usage=USAGE), 1.0, DONE))
    async with chat.client.stream("POST", CHAT, json=chat_body(stream=True)) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        first = await anext(lines)
        assert not upstream.last.is_answered
        data = sse_data([first, *[line async for line in lines]])
    assert (json.loads(data[0])["choices"][0]["delta"]["content"], data[-1]) == ("Hel", "[DONE]")
    record = await served_aws.record(answer.headers["x-request-id"])
    assert (record["state"], record["cost"]) == ("SETTLED", 50_000)


async def test_whole_answer_passes(chat: FakeLambda) -> None:
    answer = await chat.client.post(CHAT, json=chat_body())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["usage"]["cost_nanousd"] == 50_000


async def test_errors_of_the_gateway_keep_their_form(
    chat: FakeLambda, upstream: FakeUpstream
) -> None:
    upstream.answer(json_reply({"error": {"message": "slow down"}}, status=429))
    answer = await chat.client.post(CHAT, json=chat_body(stream=True))
    expect_error(answer, 429, "upstream_rate_limited")
    answer = await chat.client.post(CHAT, json=chat_body(), headers={"authorization": "Bearer x"})
    expect_error(answer, 401, "invalid_api_key")


async def test_signature_is_no_key_and_hides_one(chat: FakeLambda) -> None:
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101", "x-api-key": KEY}
    expect_error(
        await chat.client.post(CHAT, json=chat_body(), headers=signed), 401, "invalid_api_key"
    )


@pytest.mark.parametrize("path", ["/v1/models", "/prod/v1/chat/completions", "/"])
async def test_there_are_no_other_routes(chat: FakeLambda, path: str) -> None:
    expect_error(await chat.client.post(path, json=chat_body()), 404, "not_found")


async def test_browsers_of_listed_origins_may_call(chat: FakeLambda) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    answer = await chat.client.options(CHAT, headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, ORIGIN)


@pytest.mark.parametrize("context", [None, SIGNED], ids=["NONE", "AWS_IAM"])
async def test_nobody_gets_in_where_an_authorizer_decides(
    served_aws: AwsServer,
    acme: dict[str, object],
    upstream: FakeUpstream,
    tmp_path: Path,
    context: object,
) -> None:
    environment = served_aws.environment(build_config(acme), AUTH_MODES="authorizer")
    upstream.answer(json_reply(completion()))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    body = json.dumps(chat_body()).encode()
    event = with_authorizer(url_event, context)("POST", CHAT, headers, body)
    async with fake_lambda(CODE, tmp_path, environment=environment) as chat:
        answer, fault = await chat.invoke(event)
    head, _, told = answer.partition(b"\0" * 8)
    assert (json.loads(head)["statusCode"], fault, upstream.received) == (401, None, [])
    assert json.loads(told)["error"]["code"] == "invalid_api_key"


def _documented() -> dict[str, Any]:
    text = (ROOT / "docs" / "streaming.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return load(snippet)


def _merged(into: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    both = {n: _merged(into[n], v) for n, v in more.items() if isinstance(into.get(n), dict)}
    return {**into, **more, **both}


def test_documented_change_of_the_template_is_one() -> None:
    changed = _merged(TEMPLATE, _documented())
    chat = changed["Resources"]["ChatFunction"]["Properties"]
    assert chat["FunctionUrlConfig"] == {
        "AuthType": "NONE",
        "InvokeMode": {"Fn::If": ["Streams", "RESPONSE_STREAM", "BUFFERED"]},
    }
    assert chat["Environment"]["Variables"]["RESPONSE_MODE"] == {"Ref": "ResponseMode"}
    assert changed["Outputs"].keys() - TEMPLATE["Outputs"].keys() == {"ChatUrl"}


def test_documented_change_of_the_template_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(_merged(TEMPLATE, _documented())), encoding="utf-8")
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
