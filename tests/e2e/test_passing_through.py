"""What passes both ways unharmed: unknown fields, tools, images, reasoning."""

from typing import Any

from tests.support.fake_upstream import (
    DONE,
    FakeUpstream,
    chunk_of,
    completion,
    json_reply,
    stream_reply,
)
from tests.support.lambda_gateway import LambdaGateway

PARIS: dict[str, Any] = {"role": "user", "content": "What is the weather in Paris?"}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
TOOL_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
}


def test_unknown_fields_pass_both_ways(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    unknown: dict[str, Any] = {
        "future": {"deep": [1, 2.5, True, "ü\u2028"]},
        "provider": {"only": ["x"]},
    }
    upstream.answer(json_reply(completion(service_tier="flex", future={"x": [1]})))

    answer = gateway.chat(**unknown)

    sent = upstream.last.json
    assert {name: sent[name] for name in unknown} == unknown
    assert (answer.json["service_tier"], answer.json["future"]) == ("flex", {"x": [1]})


def test_unknown_fields_of_a_stream_pass(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    delta = {"content": "Hi\u2028!", "future": {"x": 1}, "annotations": [{"url": "u"}]}
    choice = {"index": 0, "delta": delta, "logprobs": {"content": []}, "finish_reason": "stop"}
    piece = chunk_of(choices=[choice], system_fingerprint="fp", service_tier="flex")
    upstream.answer(stream_reply(piece, DONE))

    assert gateway.chat(stream=True).chunks == [piece]


def test_null_is_absent(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    gateway.chat(temperature=None, stop=None, tools=None, stream=None, endpoint=None, user=None)

    assert upstream.last.json == {
        "model": "acme-large",
        "messages": [{"role": "user", "content": "Hi!"}],
        "user": "alice",
        "stream": False,
    }


def test_null_inside_a_message_is_kept(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    messages = [PARIS, {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}]

    gateway.chat(messages=messages)

    assert upstream.last.json["messages"] == messages


def test_tools_make_the_round_trip(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
    choice = {"index": 0, "message": call, "finish_reason": "tool_calls"}
    upstream.answer(json_reply(completion(choices=[choice])))
    messages = [PARIS, call, {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]

    answer = gateway.chat(messages=messages, tools=[TOOL], tool_choice="auto")

    assert answer.json["choices"] == [choice]
    assert upstream.last.json["tools"] == [TOOL]
    assert upstream.last.json["tool_choice"] == "auto"
    assert upstream.last.json["messages"] == messages


def test_streamed_tool_calls_pass_piece_by_piece(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    first = {"index": 0, **TOOL_CALL, "function": {"name": "weather", "arguments": ""}}
    pieces = [
        chunk_of(choices=[{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}])
        for call in (first, {"index": 0, "function": {"arguments": '{"city":'}})
    ]
    end = chunk_of(choices=[{"index": 0, "delta": {}, "finish_reason": "tool_calls"}])
    upstream.answer(stream_reply(*pieces, end, DONE))

    assert gateway.chat(stream=True, tools=[TOOL]).chunks == [*pieces, end]


def test_images_reach_the_upstream(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    message = {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}

    gateway.chat(messages=[message])

    assert upstream.last.json["messages"] == [message]


def test_reasoning_comes_back_whole(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    message = {"role": "assistant", "content": "4", "reasoning_content": "2 and 2"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    usage |= {"completion_tokens_details": {"reasoning_tokens": 4}}  # type: ignore[dict-item]
    upstream.answer(json_reply(completion(choices=[choice], usage=usage)))

    answer = gateway.chat(reasoning_effort="low")

    assert answer.json["choices"] == [choice]
    assert gateway.record_of(answer)["tokens"] == {"in": 10, "out": 5, "reasoning": 4}
    assert upstream.last.json["reasoning_effort"] == "low"


def test_reasoning_comes_back_streamed(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    thought, told = (
        chunk_of(choices=[{"index": 0, "delta": delta, "finish_reason": None}])
        for delta in ({"reasoning": "2 and 2"}, {"reasoning_content": "2 and 2"})
    )
    end = chunk_of(choices=[{"index": 0, "delta": {"content": "4"}, "finish_reason": "stop"}])
    upstream.answer(stream_reply(thought, end, DONE))

    assert gateway.chat(stream=True).chunks == [told, end]


def test_an_answer_given_whole_to_a_streamed_request_is_streamed(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    answer = gateway.chat(stream=True)

    (chunk,) = answer.chunks
    assert chunk["object"] == "chat.completion.chunk"
    assert chunk["choices"] == [
        {"index": 0, "finish_reason": "stop", "delta": {"role": "assistant", "content": "Hello!"}}
    ]
    assert gateway.record_of(answer)["cost"] == 50_000


def test_upstream_headers_do_not_come_back(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    headers = [
        ("set-cookie", "session=upstream"),
        ("server", "upstream"),
        ("access-control-allow-origin", "*"),
        ("x-amzn-requestid", "upstream"),
        ("openai-organization", "org"),
    ]
    upstream.answer(json_reply(completion(), headers=headers))

    gateway.chat()
    answer = gateway.chat()

    assert answer.headers.keys() == {
        "content-length",
        "content-type",
        "x-request-id",
        "x-content-type-options",
        "cache-control",
    }
    assert upstream.last.header("cookie") == []
