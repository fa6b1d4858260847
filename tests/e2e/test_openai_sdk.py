"""OpenAI's own SDK against `waystation dev`, a process that asks the fake upstream."""

import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.support.dev_process import DevProcess
from tests.support.fake_upstream import (
    FakeUpstream,
    chunk_of,
    completion,
    json_reply,
    stream_reply,
    streamed,
)
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import CHAT, free_port

MODEL = "Acme/acme-large"
HELLO: Any = [{"role": "user", "content": "Hello!"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
}


@pytest.fixture(scope="module")
def dev(acme: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevProcess]:
    dead = {"name": "Dead", "baseURL": f"http://127.0.0.1:{free_port()}/v1"}
    directory = tmp_path_factory.mktemp("dev")
    environment = {"ACME_KEY": "key-of-acme"}
    with DevProcess(
        directory, config=build_config(acme, acme | dead), environment=environment
    ) as dev:
        yield dev


@pytest.fixture
def client(dev: DevProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[openai.OpenAI]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with openai.OpenAI(base_url=f"{dev.url}/v1", api_key=dev.key, max_retries=0) as client:
        yield client


def test_a_chat(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0.5)

    assert answer.choices[0].message.content == "Hello!"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 15
    assert answer.usage.model_extra == {"cost": 0.00005, "cost_nanousd": 50_000}
    assert upstream.last.json == {
        "model": "acme-large",
        "messages": HELLO,
        "user": "dev",
        "stream": False,
        "temperature": 0.5,
    }


def test_a_stream_without_usage(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    upstream.answer(streamed("Hel", "lo!"))

    stream = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    chunks = list(stream)

    assert [chunk.usage for chunk in chunks] == [None] * 3
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["Hel", "lo!", None]


def test_a_stream_with_usage(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    upstream.answer(streamed("Hel", "lo!"))

    stream = client.chat.completions.create(
        model=MODEL, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    *_, last = stream

    assert last.choices == []
    assert last.usage is not None
    assert last.usage.prompt_tokens == 10
    assert last.usage.model_extra == {"cost": 0.00005, "cost_nanousd": 50_000}


def test_a_stream_comes_piece_by_piece(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    end = chunk_of(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    upstream.answer(stream_reply(chunk_of("now"), 0.3, end, b"data: [DONE]\n\n"))

    stream = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)

    assert next(stream).choices[0].delta.content == "now"
    assert not upstream.last.is_answered
    assert len(list(stream)) == 1


def test_a_round_trip_of_tools(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    asking = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    choice = {"index": 0, "message": asking, "finish_reason": "tool_calls"}
    upstream.answer(json_reply(completion(choices=[choice])), json_reply(completion("Sunny.")))

    first = client.chat.completions.create(model=MODEL, messages=HELLO, tools=[WEATHER])
    message: Any = first.choices[0].message
    (call,) = message.tool_calls
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    second = client.chat.completions.create(
        model=MODEL, messages=[*HELLO, message, result], tools=[WEATHER]
    )

    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Paris"}')
    assert second.choices[0].message.content == "Sunny."
    assert upstream.last.json["tools"] == [WEATHER]
    assert upstream.last.json["messages"][1]["tool_calls"] == [CALL]
    assert upstream.last.json["messages"][2] == result


def test_a_message_with_an_image(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    message: Any = {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}

    client.chat.completions.create(model=MODEL, messages=[message])

    assert upstream.last.json["messages"] == [message]


def test_the_list_of_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [
        "Acme/acme-large",
        "Acme/acme-free",
        "Dead/acme-large",
        "Dead/acme-free",
    ]


async def test_the_async_client(dev: DevProcess, client: object, upstream: FakeUpstream) -> None:
    upstream.answer(streamed("Hel", "lo!"))

    async with openai.AsyncOpenAI(base_url=f"{dev.url}/v1", api_key=dev.key) as asynchronous:
        stream = await asynchronous.chat.completions.create(
            model=MODEL, messages=HELLO, stream=True
        )
        texts = [chunk.choices[0].delta.content async for chunk in stream]

    assert texts == ["Hel", "lo!", None]


def test_a_wrong_key(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key="wrong").chat.completions.create(model=MODEL, messages=HELLO)

    assert caught.value.body == {
        "message": "Incorrect API key provided.",
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }
    assert upstream.received == []


def test_an_unknown_model(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="unheard-of", messages=HELLO)

    assert caught.value.body == {
        "message": "No endpoint offers the model 'unheard-of'.",
        "type": "not_found_error",
        "param": "model",
        "code": "model_not_found",
    }


def test_an_upstream_at_its_limit(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    refusal = {"error": {"message": "Too many requests"}}
    upstream.answer(json_reply(refusal, status=429, headers=[("retry-after", "7")]))

    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO)

    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.code == "upstream_rate_limited"


def test_a_dead_upstream_is_not_asked_again(dev: DevProcess, client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.with_options(max_retries=2).chat.completions.create(
            model="Dead/acme-large", messages=HELLO
        )

    assert caught.value.status_code == 502
    assert caught.value.body == {
        "message": "The upstream cannot be reached.",
        "type": "upstream_error",
        "param": None,
        "code": "upstream_unreachable",
    }
    time.sleep(0.1)  # the line of a request is written after its answer
    assert dev.output.read_text().count('"endpoint":"Dead"') == 1


def test_a_stream_that_breaks_off_raises(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    upstream.answer(stream_reply(chunk_of("Hel"), {"error": {"message": "Overloaded"}}))

    stream = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)

    assert next(stream).choices[0].delta.content == "Hel"
    with pytest.raises(openai.APIError, match="Overloaded") as caught:
        next(stream)
    assert caught.value.code == "upstream_error"


def test_malformed_json(dev: DevProcess) -> None:
    headers = {"content-type": "application/json"}

    answer = dev.client.post(CHAT, content=b'{"model": ', headers=headers)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_json"
