"""How streamed messages end, well or not."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.anthropic_upstream import (
    MESSAGE_STOP,
    STATUSES,
    Event,
    block_delta,
    block_start,
    block_stop,
    error,
    events_of,
    message_delta,
    message_start,
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
from tests.support.mutations import mutations
from tests.support.streamed_answers import failure, read_stream
from waystation.errors import UpstreamError, UpstreamFailedError, UpstreamInvalidResponseError
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.wire.events import Delta, Failed, Finished, StreamEvent, UsageReport
from waystation.wire.sse import MAX_LINE_BYTES
from waystation.wire.usage import Usage

HEAD = {"id": "msg_1", "model": "claude-test-1"}
BEGUN = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}
START = message_start()
TEXT = block_start(text_block("Hi"))
BROKE_OFF = (UpstreamInvalidResponseError, "The upstream's stream broke off.")


def parse(*events: Event | bytes) -> list[StreamEvent]:
    return read_stream(AnthropicAnswerReader(), *map(encoded, events))


def endings(events: Sequence[StreamEvent]) -> list[dict[str, Any]]:
    """Return the choices that say why the answer ended."""
    choices: list[Any] = [e.choices[0] for e in events if isinstance(e, Delta)]
    return [choice for choice in choices if choice["finish_reason"]]


def test_nothing_counts_after_the_end():
    events = events_of(text_block("Hello!"))
    late: list[Event | bytes] = [b"data: {\n\n", error("api_error"), *events]
    assert parse(*events, *late) == parse(*events)


def test_the_end_counts_without_its_last_blank_line():
    *events, last = events_of(text_block("Hello!"))
    assert parse(*events, encoded(last).rstrip(b"\n")) == parse(*events, last)


def test_the_end_of_the_bytes_after_a_reason_is_an_end():
    *events, stop = events_of(text_block("Hello!"))
    assert parse(*events) == parse(*events, stop)


@pytest.mark.parametrize("length", range(len(events_of(text_block("Hello!"))) - 2))
def test_the_end_of_the_bytes_before_a_reason_is_a_failure(length):
    cut = events_of(text_block("Hello!"))[:length]
    assert failure(parse(*cut, b"data: [DONE]\n\n")) == BROKE_OFF


def test_counts_are_reported_before_a_failure():
    events = parse(START, TEXT)
    assert [event for event in events if not isinstance(event, Delta)] == [
        UsageReport(Usage(10, 1), BEGUN, HEAD),
        events[-1],
    ]
    assert failure(events) == BROKE_OFF


def test_nothing_is_said_before_the_model_says_something():
    begun = [START, block_start({"type": "text", "text": ""}), error("overloaded_error")]
    assert [type(event) for event in parse(*begun)] == [UsageReport, Failed]


def test_an_end_without_a_reason_is_an_end():
    told = parse(START, TEXT, MESSAGE_STOP)
    assert endings(told) == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert isinstance(told[-1], Finished)
    call = parse(START, block_start(tool_block("f", {})), MESSAGE_STOP)
    assert [ending["finish_reason"] for ending in endings(call)] == ["tool_calls"]


def test_blocks_that_never_stop_are_whole_at_the_end():
    told = parse(START, block_start(thinking_block("t")), message_delta())
    assert told[2].choices[0]["delta"] == {  # type: ignore[union-attr]
        "thinking_blocks": [{"index": 0, **thinking_block("t")}]
    }


def test_the_end_is_told_once_and_nothing_is_said_after_it():
    deltas = [message_delta(), TEXT, block_stop(9), message_delta(stop_reason="max_tokens")]
    told = parse(START, TEXT, *deltas, MESSAGE_STOP)
    assert [ending["finish_reason"] for ending in endings(told)] == ["stop"]
    assert [type(event) for event in told] == [
        UsageReport,
        Delta,
        Delta,
        UsageReport,
        UsageReport,
        Finished,
    ]


def test_what_goes_with_the_end_may_come_in_several_events():
    container = {"id": "c"}
    told = parse(
        START,
        message_delta(stop_reason=None, container=container),
        message_delta(stop_reason="stop_sequence", stop_sequence="END"),
        MESSAGE_STOP,
    )
    assert endings(told)[0]["provider_specific_fields"] == {
        "native_finish_reason": "stop_sequence",
        "stop_sequence": "END",
        "container": container,
    }


@pytest.mark.parametrize("kind", STATUSES)
def test_an_error_in_a_stream_is_the_one_that_comes_alone(kind):
    with pytest.raises(UpstreamError) as caught:
        AnthropicAnswerReader().parse(json.dumps(error(kind, "Later.")).encode())
    (last,) = parse(error(kind, "Later."))
    assert isinstance(last, Failed)
    assert (type(last.error), vars(last.error)) == (type(caught.value), vars(caught.value))


FAILURES: dict[str, tuple[Event | bytes, str]] = {
    "error": (error("overloaded_error", "Overloaded"), "Overloaded"),
    "error by its event": (b'event: error\ndata: {"message":"Overloaded"}\n\n', "Overloaded"),
    "error alone": (b'data: {"error":{"message":"Overloaded"}}\n\n', "Overloaded"),
    "error without words": ({"type": "error"}, "The upstream reported an error."),
}


@pytest.mark.parametrize(("event", "told"), FAILURES.values(), ids=FAILURES)
def test_an_error_ends_the_stream(event, told):
    events = parse(START, TEXT, event, *events_of(text_block("Hi")))
    assert failure(events) == (UpstreamFailedError, told)


def test_an_error_after_the_reason_for_the_end_is_a_failure():
    events = parse(START, TEXT, message_delta(), error("api_error"))
    assert failure(events) == (UpstreamFailedError, "No.")


INVALID: dict[str, Event | bytes] = {
    "not JSON": b"data: {\n\n",
    "list": b"data: []\n\n",
    "text is a number": block_delta("text_delta", text=1),
    "delta is a text": {"type": "content_block_delta", "index": 0, "delta": "x"},
    "delta of no block": block_delta("text_delta", 1, text="x"),
    "delta of a block that stopped": b"".join(
        map(encoded, (block_stop(), block_delta("text_delta", text="x")))
    ),
    "no index": {"type": "content_block_stop"},
    "index is a text": block_stop() | {"index": "0"},
    "index is true": block_stop() | {"index": True},
    "index is negative": block_stop(-1),
    "index is too large": block_start(text_block("x"), 10_000),
    "block is a text": {"type": "content_block_start", "index": 1, "content_block": "x"},
    "call without a name": block_start(tool_block("", {}), 1),
    "call without an id": block_start(tool_block("f", {}, ""), 1),
    "input is a list": b"".join(
        map(encoded, (block_start(tool_block("f", {}) | {"input": []}, 1), block_stop(1)))
    ),
    "citation is a text": block_delta("citations_delta", citation="x"),
    "reason is a number": message_delta(stop_reason=1),
    "message is a list": {"type": "message_start", "message": []},
    "deep": b"data: " + b'{"a":' * 65 + b"1" + b"}" * 65 + b"\n\n",
}


@pytest.mark.parametrize("event", INVALID.values(), ids=INVALID)
def test_what_is_no_event_ends_the_stream_and_is_not_shown(event):
    assert failure(parse(START, TEXT, event, *events_of(text_block("Hi")))) == (
        UpstreamInvalidResponseError,
        "The upstream's answer is not a message.",
    )


def test_calls_are_bounded():
    calls = [block_start(tool_block("f", {}), index) for index in range(129)]
    assert isinstance(parse(START, *calls[:128], MESSAGE_STOP)[-1], Finished)
    assert failure(parse(START, *calls, MESSAGE_STOP))[0] is UpstreamInvalidResponseError


@pytest.mark.parametrize("is_at_the_end", [False, True])
def test_an_event_that_is_too_large_is_a_failure(is_at_the_end):
    line = b"data: " + b"x" * (MAX_LINE_BYTES - 10)
    lines = [line + b"\n", line + b"\n", line] if is_at_the_end else [b"x" * (MAX_LINE_BYTES + 1)]
    assert failure(parse(*lines)) == (
        UpstreamInvalidResponseError,
        "An event of the upstream's stream is too large.",
    )


def test_what_is_wrong_in_one_place_ends_in_exactly_one_last_event():
    good = events_of(
        thinking_block("t"),
        redacted_block(),
        search_block(),
        search_result_block("https://a.test", "A"),
        text_block("Hi", [web_citation("https://a.test", "A")]),
        tool_block("f", {"a": 1}),
        usage=usage(cache_creation_input_tokens=3, cache_creation={"ephemeral_1h_input_tokens": 3}),
    )
    for position, event in enumerate(good):
        before, after = map(joined, (good[:position], good[position + 1 :]))
        for wrong in mutations(event):
            data = f"data: {json.dumps(wrong)}\n\n".encode()
            *others, last = parse(before + data + after)
            assert isinstance(last, Finished | Failed)
            assert not [other for other in others if isinstance(other, Finished | Failed)]


def joined(events: Sequence[Event]) -> bytes:
    return b"".join(map(encoded, events))
