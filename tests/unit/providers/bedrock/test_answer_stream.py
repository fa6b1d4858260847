"""Streamed answers as the events of a chat completion."""

from collections.abc import Sequence

import pytest

from tests.support.bedrock_upstream import (
    REQUEST_ID,
    Event,
    cited_block,
    delta,
    events_of,
    handed_over,
    reasoning_block,
    redacted_block,
    text_block,
    tool_block,
    usage,
    web_citation,
)
from tests.support.streamed_answers import pieces, read_stream
from waystation.errors import (
    UpstreamAuthFailedError,
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamRateLimitedError,
    UpstreamRejectedError,
)
from waystation.providers.bedrock.answer import ConverseAnswerReader
from waystation.wire.events import Delta, Failed, Finished, StreamEvent, UsageReport
from waystation.wire.usage import Usage

HEAD = {"id": REQUEST_ID}
RAW = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
STOP: Event = {"messageStop": {"stopReason": "end_turn"}}
METADATA: Event = {"metadata": {"usage": usage(), "metrics": {"latencyMs": 1}}}
ENDING = {"native_finish_reason": "end_turn"}


def parse(*events: Event) -> list[StreamEvent]:
    return read_stream(ConverseAnswerReader(), handed_over(*events))


def failure_of(events: Sequence[StreamEvent]) -> Exception:
    assert isinstance(events[-1], Failed)
    return events[-1].error


def test_a_text():
    begun = {"role": "assistant", "content": "Hel"}
    assert parse(*events_of(text_block("Hello"))) == [
        Delta([{"index": 0, "delta": begun, "finish_reason": None}], HEAD),
        Delta([{"index": 0, "delta": {"content": "lo"}, "finish_reason": None}], HEAD),
        Delta(
            [
                {
                    "index": 0,
                    "delta": {},
                    "finish_reason": "stop",
                    "provider_specific_fields": ENDING,
                }
            ],
            HEAD,
        ),
        UsageReport(Usage(10, 5), RAW, HEAD),
        Finished(),
    ]


def test_an_empty_answer():
    events = parse(*events_of())
    assert [type(event) for event in events] == [Delta, UsageReport, Finished]
    assert events[0].choices[0]["delta"] == {"role": "assistant", "content": None}  # type: ignore[union-attr]


def test_reasoning():
    told = parse(
        *events_of(reasoning_block("Hmm.", "s"), redacted_block(), reasoning_block("So", None))
    )
    assert pieces(told) == [
        {"reasoning_content": "Hm"},
        {"reasoning_content": "m."},
        {
            "thinking_blocks": [
                {"type": "thinking", "thinking": "Hmm.", "signature": "s", "index": 0}
            ]
        },
        {"thinking_blocks": [{"type": "redacted_thinking", "data": "cmVkYWN0ZWQ=", "index": 1}]},
        {"reasoning_content": "\n\nS"},
        {"reasoning_content": "o"},
    ]


def test_redacted_reasoning_in_pieces_is_one():
    parts = [delta(0, reasoningContent={"redactedContent": data}) for data in ("YQ==", "Yg==")]
    assert pieces(parse(*parts, STOP, METADATA)) == [
        {"thinking_blocks": [{"type": "redacted_thinking", "data": "YWI=", "index": 0}]}
    ]


