"""Answers of chat completions, whole and streamed."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.errors import UpstreamError, UpstreamFailedError, UpstreamInvalidResponseError
from waystation.providers.openai_compatible.parse import ChatStreamParser, parse_completion
from waystation.wire.events import Completion, Delta, Failed, Finished, StreamEvent, UsageReport
from waystation.wire.sse import MAX_LINE_BYTES
from waystation.wire.usage import Usage

NOT_A_COMPLETION = "The upstream's answer is not a chat completion."
BROKE_OFF = "The upstream's stream broke off."
HEAD = {"id": "c1", "model": "m"}


def chunk(delta: object = None, *, finish: str | None = None, index: object = 0, **extra) -> bytes:
    choice = {"index": index, "delta": {} if delta is None else delta, "finish_reason": finish}
    return data({**HEAD, "choices": [choice], **extra})


def data(document: object) -> bytes:
    return f"data: {json.dumps(document)}\n\n".encode()


def parse(*pieces: bytes) -> list[StreamEvent]:
    parser = ChatStreamParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


def delta(delta: object = None, finish: str | None = None, **extra) -> Delta:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return Delta([choice], {**HEAD, **extra})


def failure(events: list[StreamEvent]) -> tuple[type[UpstreamError], str]:
    *others, last = events
    assert isinstance(last, Failed)
    assert not [event for event in others if isinstance(event, Failed | Finished)]
    return type(last.error), last.error.message


DONE = b"data: [DONE]\n\n"
STOP = chunk(finish="stop")
RAW = {"prompt_tokens": 3, "completion_tokens": 4}


def test_stream_is_deltas_usage_and_the_end():
    usage = data({**HEAD, "choices": [], "usage": RAW})
    events = parse(chunk({"content": "H"}, usage=None), chunk({"content": "i"}), STOP, usage, DONE)
    assert events == [
        delta({"content": "H"}),
        delta({"content": "i"}),
        delta(finish="stop"),
        UsageReport(Usage(3, 4), RAW, HEAD),
        Finished(),
    ]


def test_interleaved_tool_calls_pass_as_they_came():
    deltas = [
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
    ]
    end = chunk(finish="tool_calls")
    events = parse(*(chunk(piece) for piece in deltas), end, DONE)
    assert events == [*(delta(piece) for piece in deltas), delta(finish="tool_calls"), Finished()]


def test_usage_beside_choices_is_told_apart():
    assert parse(chunk({"content": "a"}, finish="stop", usage=RAW), DONE) == [
        delta({"content": "a"}, finish="stop"),
        UsageReport(Usage(3, 4), RAW, HEAD),
        Finished(),
    ]


def test_each_usage_is_reported_so_that_the_last_one_counts():
    reports = [{"prompt_tokens": 3, "completion_tokens": n} for n in (1, 2, 5)]
    events = parse(*(data({"choices": [], "usage": raw}) for raw in reports), STOP)
    assert [event.usage for event in events if isinstance(event, UsageReport)] == [
        Usage(3, 1),
        Usage(3, 2),
        Usage(3, 5),
    ]


def test_void_usage_is_reported_as_none():
    raw = {"prompt_tokens": -1}
    assert parse(data({"usage": raw}), DONE) == [UsageReport(None, raw, {}), Finished()]


def test_unknown_fields_pass():
    choice = {"index": 0, "delta": {"reasoning_details": []}, "logprobs": {"content": []}}
    document = {**HEAD, "choices": [choice], "system_fingerprint": "f", "x_groq": {"id": 1}}
    assert parse(data(document), DONE)[0] == Delta(
        [choice], {**HEAD, "system_fingerprint": "f", "x_groq": {"id": 1}}
    )


def test_empty_choices_without_usage_pass():
    assert parse(data({"choices": [], "prompt_filter_results": []}), DONE) == [
        Delta([], {"prompt_filter_results": []}),
        Finished(),
    ]


@pytest.mark.parametrize(
    "noise", [b": ping\n\n", b"data:\n\n", b'data: {"type":"ping"}\n\n', b"event: ping\n\n"]
)
def test_noise_is_no_event(noise):
    assert parse(noise, STOP, noise, DONE) == [delta(finish="stop"), Finished()]


def test_nothing_counts_after_the_end():
    assert parse(STOP, DONE, chunk({"content": "late"}), b"data: {\n\n", DONE) == [
        delta(finish="stop"),
        Finished(),
    ]


def test_end_of_the_bytes_is_the_end_once_there_was_a_finish_reason():
    assert parse(STOP) == [delta(finish="stop"), Finished()]


def test_usage_without_its_last_blank_line_counts():
    last = data({"choices": [], "usage": RAW}).rstrip(b"\n")
    assert parse(STOP, last) == [
        delta(finish="stop"),
        UsageReport(Usage(3, 4), RAW, {}),
        Finished(),
    ]


@pytest.mark.parametrize("pieces", [[], [b""], [b": ping\n\n"], [chunk({"content": "a"})]])
def test_end_of_the_bytes_before_a_finish_reason_is_a_failure(pieces):
    assert failure(parse(*pieces)) == (UpstreamInvalidResponseError, BROKE_OFF)


ERRORS = {
    "object": (data({"error": {"message": "Overloaded", "code": 529}}), "Overloaded"),
    "text": (data({"error": "Overloaded"}), "Overloaded"),
    "event": (b'event: error\ndata: {"message":"Overloaded"}\n\n', "Overloaded"),
    "event with an object": (
        b'event: error\ndata: {"error":{"message":"Overloaded"}}\n\n',
        "Overloaded",
    ),
    "event without words": (b"event: error\ndata: {}\n\n", "The upstream reported an error."),
    "beside choices": (
        chunk({"content": "a"}, finish="error", error={"message": "Overloaded"}),
        "Overloaded",
    ),
}


@pytest.mark.parametrize(("piece", "message"), ERRORS.values(), ids=ERRORS)
def test_error_inside_the_stream_ends_it(piece, message):
    events = parse(chunk({"content": "a"}), piece, STOP, DONE)
    assert events[0] == delta({"content": "a"})
    assert failure(events) == (UpstreamFailedError, message)


INVALID = {
    "not JSON": b"data: {\n\n",
    "HTML": b"data: <html>\n\n",
    "list": b"data: []\n\n",
    "text": b'data: "a"\n\n',
    "choice is text": data({"choices": ["a"]}),
    "delta is text": chunk("a"),
    "index beyond": chunk(index=128),
    "index negative": chunk(index=-1),
    "index boolean": chunk(index=True),
    "index text": chunk(index="0"),
    "tool calls object": chunk({"tool_calls": {"index": 0}}),
    "tool call text": chunk({"tool_calls": ["a"]}),
    "tool call index beyond": chunk({"tool_calls": [{"index": 128}]}),
    "tool call index float": chunk({"tool_calls": [{"index": 1.0}]}),
    "deep": b"data: " + b'{"a":' * 65 + b"1" + b"}" * 65 + b"\n\n",
}


@pytest.mark.parametrize("piece", INVALID.values(), ids=INVALID)
def test_what_is_no_chunk_ends_the_stream_and_is_not_shown(piece):
    assert failure(parse(chunk({"content": "a"}), piece, STOP, DONE)) == (
        UpstreamInvalidResponseError,
        NOT_A_COMPLETION,
    )


def test_highest_index_passes():
    events = parse(chunk({"tool_calls": [{"index": 127}]}, index=127), DONE)
    assert [type(event) for event in events] == [Delta, Finished]


LINE = b"data: " + b"x" * (MAX_LINE_BYTES - 10)


@pytest.mark.parametrize(
    "pieces",
    [[b"x" * (MAX_LINE_BYTES + 1)], [LINE + b"\n"] * 3, [LINE + b"\n", LINE + b"\n", LINE]],
    ids=["line", "event", "event at the end"],
)
def test_stream_without_measure_is_a_failure(pieces):
    assert failure(parse(*pieces)) == (
        UpstreamInvalidResponseError,
        "An event of the upstream's stream is too large.",
    )


STREAM = (
    b": hello\r\n\r\n"
    + chunk({"content": "é\u2028"}).replace(b"\n\n", b"\r\n\r\n")
    + STOP
    + data({"choices": [], "usage": RAW})
    + DONE
)


@given(st.lists(st.integers(0, len(STREAM))))
def test_any_split_gives_the_same_events(cuts):
    at = sorted({0, len(STREAM), *cuts})
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(at)]
    assert parse(*pieces) == parse(STREAM)


@given(st.lists(st.binary(max_size=30) | st.sampled_from([STOP, DONE, b"data: {", b"\n\n"])))
def test_any_bytes_end_in_exactly_one_last_event(pieces):
    *others, last = parse(*pieces)
    assert isinstance(last, Finished | Failed)
    assert not [event for event in others if isinstance(event, Finished | Failed)]


def test_whole_answer_is_kept_as_it_came():
    body = {
        "id": "c1",
        "object": "something",
        "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
        "usage": RAW,
        "citations": ["u"],
    }
    assert parse_completion(json.dumps(body).encode()) == Completion(
        {**body, "object": "chat.completion"}, Usage(3, 4), "c1"
    )


@pytest.mark.parametrize("upstream_id", [None, 5, {}])
def test_odd_id_of_the_upstream_is_none(upstream_id):
    body = {"id": upstream_id, "choices": [{"message": {}}]}
    assert parse_completion(json.dumps(body).encode()).upstream_id is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":{}}',
        b'{"choices":["a"]}',
        b'{"choices":[{"message":"a"}]}',
        b'{"choices":[{"message":{}},{}]}',
    ],
)
def test_what_is_no_completion_is_refused(body):
    with pytest.raises(UpstreamInvalidResponseError) as caught:
        parse_completion(body)
    assert caught.value.message == NOT_A_COMPLETION


def test_error_in_a_whole_answer_is_an_error():
    with pytest.raises(UpstreamFailedError) as caught:
        parse_completion(b'{"error":{"message":"Overloaded"},"choices":[]}')
    assert caught.value.message == "Overloaded"
