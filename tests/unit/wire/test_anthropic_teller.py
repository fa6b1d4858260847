"""A chat's answer as the events of a streamed message."""

from typing import Any

import pytest

from tests.support.message_events import (
    HEAD,
    RAW,
    blocks,
    deltas,
    encoded,
    ended,
    piece,
    start,
    stop,
)
from waystation.wire.events import Delta

TEXT = {"type": "text", "text": ""}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}
BEGUN: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "chatcmpl-1",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    },
}


def told(*pieces: dict[str, object]) -> list[dict[str, object]]:
    """Return the events of the blocks that these pieces lead to."""
    return blocks(ended(deltas(*pieces)))


def test_a_whole_stream():
    assert encoded(ended(deltas({"role": "assistant", "content": "Hi"}))) == [
        BEGUN,
        start(0, **TEXT),
        piece(0, "text_delta", text="Hi"),
        stop(0),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"input_tokens": 10, "output_tokens": 5},
        },
        {"type": "message_stop"},
    ]


def test_an_answer_without_anything_is_a_message():
    begun, ending, stopped = encoded(ended([]))
    assert begun["message"] == {**BEGUN["message"], "id": "msg_r1", "model": "asked-for"}
    assert ending["delta"]["stop_reason"] == "end_turn"
    assert stopped == {"type": "message_stop"}


def test_the_first_event_is_told_at_once():
    assert encoded([Delta([], HEAD)]) == [BEGUN]


def test_other_choices_are_not_told():
    choices: list[dict[str, object]] = [
        {"index": 1, "delta": {"content": "no"}},
        {"delta": {"content": "yes"}},
    ]
    assert blocks([Delta(choices)]) == [start(0, **TEXT), piece(0, "text_delta", text="yes")]


def test_pieces_of_a_text_are_one_block():
    assert told({"content": "a"}, {"content": ""}, {"content": None}, {"content": "b"}) == [
        start(0, **TEXT),
        piece(0, "text_delta", text="a"),
        piece(0, "text_delta", text="b"),
        stop(0),
    ]


def test_parts_of_a_content_are_text():
    assert told({"content": [{"type": "text", "text": "a"}, {"text": "b"}, "c", {"x": 1}]}) == [
        start(0, **TEXT),
        piece(0, "text_delta", text="ab"),
        stop(0),
    ]


def test_reasoning_is_a_block_of_thinking_without_a_signature():
    assert told({"reasoning_content": "a"}, {"reasoning_content": "b", "content": "c"}) == [
        start(0, **THINKING),
        piece(0, "thinking_delta", thinking="a"),
        piece(0, "thinking_delta", thinking="b"),
        stop(0),
        start(1, **TEXT),
        piece(1, "text_delta", text="c"),
        stop(1),
    ]


def thought(text: str, **fields: object) -> dict[str, object]:
    return {"thinking_blocks": [{"type": "thinking", "thinking": text, **fields}]}


def test_a_block_that_reasoning_has_told_only_adds_its_signature():
    pieces: list[dict[str, object]] = [
        {"reasoning_content": "a"},
        {"reasoning_content": "b"},
        thought("ab", signature="s1", index=0),
        {"reasoning_content": "\n\nc"},
        thought("c", signature="s2", index=1),
    ]
    assert told(*pieces) == [
        start(0, **THINKING),
        piece(0, "thinking_delta", thinking="a"),
        piece(0, "thinking_delta", thinking="b"),
        piece(0, "signature_delta", signature="s1"),
        stop(0),
        start(1, **THINKING),
        piece(1, "thinking_delta", thinking="c"),
        piece(1, "signature_delta", signature="s2"),
        stop(1),
    ]


def test_a_block_beside_its_reasoning_is_told_once():
    assert told({"reasoning_content": "ab"} | thought("ab", signature="s")) == [
        start(0, **THINKING),
        piece(0, "thinking_delta", thinking="ab"),
        piece(0, "signature_delta", signature="s"),
        stop(0),
    ]


def test_blocks_may_come_in_pieces():
    assert told(
        {"reasoning_content": "ha"} | thought("ha"),
        {"reasoning_content": "ha"} | thought("ha", signature=""),
        thought("", signature="s"),
    ) == [
        start(0, **THINKING),
        piece(0, "thinking_delta", thinking="ha"),
        piece(0, "thinking_delta", thinking="ha"),
        piece(0, "signature_delta", signature="s"),
        stop(0),
    ]


