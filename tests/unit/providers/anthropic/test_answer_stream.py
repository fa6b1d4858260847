"""Streamed messages as the events of a chat completion."""

import json
from typing import Any

import pytest

from tests.support.anthropic_upstream import (
    MESSAGE_STOP,
    PING,
    Event,
    block_delta,
    block_start,
    block_stop,
    events_of,
    message_delta,
    message_start,
    redacted_block,
    text_block,
    thinking_block,
    usage,
)
from tests.support.event_bytes import encoded
from tests.support.streamed_answers import pieces, read_stream
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.wire.events import Delta, Finished, StreamEvent, UsageReport
from waystation.wire.usage import Usage

HEAD = {"id": "msg_1", "model": "claude-test-1"}
BEGUN = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}
RAW = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
START = message_start()
END = [message_delta(), MESSAGE_STOP]


def parse(*events: Event | bytes) -> list[StreamEvent]:
    return read_stream(AnthropicAnswerReader(), *map(encoded, events))


def block(start: dict[str, Any], *deltas: Event) -> list[dict[str, Any]]:
    """Return the deltas of an answer of one block."""
    return pieces(parse(START, block_start(start), *deltas, block_stop(), *END))


def test_a_stream_is_deltas_usage_and_the_end():
    def delta(piece: object, finish: str | None = None, **more: object) -> Delta:
        return Delta([{"index": 0, "delta": piece, "finish_reason": finish, **more}], HEAD)

    assert parse(*events_of(text_block("Hello!"))) == [
        UsageReport(Usage(10, 1), BEGUN, HEAD),
        delta({"role": "assistant", "content": "Hel"}),
        delta({"content": "lo!"}),
        delta({}, "stop", provider_specific_fields={"native_finish_reason": "end_turn"}),
        UsageReport(Usage(10, 5), RAW, HEAD),
        Finished(),
    ]


def test_an_answer_that_says_nothing_is_an_end_alone():
    deltas = [event for event in parse(*events_of()) if isinstance(event, Delta)]
    assert deltas == [
        Delta(
            [
                {
                    "index": 0,
                    "delta": {"role": "assistant", "content": None},
                    "finish_reason": "stop",
                    "provider_specific_fields": {"native_finish_reason": "end_turn"},
                }
            ],
            HEAD,
        )
    ]


def test_the_type_of_the_data_is_enough():
    events = events_of(text_block("Hello!"))
    bare = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    assert parse(*bare) == parse(*events)


def test_the_name_of_the_event_is_enough():
    named = [
        f"event: {event['type']}\ndata: {json.dumps(event | {'type': None})}\n\n".encode()
        for event in events_of(text_block("Hello!"))
    ]
    assert parse(*named) == parse(*events_of(text_block("Hello!")))


NOISE: list[Event | bytes] = [
    PING,
    b": ping\n\n",
    b"data:\n\n",
    b"data: [DONE]\n\n",
    {"type": "message_future", "x": 1},
    {"type": "message_delta", "delta": {"stop_reason": None}},
    {"type": "message_start"},
    block_stop(7),
]


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_noise_is_no_event(noise):
    events = events_of(text_block("Hello!"))
    mixed = [events[0], *(piece for event in events[1:] for piece in (noise, event))]
    assert parse(*mixed) == parse(*events)


@pytest.mark.parametrize("kind", ["future", None])
def test_blocks_of_a_kind_unknown_here_are_skipped(kind):
    unknown = [
        block_start({"type": kind, "text": "x"}),
        block_delta("text_delta", text="x"),
        block_delta("input_json_delta", partial_json="x"),
        block_stop(),
    ]
    events = events_of(text_block("Hello!"))
    assert parse(events[0], *unknown, *events[1:]) == parse(*events)


@pytest.mark.parametrize(
    "delta",
    [
        block_delta("future_delta", text="x"),
        block_delta("thinking_delta", thinking="x"),
        {"type": "content_block_delta", "index": 0, "delta": None},
    ],
    ids=str,
)
def test_pieces_that_do_not_go_with_their_block_are_skipped(delta):
    text = block_delta("text_delta", text="Hi")
    assert block({"type": "text", "text": ""}, delta, text, delta) == [{"content": "Hi"}]


def test_a_text_may_be_in_the_start_of_its_block():
    assert block({"type": "text", "text": "Hi"}) == [{"content": "Hi"}]
    assert block({"type": "text", "text": "Hi"}, block_delta("text_delta", text="!")) == [
        {"content": "Hi"},
        {"content": "!"},
    ]


def test_thinking_is_told_as_it_comes_and_once_more_with_its_signature():
    one, hidden, two = thinking_block("ab"), redacted_block(), thinking_block("cd", "sig2")
    assert pieces(parse(*events_of(one, hidden, two, text_block("4")))) == [
        {"reasoning_content": "a"},
        {"reasoning_content": "b"},
        {"thinking_blocks": [{"index": 0, **one}]},
        {"thinking_blocks": [{"index": 1, **hidden}]},
        {"reasoning_content": "\n\nc"},
        {"reasoning_content": "d"},
        {"thinking_blocks": [{"index": 2, **two}]},
        {"content": "4"},
    ]


def test_thinking_that_is_not_shown_is_a_signature_alone():
    assert pieces(parse(*events_of(thinking_block("", "sig")))) == [
        {"thinking_blocks": [{"index": 0, **thinking_block("", "sig")}]},
    ]


def test_thinking_may_be_in_the_start_of_its_block():
    assert block(thinking_block("ab", "sig")) == [
        {"reasoning_content": "ab"},
        {"thinking_blocks": [{"index": 0, **thinking_block("ab", "sig")}]},
    ]


def test_an_index_may_be_used_again():
    first = [block_start(text_block("a")), block_start(text_block("b"))]
    assert pieces(parse(START, *first, *END)) == [{"content": "a"}, {"content": "b"}]


def test_counts_replace_earlier_ones_and_the_rest_stays():
    start = message_start(
        usage=usage(10, cache_read_input_tokens=100, service_tier="standard", cache_creation={})
    )
    counted = {"input_tokens": 20, "output_tokens": 7, "cache_read_input_tokens": None}
    told = parse(
        start, message_delta({"output_tokens": 3}, stop_reason=None), message_delta(counted)
    )
    reports = [event for event in told if isinstance(event, UsageReport)]
    assert [report.usage for report in reports] == [
        Usage(110, 1, cache_read_tokens=100),
        Usage(110, 3, cache_read_tokens=100),
        Usage(120, 7, cache_read_tokens=100),
    ]
    assert reports[-1].raw == {
        "service_tier": "standard",
        "prompt_tokens": 120,
        "completion_tokens": 7,
        "total_tokens": 127,
        "prompt_tokens_details": {"cached_tokens": 100},
    }


@pytest.mark.parametrize("told", [None, [], "x"], ids=str)
def test_no_usage_is_no_report(told):
    delta = message_delta() | {"usage": told}
    events = parse(message_start() | {"message": HEAD}, block_start(text_block("a")), delta)
    assert [type(event) for event in events] == [Delta, Delta, Finished]
    assert events[0].extra == HEAD  # type: ignore[union-attr]
