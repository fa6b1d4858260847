"""The pieces of an answer."""

import pytest

from waystation.errors import UpstreamFailedError
from waystation.wire.events import (
    Completion,
    Delta,
    Failed,
    Finished,
    UsageReport,
    stream_of,
    visible_bytes,
)
from waystation.wire.openai_chunks import ChunkEncoder
from waystation.wire.upstream_request import UpstreamRequest
from waystation.wire.usage import Usage

MESSAGE = {"role": "assistant", "content": "Hi", "tool_calls": [{"id": "t"}]}
STREAMED = {**MESSAGE, "tool_calls": [{"index": 0, "id": "t"}]}


def test_whole_answer_is_told_as_a_stream():
    raw = {"prompt_tokens": 1, "completion_tokens": 2}
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop", "logprobs": None}],
        "usage": raw,
        "system_fingerprint": "f",
    }
    head = {"id": "x", "created": 5, "model": "m", "system_fingerprint": "f"}
    choice = {"index": 0, "finish_reason": "stop", "logprobs": None, "delta": STREAMED}
    assert stream_of(Completion(body, Usage(1, 2))) == [
        Delta([choice], head),
        UsageReport(Usage(1, 2), raw, head),
        Finished(),
    ]


def test_whole_answer_without_usage_tells_none():
    completion = Completion({"choices": [{"index": 0, "message": MESSAGE}]}, None)
    assert stream_of(completion) == [Delta([{"index": 0, "delta": STREAMED}], {}), Finished()]


VISIBLE = {
    "content": ([{"delta": {"content": "abc"}}], 3),
    "beyond ASCII": ([{"delta": {"content": "é網😀"}}], 9),
    "lone surrogate": ([{"delta": {"content": "\ud800"}}], 1),
    "message": ([{"message": {"content": "abc", "role": "assistant"}}], 3),
    "reasoning": ([{"delta": {"reasoning_content": "ab", "reasoning": "c"}}], 3),
    "refusal": ([{"delta": {"refusal": "no"}}], 2),
    "parts": ([{"message": {"content": [{"text": "ab"}, {"image_url": {}}, "x"]}}], 2),
    "tool calls": (
        [{"delta": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, None]}}],
        3,
    ),
    "several choices": ([{"delta": {"content": "a"}}, {"delta": {"content": "b"}}], 2),
    "nothing": ([{"delta": {}}, {}, None, {"delta": "x"}, {"delta": {"content": None}}], 0),
    "odd tool calls": ([{"delta": {"tool_calls": {"a": 1}}}], 0),
}


@pytest.mark.parametrize(("choices", "count"), VISIBLE.values(), ids=VISIBLE)
def test_visible_bytes_are_counted(choices, count):
    assert visible_bytes(choices) == count


ENCODER = ChunkEncoder(id="ours", model="m", created=7)


def test_chunk_has_a_head_where_the_upstream_sent_none():
    assert ENCODER.delta(Delta([{"index": 0, "delta": {}}])) == (
        b'data: {"id":"ours","object":"chat.completion.chunk","created":7,"model":"m",'
        b'"choices":[{"index":0,"delta":{}}]}\n\n'
    )


def test_chunk_keeps_the_head_and_the_extra_fields_of_the_upstream():
    extra = {"id": "theirs", "created": 1, "model": "n", "system_fingerprint": "f"}
    assert ENCODER.delta(Delta([], extra)) == (
        b'data: {"id":"theirs","object":"chat.completion.chunk","created":1,"model":"n",'
        b'"system_fingerprint":"f","choices":[]}\n\n'
    )


def test_usage_chunk_has_no_choices():
    assert ENCODER.usage(UsageReport(None, {"prompt_tokens": 1}, {"id": "theirs"})) == (
        b'data: {"id":"theirs","object":"chat.completion.chunk","created":7,"model":"m",'
        b'"choices":[],"usage":{"prompt_tokens":1}}\n\n'
    )


def test_upstream_request_does_not_show_its_headers():
    request = UpstreamRequest("https://u", (("authorization", "Bearer secret"),), b"{}")
    assert repr(request) == "UpstreamRequest(POST, 2 bytes)"


def test_failure_carries_its_error():
    error = UpstreamFailedError("x")
    assert Failed(error).error is error