def test_a_signature_without_a_thought_is_a_block():
    assert told(thought("", signature="s")) == [
        start(0, **THINKING),
        piece(0, "signature_delta", signature="s"),
        stop(0),
    ]


def test_redacted_thinking_and_the_upstreams_own_tools_are_whole_blocks():
    redacted = {"type": "redacted_thinking", "data": "d"}
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}
    pieces: list[dict[str, object]] = [
        {"thinking_blocks": [{**redacted, "index": 0}]},
        {"server_tool_blocks": [{**search, "index": 0}, {"index": 1}]},
    ]
    assert told(*pieces) == [start(0, **redacted), stop(0), start(1, **search), stop(1)]


def test_citations_belong_to_the_text_before_them():
    note = {"start_index": 0, "end_index": 1, "url": "https://a.test", "title": "A"}
    annotation = {"type": "url_citation", "url_citation": note, "index": 0}
    cited = {
        "type": "web_search_result_location",
        "url": "https://a.test",
        "title": "A",
        "cited_text": "",
        "encrypted_index": "",
    }
    assert told({"content": "a"}, {"annotations": [annotation, {"type": "new"}]}) == [
        start(0, **TEXT),
        piece(0, "text_delta", text="a"),
        piece(0, "citations_delta", citation=cited),
        stop(0),
    ]
    assert told({"annotations": [annotation]}) == []


def test_a_refusal_is_a_text_and_a_reason():
    events = encoded(ended(deltas({"refusal": "I will"}, {"refusal": " not."})))
    assert events[2:4] == [
        piece(0, "text_delta", text="I will"),
        piece(0, "text_delta", text=" not."),
    ]
    assert events[-2]["delta"]["stop_reason"] == "refusal"


CALL: dict[str, object] = {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f"}}]}
REASONS = {
    "stop": ({}, "stop", "end_turn"),
    "length": ({}, "length", "max_tokens"),
    "tool calls": (CALL, "tool_calls", "tool_use"),
    "function call": ({}, "function_call", "tool_use"),
    "filter": ({}, "content_filter", "refusal"),
    "unknown": ({}, "eos", "end_turn"),
    "none": ({}, None, "end_turn"),
    "calls without a reason": (CALL, None, "tool_use"),
    "calls that stop": (CALL, "stop", "tool_use"),
    "calls cut off": (CALL, "length", "max_tokens"),
}


@pytest.mark.parametrize(("told", "finish", "reason"), REASONS.values(), ids=REASONS)
def test_reason_of_the_end(told, finish, reason):
    *_, ending, _ = encoded(ended(deltas(told, finish=finish)))
    assert ending["delta"] == {"stop_reason": reason, "stop_sequence": None}


def test_reason_in_the_apis_own_words_counts():
    fields = {
        "native_finish_reason": "stop_sequence",
        "stop_sequence": "END",
        "stop_details": {"type": "refusal"},
        "container": {"id": "c"},
        "other": 1,
    }
    *_, ending, _ = encoded(ended(deltas(provider_specific_fields=fields)))
    assert ending["delta"] == {
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
        "stop_details": {"type": "refusal"},
        "container": {"id": "c"},
    }


def test_reason_in_other_words_does_not():
    *_, ending, _ = encoded(ended(deltas(provider_specific_fields={"native_finish_reason": "X"})))
    assert ending["delta"]["stop_reason"] == "end_turn"


def test_cost_is_told_with_the_usage():
    *_, ending, _ = encoded(ended([], {**RAW, "cost": 0.5, "cost_nanousd": 5}))
    assert ending["usage"] == {
        "input_tokens": 10,
        "output_tokens": 5,
        "cost": 0.5,
        "cost_nanousd": 5,
    }


ODD = [
    {"content": 5, "reasoning_content": [], "refusal": {}, "annotations": "x"},
    {"thinking_blocks": ["x", {}, {"type": 5}], "server_tool_blocks": [None, {"type": []}]},
    {"tool_calls": ["x", {}, {"index": "x", "function": 5}, {"function": {"arguments": 7}}]},
    {"annotations": [{"type": []}, {"type": "url_citation"}, {"type": "x", "x": 1}]},
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_pieces_do_no_harm(odd):
    assert encoded(ended(deltas({"content": "a"}, odd)))[-1] == {"type": "message_stop"}
    assert encoded([Delta([{"index": 0, "delta": "x"}, "x"])]) != []  # type: ignore[list-item]
