"""Anthropic's own SDK through the gateway to an upstream that speaks the same API."""

import json
from typing import Any

import anthropic
import pytest

from tests.support.anthropic_upstream import (
    MESSAGE_STOP,
    PING,
    block_delta,
    block_start,
    error,
    events_of,
    message,
    message_start,
    messages_refused,
    messages_reply,
    messages_streamed,
    redacted_block,
    search_block,
    search_result_block,
    text_block,
    thinking_block,
    tool_block,
    usage,
    web_citation,
)
from tests.support.event_bytes import encoded
from tests.support.fake_upstream import FakeUpstream, json_reply, stream_reply
from tests.support.served_gateway import KEY, MESSAGES, ServedGateway

MODEL = "Claude/claude-sonnet-4-5"
HELLO: Any = [{"role": "user", "content": "Hello!"}]
ASKED: Any = {"model": MODEL, "max_tokens": 2000, "messages": HELLO}
URL = "https://acme.test/weather"
BLOCKS = [
    thinking_block("Let me look."),
    redacted_block(),
    search_block(),
    search_result_block(URL, "Weather"),
    text_block("It is sunny.", [web_citation(URL, "Weather")]),
    tool_block("umbrella", {"open": False, "süß": [1.5, None]}),
]
COUNTED = usage(cache_read_input_tokens=100, cache_creation_input_tokens=20)
NANOUSD = 130 * 3000 + 5 * 15000


