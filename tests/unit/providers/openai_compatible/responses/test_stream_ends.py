"""How streamed responses end, well or not."""

import json
from collections.abc import Sequence

import pytest

from tests.support.event_bytes import encoded
from tests.support.mutations import mutations
from tests.support.responses_upstream import (
    Event,
    call_item,
    custom_call_item,
    ending,
    events_of,
    item_done,
    reasoning_item,
    refusal_item,
    response,
    text_delta,
    text_item,
    url_citation,
    usage,
)
from tests.support.streamed_answers import failure, read_stream
from waystation.errors import UpstreamFailedError, UpstreamInvalidResponseError
from waystation.providers.openai_compatible.responses import ResponsesAnswerReader
from waystation.wire.events import Failed, Finished, StreamEvent, UsageReport
from waystation.wire.sse import MAX_LINE_BYTES
from waystation.wire.usage import Usage

HEAD = {"id": "resp_1", "model": "upstream-model", "created": 1700000000}
RAW = {
    "prompt_tokens": 10,
    "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "completion_tokens": 5,
    "completion_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}
COUNTED = Usage(10, 5, cache_read_tokens=0, cache_write_tokens=0, reasoning_tokens=0)
CREATED: Event = {"type": "response.created", "response": response(status="in_progress")}
CUSTOM = custom_call_item("g", "xy", "c2")


def parse(*events: Event | bytes) -> list[StreamEvent]:
    return read_stream(ResponsesAnswerReader(), *map(encoded, events))


def test_nothing_counts_after_the_end():
    events = events_of(text_item("Hello!"))
    late: list[Event | bytes] = [b"data: {\n\n", {"type": "error", "message": "x"}, *events]
    assert parse(*events, *late) == parse(*events)


def test_the_end_counts_without_its_last_blank_line():
    *events, last = events_of(text_item("Hello!"))
    assert parse(*events, encoded(last).rstrip(b"\n")) == parse(*events, last)


@pytest.mark.parametrize("length", range(len(events_of(text_item("Hello!")))))
def test_the_end_of_the_bytes_before_that_of_the_response_is_a_failure(length):
    cut = events_of(text_item("Hello!"))[:length]
    assert failure(parse(*cut, b"data: [DONE]\n\n")) == (
        UpstreamInvalidResponseError,
        "The upstream's stream broke off.",
    )


ERROR = {"code": "server_error", "message": "Overloaded"}
FAILURES: dict[str, tuple[Event | bytes, str]] = {
    "failed": ({"type": "response.failed", "response": {"error": ERROR}}, "Overloaded"),
    "failed without words": ({"type": "response.failed"}, "The upstream reported an error."),
    "failed in the end": (ending(error=ERROR), "Overloaded"),
    "cancelled": (
        {"type": "response.cancelled", "response": {"status": "cancelled"}},
        "The upstream cancelled its response.",
    ),
    "cancelled in the end": (
        ending(status="cancelled") | {"type": "response.completed"},
        "The upstream cancelled its response.",
    ),
    "error": ({"type": "error", **ERROR, "param": None}, "Overloaded"),
    "error with an object": ({"type": "error", "error": ERROR}, "Overloaded"),
    "error by its event": (b'event: error\ndata: {"message":"Overloaded"}\n\n', "Overloaded"),
    "error alone": (b'data: {"error":{"message":"Overloaded"}}\n\n', "Overloaded"),
}


@pytest.mark.parametrize(("event", "told"), FAILURES.values(), ids=FAILURES)
def test_an_error_ends_the_stream(event, told):
    events = parse(CREATED, text_delta("Hi"), event, ending(text_item("Hi")))
    assert failure([event for event in events if not isinstance(event, UsageReport)]) == (
        UpstreamFailedError,
        told,
    )


def test_a_failed_response_tells_what_it_cost():
    failed = {"type": "response.failed", "response": response(status="failed", error=ERROR)}
    *_, report, last = parse(CREATED, text_delta("Hi"), failed)
    assert report == UsageReport(COUNTED, RAW, HEAD)
    assert isinstance(last, Failed)


def test_void_usage_is_reported_as_none():
    told = parse(CREATED, ending(text_item("Hi"), usage=usage(-1)))
    assert [event.usage for event in told if isinstance(event, UsageReport)] == [None]


INVALID: dict[str, Event | bytes] = {
    "not JSON": b"data: {\n\n",
    "list": b"data: []\n\n",
    "delta is a number": text_delta("") | {"delta": 1},
    "index is a text": text_delta("x", output_index="0"),
    "index is true": text_delta("x", output_index=True),
    "item is a text": {"type": "response.output_item.done", "item": "x"},
    "call without a name": item_done(call_item("", "{}")),
    "arguments are an object": item_done(call_item("f", "{}") | {"arguments": {}}),
    "response is a list": {"type": "response.completed", "response": []},
    "deep": b"data: " + b'{"a":' * 65 + b"1" + b"}" * 65 + b"\n\n",
}


@pytest.mark.parametrize("event", INVALID.values(), ids=INVALID)
def test_what_is_no_event_ends_the_stream_and_is_not_shown(event):
    assert failure(parse(CREATED, text_delta("Hi"), event, ending())) == (
        UpstreamInvalidResponseError,
        "The upstream's answer is not a response.",
    )


@pytest.mark.parametrize("is_at_the_end", [False, True])
def test_a_stream_without_measure_is_a_failure(is_at_the_end):
    line = b"data: " + b"x" * (MAX_LINE_BYTES - 10)
    lines = [line + b"\n", line + b"\n", line] if is_at_the_end else [b"x" * (MAX_LINE_BYTES + 1)]
    assert failure(parse(*lines)) == (
        UpstreamInvalidResponseError,
        "An event of the upstream's stream is too large.",
    )


def test_what_is_wrong_in_one_place_ends_in_exactly_one_last_event():
    item = text_item("Hi", citations=[url_citation(0, 2, "u", "t")])
    good = events_of(reasoning_item("s"), item, refusal_item("no"), call_item("f", "{}"), CUSTOM)
    kinds = [event["type"] for event in good]
    for position in sorted(map(kinds.index, {*kinds})):  # the first event of each kind
        before, after = map(joined, (good[:position], good[position + 1 :]))
        for wrong in mutations(good[position]):
            data = f"data: {json.dumps(wrong)}\n\n".encode()
            *others, last = parse(before + data + after)
            assert isinstance(last, Finished | Failed)
            assert not [other for other in others if isinstance(other, Finished | Failed)]


def joined(events: Sequence[Event]) -> bytes:
    return b"".join(map(encoded, events))