def test_calls():
    told = parse(*events_of(tool_block("f", {"a": "é"}), tool_block("g", {}, "t2")))
    assert pieces(told) == [
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "tooluse_1",
                    "type": "function",
                    "function": {"name": "f", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"é"}'}}]},
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "t2",
                    "type": "function",
                    "function": {"name": "g", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
    ]


def test_calls_that_the_upstream_answers_itself_are_not_told():
    start = {"toolUse": {"toolUseId": "s", "name": "x", "type": "server_tool_use"}}
    begun = {"contentBlockStart": {"contentBlockIndex": 0, "start": start}}
    told = parse(begun, delta(0, toolUse={"input": "{}"}), delta(1, text="Hi"), STOP, METADATA)
    assert pieces(told) == [{"content": "Hi"}]


def test_citations_are_told_behind_their_text():
    told = parse(*events_of(text_block("a"), cited_block("b", web_citation("https://a.test", "A"))))
    *texts, annotated = pieces(told)
    assert texts == [{"content": "a"}, {"content": "b"}]
    (note,) = annotated["annotations"]
    assert note["index"] == 0
    assert note["url_citation"]["start_index"] == 1
    assert note["url_citation"]["end_index"] == 2


def test_a_trace_comes_with_the_reason_for_the_end():
    told = parse(*events_of(text_block("a"), trace={"guardrail": {}}))
    last = [event for event in told if isinstance(event, Delta)][-1]
    fields = last.choices[0]["provider_specific_fields"]
    assert fields == {**ENDING, "trace": {"guardrail": {}}}


def test_counts_may_come_before_the_reason_for_the_end():
    told = parse(delta(0, text="a"), METADATA, STOP)
    assert [type(event) for event in told] == [Delta, UsageReport, Delta, Finished]


def test_counts_that_are_none_are_not_told():
    told = parse(STOP, {"metadata": {"metrics": {}}})
    assert [type(event) for event in told] == [Delta, Finished]


def test_counts_may_not_come():
    told = parse(delta(0, text="a"), STOP)
    assert [type(event) for event in told] == [Delta, Delta, Finished]


def test_what_is_not_known_is_skipped():
    told = parse({"initial-response": {}}, {"news": []}, delta(0, hologram="x"), STOP, METADATA)
    assert [type(event) for event in told] == [Delta, UsageReport, Finished]


def test_pieces_behind_the_end_are_not_told():
    told = parse(delta(0, text="a"), STOP, delta(0, text="b"), METADATA)
    assert pieces(told) == [{"content": "a"}]


def test_a_stream_that_stops_short_is_an_error():
    told = parse(delta(0, text="a"), METADATA)
    assert [type(event) for event in told] == [Delta, UsageReport, Failed]
    assert isinstance(failure_of(told), UpstreamInvalidResponseError)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("throttlingException", UpstreamRateLimitedError),
        ("validationException", UpstreamRejectedError),
        ("modelStreamErrorException", UpstreamFailedError),
        ("internalServerException", UpstreamFailedError),
        ("serviceUnavailableException", UpstreamFailedError),
        ("accessDeniedException", UpstreamAuthFailedError),
        ("strangeException", UpstreamFailedError),
    ],
)
def test_exceptions(code, error):
    told = parse(delta(0, text="a"), {"error": {"message": "No.", "code": code}}, STOP)
    assert [type(event) for event in told] == [Delta, Failed]
    assert type(failure_of(told)) is error


@pytest.mark.parametrize(
    "event",
    [
        {"contentBlockDelta": []},
        {"contentBlockDelta": {"delta": {"text": "a"}}},
        delta(-1, text="a"),
        delta(True, text="a"),
        delta(10_000, text="a"),
        delta(0, text=5),
        delta(0, reasoningContent=[]),
        {"contentBlockStart": {"contentBlockIndex": 0, "start": {"toolUse": {"name": "f"}}}},
        {"messageStop": "end"},
    ],
    ids=str,
)
def test_what_is_no_event_is_refused(event):
    told = parse(delta(0, text="a"), event, STOP, METADATA)
    assert isinstance(failure_of(told), UpstreamInvalidResponseError)


def test_bad_base64_is_refused():
    told = parse(
        delta(0, reasoningContent={"redactedContent": "!"}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
    )
    assert isinstance(failure_of(told), UpstreamInvalidResponseError)


def test_too_many_calls_are_refused():
    told = parse(*events_of(*[tool_block("f", {})] * 129))
    assert isinstance(failure_of(told), UpstreamInvalidResponseError)


def test_events_beyond_all_bounds_are_refused():
    told = parse(delta(0, text="a" * 1_100_000), STOP)
    assert isinstance(failure_of(told), UpstreamInvalidResponseError)
