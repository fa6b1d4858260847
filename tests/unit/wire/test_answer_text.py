"""The text of an answer, kept while its events pass by."""

import pytest

from waystation.errors import UpstreamFailedError
from waystation.wire.answer_text import AnswerText
from waystation.wire.events import (
    Completion,
    Delta,
    Failed,
    Finished,
    Native,
    StreamEvent,
    UsageReport,
    stream_of,
)


def delta(index: object = 0, **piece: object) -> Delta:
    return Delta([{"index": index, "delta": piece, "finish_reason": None}])


def text_of(*events: StreamEvent, limit: int = 100) -> str:
    answer = AnswerText(limit)
    for event in events:
        answer.add([event])
    return answer.text


def native(kind: str, **piece: object) -> Native:
    return Native("content_block_delta", {"index": 0, "delta": {"type": kind, **piece}})


def test_pieces_are_joined():
    assert text_of(delta(role="assistant"), delta(content="Hel"), delta(content="lo")) == "Hello"


NO_TEXT: dict[str, StreamEvent] = {
    "reasoning": delta(reasoning_content="x", reasoning="y"),
    "refusal": delta(refusal="x"),
    "tool call": delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": "{}"}}]),
    "another choice": delta(1, content="x"),
    "a choice without a number": delta(None, content="x"),
    "nothing": delta(content=None),
    "a number": delta(content=5),
    "odd parts": delta(content=[5, {"type": "image_url"}, {"type": "text", "text": 5}]),
    "no delta": Delta([{"index": 0}]),
    "a delta that is none": Delta([{"index": 0, "delta": "x"}]),
    "no choices": Delta([]),
    "usage": UsageReport(None, {}),
    "end": Finished(),
    "failure": Failed(UpstreamFailedError("x")),
    "native thinking": native("thinking_delta", thinking="x"),
    "native signature": native("signature_delta", signature="x"),
    "native arguments": native("input_json_delta", partial_json="{}"),
    "native odd text": native("text_delta", text=5),
    "native start": Native("message_start", {"message": {"content": []}}),
    "native end": Native("message_delta", {"delta": {"stop_reason": "end_turn"}}),
    "native ping": Native("ping", {}),
}


@pytest.mark.parametrize("event", NO_TEXT.values(), ids=NO_TEXT)
def test_what_is_not_the_text_is_left_out(event: StreamEvent):
    assert text_of(delta(content="a"), event, delta(content="b")) == "ab"


def test_parts_stand_on_lines_of_their_own():
    parts = [{"type": "text", "text": "a"}, {"type": "thinking"}, {"type": "text", "text": "b"}]
    assert text_of(delta(content=parts)) == "a\nb"


def test_native_text_counts():
    assert text_of(native("text_delta", text="Hel"), native("text_delta", text="lo")) == "Hello"


def test_whole_answers_count():
    message = {"role": "assistant", "content": "Hello", "reasoning_content": "x"}
    body: dict[str, object] = {"choices": [{"index": 0, "message": message}]}
    assert text_of(*stream_of(Completion(body, None))) == "Hello"


def test_whole_native_messages_count():
    content = [
        {"type": "thinking", "thinking": "x"},
        {"type": "text", "text": "a"},
        {"type": "tool_use", "input": {"text": "y"}},
        {"type": "text", "text": "b"},
    ]
    completion = Completion({"content": content}, None, native_bytes=2)
    assert text_of(*stream_of(completion)) == "a\nb"


def test_text_is_cut_to_its_limit():
    pieces = [delta(content="abc")] * 5
    assert text_of(*pieces, limit=7) == "abcabca"
    assert text_of(*pieces, limit=6) == "abcabc"
    assert text_of(*pieces, limit=15) == "abc" * 5


def test_answer_is_complete_only_at_its_end():
    answer = AnswerText(10)
    answer.add([delta(content="a"), UsageReport(None, {})])
    assert not answer.is_complete
    answer.add([Failed(UpstreamFailedError("x"))])
    assert not answer.is_complete
    answer.add([delta(content="b"), Finished()])
    assert answer.is_complete
    assert answer.text == "ab"
