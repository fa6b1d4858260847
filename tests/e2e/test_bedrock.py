"""OpenAI's own SDK and the built-in endpoint bedrock, over boto3 and real event streams."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.support.bedrock_upstream import (
    converse_refused,
    converse_reply,
    converse_streamed,
    point_boto3_at,
    reasoning_block,
    text_block,
    tool_block,
)
from tests.support.fake_upstream import FakeUpstream
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import ServedGateway

MODEL = "bedrock/anthropic.claude-sonnet-4-5-v1:0"
HELLO: Any = [{"role": "user", "content": "Hello!"}]
WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": {}}}
VARIABLES = {
    "BEDROCK_AWS_DEFAULT_REGION": "eu-central-1",
    "BEDROCK_AWS_ACCESS_KEY_ID": "AKIAOFOPERATOR",
    "BEDROCK_AWS_SECRET_ACCESS_KEY": "secret-of-the-operator",
}


@pytest.fixture
def client(
    upstream: FakeUpstream, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[openai.OpenAI]:
    point_boto3_at(upstream, monkeypatch)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ServedGateway(build_config(), tmp_path, **VARIABLES) as served:
        url = f"http://127.0.0.1:{served.port}/v1"
        with openai.OpenAI(base_url=url, api_key="key-of-alice", max_retries=0) as client:
            yield client


def test_a_chat(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    upstream.answer(converse_reply(text_block("Hello!")))

    answer = client.chat.completions.create(
        model=MODEL, messages=HELLO, max_tokens=40, temperature=0.5
    )

    assert upstream.last.path == "/model/anthropic.claude-sonnet-4-5-v1%3A0/converse"
    (signature,) = upstream.last.header("authorization")
    assert "Credential=AKIAOFOPERATOR/" in signature
    assert "/eu-central-1/bedrock/" in signature
    assert upstream.last.json["inferenceConfig"] == {"maxTokens": 40, "temperature": 0.5}
    assert upstream.last.json["messages"] == [{"role": "user", "content": [{"text": "Hello!"}]}]
    assert answer.choices[0].message.content == "Hello!"
    assert answer.created > 1_700_000_000
    assert answer.usage is not None
    assert answer.usage.total_tokens == 15


def test_a_stream_with_reasoning_and_a_call(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    blocks = (
        reasoning_block("Hm."),
        text_block("I look."),
        tool_block("weather", {"city": "Paris"}),
    )
    upstream.answer(converse_streamed(*blocks, stopReason="tool_use"))

    with client.chat.completions.stream(model=MODEL, messages=HELLO, tools=[WEATHER]) as stream:
        for _ in stream:
            pass
        choice = stream.get_final_completion().choices[0]

    assert upstream.last.path.endswith("/converse-stream")
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "I look."
    assert (choice.message.model_extra or {})["reasoning_content"] == "Hm."
    assert choice.message.tool_calls is not None
    assert choice.message.tool_calls[0].function.name == "weather"


REFUSALS = {
    "ThrottlingException": openai.RateLimitError,
    "AccessDeniedException": openai.InternalServerError,
    "ValidationException": openai.BadRequestError,
    "ServiceUnavailableException": openai.InternalServerError,
}


@pytest.mark.parametrize(("code", "raised"), REFUSALS.items())
def test_a_refusal_is_the_sdks_own_error(
    client: openai.OpenAI, upstream: FakeUpstream, code: str, raised: type[openai.APIStatusError]
) -> None:
    upstream.answer(converse_refused(code))

    with pytest.raises(raised) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO)

    assert "secret-of-the-operator" not in str(caught.value)
