"""OpenAI's own SDK and its chat completions, answered by an upstream's Messages API."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.support.anthropic_upstream import (
    error,
    events_of,
    messages_refused,
    messages_reply,
    messages_streamed,
    redacted_block,
    text_block,
    thinking_block,
    tool_block,
    usage,
)
from tests.support.event_bytes import encoded
from tests.support.fake_upstream import FakeUpstream, stream_reply
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import ServedGateway

MODEL = "Acme/claude-sonnet-4-5"
HELLO: Any = [{"role": "user", "content": "Hello!"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture(scope="module")
def native(
    acme: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedGateway]:
    rates = {"prompt": 2, "completion": 6, "context": 200_000, "cacheRead": 0.5, "cacheWrite": 2.5}
    entry = acme | {
        "provider": "anthropic",
        "models": {"default": ["claude-sonnet-4-5"]},
        "tokenConfig": {"claude-sonnet-4-5": rates | {"cacheWrite1h": 4}},
    }
    directory = tmp_path_factory.mktemp("native")
    with ServedGateway(build_config(entry), directory, ACME_KEY="key-of-acme") as served:
        yield served


@pytest.fixture
def client(native: ServedGateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[openai.OpenAI]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    url = f"http://127.0.0.1:{native.port}/v1"
    with openai.OpenAI(base_url=url, api_key="key-of-alice", max_retries=0) as client:
        yield client


def test_a_chat(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    upstream.answer(messages_reply(text_block("Hello!")))

    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": "Be brief."}, *HELLO],
        temperature=0.5,
        max_tokens=40,
        stop=["END"],
    )

    assert upstream.last.path == "/v1/messages"
    assert upstream.last.header("x-api-key") == ["key-of-acme"]
    assert upstream.last.header("authorization") == []
    assert upstream.last.header("anthropic-version") == ["2023-06-01"]
    assert upstream.last.json == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 40,
        "stream": False,
        "system": "Be brief.",
        "messages": HELLO,
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "alice"},
    }
    assert (answer.id, answer.object, answer.model) == ("msg_1", "chat.completion", "claude-test-1")
    assert answer.created > 1_700_000_000
    assert answer.choices[0].message.content == "Hello!"
    assert answer.choices[0].finish_reason == "stop"


def test_a_stream(client: openai.OpenAI, upstream: FakeUpstream, native: ServedGateway) -> None:
    upstream.answer(messages_streamed(thinking_block("Hm."), text_block("Hello!")))

    chunks = list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True))

    assert upstream.last.json["stream"] is True
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "Hello!"
    thoughts = [(delta.model_extra or {}).get("reasoning_content", "") for delta in deltas]
    assert "".join(thoughts) == "Hm."
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)


def test_tools_over_two_turns_while_thinking(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    thinking: Any = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    thought = thinking_block("It needs the weather.")
    call = tool_block("weather", {"city": "Paris"})
    upstream.answer(
        messages_streamed(
            thought, redacted_block(), text_block("I look."), call, stop_reason="tool_use"
        )
    )
    with client.chat.completions.stream(
        model=MODEL, messages=HELLO, tools=[WEATHER], max_tokens=2000, extra_body=thinking
    ) as stream:
        for _ in stream:
            pass
        said = stream.get_final_completion().choices[0]

    assert said.finish_reason == "tool_calls"
    assert said.message.tool_calls is not None
    assert said.message.tool_calls[0].function.arguments == '{"city":"Paris"}'

    upstream.answer(messages_reply(text_block("21 °C.")))
    turns: Any = [
        *HELLO,
        said.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": said.message.tool_calls[0].id, "content": "21"},
    ]
    answer = client.chat.completions.create(
        model=MODEL, messages=turns, tools=[WEATHER], max_tokens=2000, extra_body=thinking
    )

    assert answer.choices[0].message.content == "21 °C."
    sent = upstream.last.json
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 1024}
    assert sent["tools"] == [{"name": "weather", "input_schema": SCHEMA}]
    assert sent["messages"][1]["content"] == [
        thought,
        redacted_block(),
        {"type": "text", "text": "I look."},
        call,
    ]
    assert sent["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "21"}
    ]


def test_a_picture(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    upstream.answer(messages_reply(text_block("A cat.")))
    parts: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]

    client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])

    assert upstream.last.json["messages"][0]["content"][1] == {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
    }
    assert upstream.last.json["max_tokens"] == 64_000


def test_cached_tokens_have_their_rates(
    client: openai.OpenAI, upstream: FakeUpstream, native: ServedGateway
) -> None:
    counted = usage(
        10,
        5,
        cache_read_input_tokens=100,
        cache_creation_input_tokens=30,
        cache_creation={"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
    )
    upstream.answer(messages_reply(text_block("Hello!"), usage=counted))

    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    answer = raw.parse()

    cost = 10 * 2000 + 100 * 500 + 20 * 2500 + 10 * 4000 + 5 * 6000
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 140
    assert (answer.usage.model_extra or {})["cost_nanousd"] == cost
    record = native.record_of(raw.http_response)
    assert record["cost"] == cost
    assert record["tokens"] == {
        "in": 140,
        "out": 5,
        "cacheRead": 100,
        "cacheWrite": 30,
        "cacheWrite1h": 10,
    }


REFUSALS = {
    "invalid_request_error": openai.BadRequestError,
    "rate_limit_error": openai.RateLimitError,
    "overloaded_error": openai.InternalServerError,
    "authentication_error": openai.InternalServerError,
}


@pytest.mark.parametrize(("kind", "raised"), REFUSALS.items())
def test_a_refusal_is_the_sdks_own_error(
    client: openai.OpenAI, upstream: FakeUpstream, kind: str, raised: type[openai.APIStatusError]
) -> None:
    upstream.answer(messages_refused(kind, "Not now."))

    with pytest.raises(raised):
        client.chat.completions.create(model=MODEL, messages=HELLO)


def test_an_error_in_the_stream_ends_it(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    begun = [encoded(event) for event in events_of(text_block("Hel"))[:4]]
    upstream.answer(stream_reply(*begun, encoded(error("overloaded_error", "Overloaded."))))

    told: list[str] = []
    stream = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    with pytest.raises(openai.APIError, match="Overloaded"):
        told.extend(c.delta.content or "" for chunk in stream for c in chunk.choices)

    assert "".join(told) == "Hel"


def test_what_cannot_be_said_is_refused(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    for field in ({"n": 2}, {"logprobs": True}, {"seed": 1}):
        with pytest.raises(openai.BadRequestError, match=next(iter(field))):
            client.chat.completions.create(model=MODEL, messages=HELLO, **field)
    assert upstream.received == []


def test_a_stream_that_is_cut_is_charged_what_was_told(
    client: openai.OpenAI, upstream: FakeUpstream, native: ServedGateway
) -> None:
    begun = [encoded(event) for event in events_of(text_block("word " * 800))[:4]]
    upstream.answer(stream_reply(*begun, encoded(error("api_error"))))

    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO, stream=True)
    texts: list[str] = []
    with pytest.raises(openai.APIError):
        texts.extend(chunk.choices[0].delta.content or "" for chunk in raw.parse())
    told = len("".join(texts))

    record = native.record_of(raw.http_response)
    assert told > 1000
    assert record["tokens"] == {"in": 10, "out": -(-told // 4)}
    assert record["usage_source"] == "estimated"
    assert record["cost"] == 10 * 2000 + -(-told // 4) * 6000
