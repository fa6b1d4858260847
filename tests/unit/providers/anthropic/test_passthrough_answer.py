"""Answers of the Messages API that pass as they came, read for the ledger."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.anthropic_upstream import (
    MESSAGE_STOP,
    PING,
    block_delta,
    error,
    events_of,
    message,
    message_delta,
    message_start,
    text_block,
    thinking_block,
    tool_block,
    usage,
)
from tests.support.event_bytes import encoded
from tests.support.streamed_answers import read_stream
from waystation.errors import UpstreamError, UpstreamRateLimitedError
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.providers.anthropic.passthrough_answer import NativeAnswerReader
from waystation.wire.events import Failed, Finished, Native, StreamEvent, UsageReport, stream_of
from waystation.wire.sse import MAX_LINE_BYTES
from waystation.wire.usage import Usage

READER = NativeAnswerReader()
HEAD = {"id": "msg_1", "model": "claude-test-1"}
STREAMS = sorted((Path(__file__).parents[3] / "contract/vectors/anthropic").glob("*.response.sse"))
every_stream = pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)


def parse(*pieces: bytes) -> list[StreamEvent]:
    return read_stream(READER, *pieces)


def native(event: dict[str, Any], characters: int = 0) -> Native:
    return Native(event["type"], event, characters)


def test_whole_answer_keeps_its_shape():
    blocks = [thinking_block("Hm."), text_block("Hello"), tool_block("f", {"a": 1})]
    counted = usage(cache_read_input_tokens=3, cache_creation_input_tokens=2)
    whole = message(*blocks, usage=counted, unheard_of=[None])
    completion = READER.parse(json.dumps(whole).encode())
    assert completion.body == whole
    assert completion.usage == Usage(15, 5, cache_read_tokens=3, cache_write_tokens=2)
    assert completion.upstream_id == "msg_1"
    assert completion.native_bytes == 8
    assert stream_of(completion) == [
        Native("message", whole, 8),
        UsageReport(completion.usage, counted, HEAD),
        Finished(),
    ]


def test_whole_answer_without_usage():
    whole = message(text_block("Hello"))
    del whole["usage"]
    completion = READER.parse(json.dumps(whole).encode())
    assert stream_of(completion) == [Native("message", whole, 5), Finished()]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"content": "x"}', b'{"content": [], "id": 5}']
)
def test_whole_answer_that_is_no_message(body):
    with pytest.raises(UpstreamError):
        READER.parse(body)


def test_whole_answer_that_is_an_error():
    with pytest.raises(UpstreamRateLimitedError, match=r"Slow\."):
        READER.parse(json.dumps(error("rate_limit_error", "Slow.")).encode())


def test_events_pass_as_they_came():
    sent = events_of(text_block("Hello"), usage=usage(10, 5, server_tool_use={"x": 1}))
    sent[1:1] = [PING, {"type": "new", "delta": 5}]
    begun, ping, new, start, one, two, stop, ending, stopped = sent
    raw = {"input_tokens": 10, "output_tokens": 1}
    last = raw | {"output_tokens": 5, "server_tool_use": {"x": 1}}
    assert parse(*map(encoded, sent)) == [
        native(begun),
        UsageReport(Usage(10, 1), raw, HEAD),
        native(ping),
        native(new),
        native(start),
        native(one, 3),
        native(two, 2),
        native(stop),
        native(ending),
        UsageReport(Usage(10, 5), last, HEAD),
        native(stopped),
        Finished(),
    ]


def test_ping_before_the_message_is_no_event():
    begun, *rest = map(encoded, events_of(text_block("Hello")))
    assert parse(encoded(PING), begun, *rest) == parse(begun, *rest)
    parser = READER.stream_parser()
    assert parser.feed(encoded(PING)) == []


def test_runs_are_counted_and_pass_as_they_came():
    runs = [
        {"type": "compaction", "input_tokens": 100, "output_tokens": 20},
        {"type": "message", "input_tokens": 10, "output_tokens": 5},
    ]
    counted = usage(iterations=runs)
    completion = READER.parse(json.dumps(message(usage=counted)).encode())
    assert (completion.usage, completion.body["usage"]) == (Usage(110, 25), counted)
    reports = [
        one
        for one in parse(*map(encoded, events_of(usage=counted)))
        if isinstance(one, UsageReport)
    ]
    assert [one.usage for one in reports] == [Usage(10, 1), Usage(110, 25)]
    assert reports[-1].raw == counted


def test_bytes_are_those_of_every_kind_of_piece():
    deltas = [
        block_delta("thinking_delta", thinking="aé"),
        block_delta("input_json_delta", partial_json="{}}"),
        block_delta("signature_delta", signature="abcdef"),
    ]
    told = parse(*map(encoded, deltas))
    assert [event.visible_bytes for event in told if isinstance(event, Native)] == [3, 3, 0]


def test_name_of_the_event_is_enough():
    data = json.dumps({"x": 1})
    assert parse(f"event: new\ndata: {data}\n\n".encode())[0] == Native("new", {"x": 1})


def test_stream_may_end_without_its_last_event_once_a_reason_is_told():
    assert isinstance(parse(encoded(message_delta()))[-1], Finished)
    assert isinstance(parse(encoded(message_delta(stop_reason=None)))[-1], Failed)


def test_openais_last_line_says_nothing():
    assert parse(encoded(MESSAGE_STOP), b"data: [DONE]\n\n") == [native(MESSAGE_STOP), Finished()]
    assert isinstance(parse(b"data: [DONE]\n\n")[0], Failed)


BROKEN = {
    "no JSON": b"data: {\n\n",
    "no object": b"data: []\n\n",
    "message": encoded({"type": "message_start", "message": 5}),
    "delta": encoded({"type": "message_delta", "delta": 5}),
    "endless line": b"data: " + b"x" * (MAX_LINE_BYTES + 1),
    "nothing": b"",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_stream_fails_once(data):
    begun = encoded(message_start())
    told = parse(begun, data, begun)
    assert [isinstance(event, Failed) for event in told].count(True) == 1
    assert isinstance(told[-1], Failed)


def test_error_inside_a_stream_is_ours():
    *_, last = parse(encoded(message_start()), encoded(error("rate_limit_error", "Slow.")))
    assert isinstance(last, Failed)
    assert isinstance(last.error, UpstreamRateLimitedError)


def test_error_may_be_told_by_the_name_of_the_event():
    (last,) = parse(b'event: error\ndata: {"message": "Broken."}\n\n')
    assert isinstance(last, Failed)
    assert last.error.message == "Broken."


@every_stream
def test_bytes_may_be_split_anywhere(path):
    stream = path.read_bytes()
    expected = parse(stream)
    assert parse(*(stream[at : at + 1] for at in range(len(stream)))) == expected
    for at in range(0, len(stream), 97):
        assert parse(stream[:at], stream[at:]) == expected


@every_stream
def test_counts_are_those_of_a_translated_answer(path):
    translated = AnthropicAnswerReader().stream_parser()
    reports = [e for e in translated.feed(path.read_bytes()) if isinstance(e, UsageReport)]
    own = [e for e in parse(path.read_bytes()) if isinstance(e, UsageReport)]
    assert [(one.usage, one.extra) for one in own] == [(e.usage, e.extra) for e in reports]


@every_stream
def test_nothing_follows_the_end(path):
    parser = READER.stream_parser()
    parser.feed(path.read_bytes())
    parser.finish()
    assert parser.feed(path.read_bytes()) == []
    assert parser.finish() == []
