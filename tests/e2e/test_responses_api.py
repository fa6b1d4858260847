"""OpenAI's own SDK and its chat completions, answered by an upstream's Responses API."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.support.event_bytes import encoded
from tests.support.fake_upstream import FakeUpstream, json_reply, stream_reply
from tests.support.lambda_gateway import build_config
from tests.support.responses_upstream import (
    call_item,
    events_of,
    reasoning_item,
    response,
    responses_reply,
    responses_streamed,
    search_item,
    text_item,
    url_citation,
    usage,
)
from tests.support.served_gateway import ServedGateway

MODEL = "Acme/acme-large"
HELLO: Any = [{"role": "user", "content": "Hello!"}]
HELLO_ITEM = {"type": "message", "role": "user", "content": "Hello!"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
SEARCHING: Any = {"type": "web_search"}
COST = {"cost": 0.00005, "cost_nanousd": 50_000}


@pytest.fixture(scope="module")
def responding(
    acme: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedGateway]:
    config = build_config(acme | {"addParams": {"useResponsesApi": True}})
    directory = tmp_path_factory.mktemp("responding")
    with ServedGateway(config, directory, ACME_KEY="key-of-acme") as served:
        yield served


@pytest.fixture
def client(responding: ServedGateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[openai.OpenAI]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    url = f"http://127.0.0.1:{responding.port}/v1"
    with openai.OpenAI(base_url=url, api_key="key-of-alice", max_retries=0) as client:
        yield client


def test_a_chat(client: openai.OpenAI, upstream: FakeUpstream, responding: ServedGateway) -> None:
    upstream.answer(responses_reply(text_item("Hello!")))

    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=HELLO, temperature=0.5, max_tokens=40
    )
    answer = raw.parse()

    assert upstream.last.path == "/v1/responses"
    assert upstream.last.header("authorization") == ["Bearer key-of-acme"]
    assert upstream.last.json == {
        "model": "acme-large",
        "user": "alice",
        "stream": False,
        "temperature": 0.5,
        "max_output_tokens": 40,
        "text": {},
        "input": [HELLO_ITEM],
    }
    assert (answer.id, answer.object, answer.created) == ("resp_1", "chat.completion", 1700000000)
    assert answer.choices[0].message.content == "Hello!"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 15
    assert answer.usage.model_extra == COST
    record = responding.record_of(raw.http_response)
    assert (record["cost"], record["upstream_id"]) == (50_000, "resp_1")


def test_a_stream_hides_usage_unless_asked(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    upstream.answer(responses_streamed(text_item("Hello!")))

    chunks = list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True))

    assert upstream.last.json == {
        "model": "acme-large",
        "user": "alice",
        "stream": True,
        "text": {},
        "input": [HELLO_ITEM],
    }
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["Hel", "lo!", None]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, "stop"]
    assert {(chunk.id, chunk.model) for chunk in chunks} == {("resp_1", "upstream-model")}
    assert [chunk.usage for chunk in chunks] == [None] * 3


def test_a_stream_tells_usage_and_cost(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    counts = usage(10, 5, cached=4, reasoning=2)
    upstream.answer(responses_streamed(text_item("Hello!"), usage=counts))

    stream = client.chat.completions.create(
        model=MODEL, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    *_, last = stream

    assert "stream_options" not in upstream.last.json
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.prompt_tokens_details is not None
    assert last.usage.prompt_tokens_details.cached_tokens == 4
    assert last.usage.completion_tokens_details is not None
    assert last.usage.completion_tokens_details.reasoning_tokens == 2
    # 6 tokens at 2 USD a million, 4 cached ones at 0.5, 5 received ones at 6
    assert last.usage.model_extra == {"cost": 0.000044, "cost_nanousd": 44_000}


def test_a_tool_loop_keeps_its_reasoning(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    reasoning = reasoning_item("I need the weather.", encrypted="gAAAAAB")
    arguments = '{"city":"Paris"}'
    upstream.answer(
        responses_streamed(reasoning, call_item("weather", arguments)),
        responses_streamed(text_item("Sunny.")),
    )

    with client.chat.completions.stream(model=MODEL, messages=HELLO, tools=[WEATHER]) as first:
        message = first.get_final_completion().choices[0].message
    (call,) = message.tool_calls or []
    said: Any = message.to_dict()
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    with client.chat.completions.stream(
        model=MODEL, messages=[*HELLO, said, result], tools=[WEATHER]
    ) as second:
        answer = second.get_final_completion()

    assert (call.function.name, call.function.arguments) == ("weather", arguments)
    assert said["reasoning_content"] == "I need the weather."
    assert answer.choices[0].message.content == "Sunny."
    sent = upstream.last.json
    assert sent["tools"] == [
        {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
    ]
    assert sent["input"] == [
        HELLO_ITEM,
        reasoning,
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": arguments},
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
    ]


def test_reasoning(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    thought = reasoning_item("First.", "Second.")
    upstream.answer(responses_reply(thought, text_item("4"), usage=usage(reasoning=3)))

    answer = client.chat.completions.create(
        model=MODEL, messages=HELLO, reasoning_effort="high", verbosity="low"
    )

    assert upstream.last.json["reasoning"] == {"effort": "high"}
    assert upstream.last.json["text"] == {"verbosity": "low"}
    message = answer.choices[0].message
    assert message.content == "4"
    assert message.model_extra == {
        "reasoning_content": "First.\n\nSecond.",
        "reasoning_items": [thought],
    }


def test_structured_output(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    class City(BaseModel):
        name: str

    upstream.answer(responses_reply(text_item('{"name":"Paris"}')))

    answer = client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=City)

    assert answer.choices[0].message.parsed == City(name="Paris")
    sent = upstream.last.json["text"]["format"]
    assert (sent["type"], sent["name"], sent["strict"]) == ("json_schema", "City", True)
    assert sent["schema"]["required"] == ["name"]
    assert sent.keys() == {"type", "name", "strict", "schema"}


def test_vision(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    upstream.answer(responses_reply(text_item("A dot.")))
    url = "data:image/png;base64,iVBORw0KGgo="
    image = {"type": "image_url", "image_url": {"url": url, "detail": "low"}}
    message: Any = {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}

    client.chat.completions.create(model=MODEL, messages=[message])

    assert upstream.last.json["input"] == [
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is it?"},
                {"type": "input_image", "image_url": url, "detail": "low"},
            ],
        }
    ]


def test_citations_of_a_search(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    citation = url_citation(0, 6, "https://weather.test", "Weather")
    items = [search_item(), text_item("Sunny. Warm.", citations=[citation])]
    upstream.answer(responses_reply(*items), responses_streamed(*items))

    answer = client.chat.completions.create(model=MODEL, messages=HELLO, tools=[SEARCHING])
    with client.chat.completions.stream(model=MODEL, messages=HELLO, tools=[SEARCHING]) as stream:
        streamed = stream.get_final_completion()

    assert upstream.last.json["tools"] == [SEARCHING]
    for message in (answer.choices[0].message, streamed.choices[0].message):
        (note,) = message.annotations or []
        assert message.content == "Sunny. Warm."
        assert note.url_citation.url == "https://weather.test"
        assert message.content[note.url_citation.start_index : note.url_citation.end_index] == (
            "Sunny."
        )


def test_a_refusal_of_the_upstream(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    told = {
        "message": "Unsupported value: 'text.verbosity'.",
        "type": "invalid_request_error",
        "param": "text.verbosity",
        "code": "unsupported_value",
    }
    upstream.answer(json_reply({"error": told}, status=400))

    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO, verbosity="low")

    assert caught.value.body == told


def test_what_the_api_cannot_do_is_refused(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO, n=2)

    assert caught.value.body == {
        "message": "n cannot be expressed in OpenAI's Responses API.",
        "type": "invalid_request_error",
        "param": "n",
        "code": "invalid_body",
    }
    assert upstream.received == []


FAILED = {"code": "server_error", "message": "The model is overloaded."}


def test_a_response_that_fails_in_its_midst(client: openai.OpenAI, upstream: FakeUpstream) -> None:
    *events, _ = events_of(text_item("Hello!"))
    failed = {"type": "response.failed", "response": response(status="failed", error=FAILED)}
    upstream.answer(stream_reply(*map(encoded, events), encoded(failed)))

    stream = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)

    assert [next(stream).choices[0].delta.content for _ in range(2)] == ["Hel", "lo!"]
    with pytest.raises(openai.APIError, match="overloaded") as caught:
        next(stream)
    assert caught.value.code == "upstream_error"


def test_a_response_that_fails_at_once_is_an_error_with_a_status(
    responding: ServedGateway, upstream: FakeUpstream
) -> None:
    created, *_ = events_of()
    failed = {
        "type": "response.failed",
        "response": response(status="failed", error=FAILED, usage=usage(0, 0)),
    }
    upstream.answer(stream_reply(encoded(created), encoded(failed)))

    answer = responding.chat(stream=True)

    assert answer.status_code == 502
    assert answer.json()["error"]["message"] == "The model is overloaded."
    record = responding.record_of(answer)
    assert (record["cost"], record["error_code"]) == (0, "upstream_error")


def test_an_answer_given_whole_to_a_streamed_request_is_streamed(
    client: openai.OpenAI, upstream: FakeUpstream
) -> None:
    upstream.answer(responses_reply(text_item("Hello!")))

    (chunk,) = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)

    assert chunk.choices[0].delta.content == "Hello!"
    assert chunk.choices[0].finish_reason == "stop"