def test_a_message_goes_on_as_it_came(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    upstream.answer(messages_reply(text_block("Hi.")))
    marked = {"type": "text", "text": "Hello!", "cache_control": {"type": "ephemeral"}}
    body: Any = {
        "max_tokens": 2000,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": [marked, {"type": "new_block", "x": [None]}]}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [{"type": "new_tool_20270101", "name": "n"}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "stop_sequences": ["END"],
        "service_tier": "standard_only",
    }

    claude_client.messages.create(
        model=MODEL, **body, metadata={"user_id": "mallory"}, extra_body={"unheard_of": {"a": 1}}
    )

    assert upstream.last.json == {
        "model": "claude-sonnet-4-5",
        **body,
        "unheard_of": {"a": 1},
        "metadata": {"user_id": "alice"},
        "stream": False,
    }


def test_headers_are_the_entrys_and_then_the_clients(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    upstream.answer(messages_reply(text_block("Hi.")))
    own = {"anthropic-beta": "new-2027-01-01, context-1m-2025-08-07", "anthropic-version": "2027"}

    claude_client.messages.create(**ASKED, extra_headers=own)

    assert upstream.last.path == MESSAGES
    assert upstream.last.header("x-api-key") == ["key-of-acme-5b1f7a3c"]
    assert upstream.last.header("anthropic-beta") == ["context-1m-2025-08-07,new-2027-01-01"]
    assert upstream.last.header("anthropic-version") == ["2027"]
    assert upstream.last.header("authorization") == []
    assert KEY.encode() not in upstream.last.raw


@pytest.mark.parametrize("beta", ["a b", "a,b\u00e9", ",".join(f"b-{n}" for n in range(33))])
def test_betas_are_names(
    messages_gateway: ServedGateway, upstream: FakeUpstream, beta: str
) -> None:
    answer = messages_gateway.client.post(
        MESSAGES, json=ASKED, headers={b"anthropic-beta": beta.encode("latin-1")}
    )

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert upstream.received == []


def test_a_whole_answer_comes_back_as_it_is_with_its_cost(
    messages_gateway: ServedGateway, upstream: FakeUpstream
) -> None:
    whole = message(*BLOCKS, stop_reason="tool_use", usage=COUNTED, unheard_of={"a": [None]})
    upstream.answer(json_reply(whole))

    answer = messages_gateway.client.post(MESSAGES, json=ASKED)

    cost = {"cost": NANOUSD / 1e9, "cost_nanousd": NANOUSD}
    assert answer.json() == {**whole, "usage": {**COUNTED, **cost}}
    record = messages_gateway.record_of(answer)
    assert (record["cost"], record["upstream_id"], record["endpoint"]) == (
        NANOUSD,
        "msg_1",
        "Claude",
    )
    assert record["tokens"] == {"in": 130, "out": 5, "cacheRead": 100, "cacheWrite": 20}


def test_a_stream_comes_back_as_it_is_with_its_cost(
    messages_gateway: ServedGateway, upstream: FakeUpstream
) -> None:
    sent = events_of(*BLOCKS, stop_reason="tool_use", usage=COUNTED)
    sent[1:1] = [PING, {"type": "new_event", "x": {"y": None}}]
    sent[-2]["unheard_of"] = 1
    upstream.answer(stream_reply(*map(encoded, sent)))

    answer = messages_gateway.client.post(MESSAGES, json={**ASKED, "stream": True})

    received = [text.split("\ndata: ") for text in answer.text.removesuffix("\n\n").split("\n\n")]
    assert [name for name, _ in received] == [f"event: {event['type']}" for event in sent]
    cost = {"cost": NANOUSD / 1e9, "cost_nanousd": NANOUSD}
    sent[-2]["usage"] |= cost
    assert [json.loads(data) for _, data in received] == sent
    assert messages_gateway.record_of(answer)["cost"] == NANOUSD


def test_a_stream_is_what_the_sdk_makes_of_the_whole(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    fields = {"stop_reason": "tool_use", "usage": COUNTED}
    upstream.answer(messages_streamed(*BLOCKS, **fields), messages_reply(*BLOCKS, **fields))

    with claude_client.messages.stream(**ASKED) as stream:
        streamed = stream.get_final_message()
    whole = claude_client.messages.create(**ASKED)

    assert _content(streamed) == _content(whole)
    assert streamed.stop_reason == whole.stop_reason
    assert streamed.usage.input_tokens == whole.usage.input_tokens == 10


def test_a_stream_that_is_answered_whole_is_told_as_a_stream(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    upstream.answer(messages_reply(*BLOCKS, stop_reason="tool_use", usage=COUNTED))

    with claude_client.messages.stream(**ASKED) as stream:
        told = stream.get_final_message()
    whole = claude_client.messages.create(**ASKED)

    assert _content(told) == _content(whole)
    assert (told.stop_reason, told.usage.output_tokens) == ("tool_use", 5)


REFUSALS = {
    "invalid_request_error": anthropic.BadRequestError,
    "not_found_error": anthropic.NotFoundError,
    "request_too_large": anthropic.RequestTooLargeError,
    "rate_limit_error": anthropic.RateLimitError,
    "authentication_error": anthropic.InternalServerError,
    "overloaded_error": anthropic.InternalServerError,
}


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_keeps_its_status(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream, kind: str, *, is_stream: bool
) -> None:
    upstream.answer(messages_refused(kind, "No, key-of-acme-5b1f7a3c."))

    with pytest.raises(REFUSALS[kind]) as caught:
        claude_client.messages.create(**ASKED, stream=is_stream)

    is_ours = REFUSALS[kind] is anthropic.InternalServerError
    assert caught.value.type == ("api_error" if is_ours else kind)
    assert "key-of-acme" not in str(caught.value.body)


def test_an_error_before_the_first_event_keeps_its_status(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(encoded(error("rate_limit_error", "Slow down."))))

    with pytest.raises(anthropic.RateLimitError):
        claude_client.messages.create(**ASKED, stream=True)


def test_an_error_inside_a_stream_is_an_event(
    claude_client: anthropic.Anthropic, messages_gateway: ServedGateway, upstream: FakeUpstream
) -> None:
    begun = [message_start(), block_start({"type": "text", "text": ""})]
    said = block_delta("text_delta", text="Hel")
    broken = error("overloaded_error", "Overloaded, key-of-acme-5b1f7a3c.")
    upstream.answer(stream_reply(*map(encoded, [*begun, said]), 0.1, encoded(broken)))

    with claude_client.messages.stream(**ASKED) as stream:
        texts = iter(stream.text_stream)
        assert next(texts) == "Hel"
        with pytest.raises(anthropic.APIStatusError) as caught:
            next(texts)

    told: Any = caught.value.body
    assert told["error"] == {"type": "api_error", "message": "Overloaded, [REDACTED]."}
    record = messages_gateway.record_of(stream.response)
    assert (record["state"], record["error_code"]) == ("SETTLED", "upstream_error")


def test_a_stream_without_its_end_is_an_error(
    messages_gateway: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(encoded(message_start()), encoded(PING)))

    answer = messages_gateway.client.post(MESSAGES, json={**ASKED, "stream": True})

    *_, last = answer.text.removesuffix("\n\n").split("\n\n")
    assert last.startswith("event: error\ndata: ")
    assert "broke off" in last


def test_usage_that_is_not_told_is_estimated(
    messages_gateway: ServedGateway, upstream: FakeUpstream
) -> None:
    whole = message(text_block("Hi there."))
    del whole["usage"]
    begun = message_start()
    del begun["message"]["usage"]
    upstream.answer(
        json_reply(whole),
        stream_reply(
            *map(encoded, [begun, block_start({"type": "text", "text": ""})]),
            encoded(block_delta("text_delta", text="Hi there.")),
            encoded({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
            encoded(MESSAGE_STOP),
        ),
    )

    answer = messages_gateway.client.post(MESSAGES, json=ASKED)
    streamed = messages_gateway.client.post(MESSAGES, json={**ASKED, "stream": True})

    cost = {"cost": 0.000051, "cost_nanousd": 51_000}
    expected = {"input_tokens": 2, "output_tokens": 3, "estimated": True, **cost}
    assert answer.json()["usage"] == expected
    assert json.loads(streamed.text.split("\ndata: ")[-2].split("\n")[0])["usage"] == expected


def test_tokens_are_counted_by_the_upstream(
    claude_client: anthropic.Anthropic, messages_gateway: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(json_reply({"input_tokens": 14}))
    before = len(messages_gateway.records())

    counted = claude_client.messages.count_tokens(
        model=MODEL, messages=HELLO, system="Be brief.", extra_headers={"anthropic-beta": "b-1"}
    )

    assert counted.input_tokens == 14
    assert upstream.last.path == "/v1/messages/count_tokens"
    assert upstream.last.header("x-api-key") == ["key-of-acme-5b1f7a3c"]
    assert upstream.last.header("anthropic-beta") == ["context-1m-2025-08-07,b-1"]
    assert upstream.last.json == {
        "model": "claude-sonnet-4-5",
        "messages": HELLO,
        "system": "Be brief.",
    }
    assert len(messages_gateway.records()) == before


def test_a_count_that_fails_keeps_its_status(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    upstream.answer(
        messages_refused("invalid_request_error", "No such field."), json_reply({"tokens": 1})
    )

    with pytest.raises(anthropic.BadRequestError, match="No such field"):
        claude_client.messages.count_tokens(model=MODEL, messages=HELLO)
    with pytest.raises(anthropic.APIStatusError, match="no count of tokens"):
        claude_client.messages.count_tokens(model=MODEL, messages=HELLO)


def _content(message: anthropic.types.Message) -> list[dict[str, object]]:
    return [block.to_dict() for block in message.content]
