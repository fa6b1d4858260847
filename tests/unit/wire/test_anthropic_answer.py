"""Whole messages: made of a chat completion, and told as the events of a streamed one."""

from typing import Any

import pytest

from waystation.wire.anthropic_answer import events_of_message, to_message
from waystation.wire.events import Completion

NOTE = {"type": "char_location", "cited_text": "a"}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}


def completion(message: dict[str, object], **fields: object) -> Completion:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return Completion({"choices": [choice | fields]}, None)


def content_of(**message: object) -> Any:
    return to_message(completion(message), id="msg_1", model="m")["content"]


def call(arguments: object) -> dict[str, object]:
    return {"id": "t", "type": "function", "function": {"name": "f", "arguments": arguments}}


def test_completion_is_a_message():
    body: dict[str, object] = {
        "id": "chatcmpl-1",
        "model": "m-1",
        "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.5},
    }
    assert to_message(Completion(body, None), id="msg_1", model="m") == {
        "id": "chatcmpl-1",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "max_tokens",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5, "cost": 0.5},
    }


def test_message_has_a_head_of_ours_where_there_is_none():
    message = to_message(completion({"content": None}), id="msg_1", model="m")
    assert (message["id"], message["model"], message["content"]) == ("msg_1", "m", [])
    assert message["usage"] == {"input_tokens": 0, "output_tokens": 0}


def test_blocks_come_in_the_order_that_models_write_them():
    blocks = content_of(
        content="Hi",
        tool_calls=[call('{"a":1}'), call("")],
        reasoning_content="Hm.",
        thinking_blocks=[THOUGHT, {"type": "redacted_thinking", "data": "d"}],
        server_tool_blocks=[SEARCH],
        annotations=[{"type": "char_location", "char_location": {"cited_text": "a"}}],
    )
    assert blocks == [
        THOUGHT,
        {"type": "redacted_thinking", "data": "d"},
        SEARCH,
        {"type": "text", "text": "Hi", "citations": [NOTE]},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    ]


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", "text"])
def test_input_that_is_no_object_is_wrapped(arguments):
    (use,) = content_of(tool_calls=[call(arguments)])
    assert use["input"] == {"INVALID_JSON": arguments}


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
    "unheard_of": 1,
}


def told(*blocks: object) -> list[dict[str, object]]:
    """Return the events of the blocks of a message, without what is around them."""
    begun, *events, ending, stopped = events_of_message({**MESSAGE, "content": list(blocks)})
    assert begun == {"type": "message_start", "message": {**MESSAGE, "stop_reason": None}}
    assert ending == {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": MESSAGE["usage"],
    }
    assert stopped == {"type": "message_stop"}
    return [{k: v for k, v in event.items() if k not in {"type", "index"}} for event in events]


BLOCKS = {
    "text": (
        {"type": "text", "text": "a", "citations": [NOTE]},
        {"type": "text", "text": "", "citations": []},
        [
            {"type": "text_delta", "text": "a"},
            {"type": "citations_delta", "citation": NOTE},
        ],
    ),
    "thinking": (
        THOUGHT,
        {"type": "thinking", "thinking": "", "signature": ""},
        [
            {"type": "thinking_delta", "thinking": "Hm."},
            {"type": "signature_delta", "signature": "s"},
        ],
    ),
    "tool": (
        {"type": "tool_use", "id": "t", "name": "f", "input": {"ü": None}, "caller": 1},
        {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": 1},
        [{"type": "input_json_delta", "partial_json": '{"ü":null}'}],
    ),
    "new": ({"type": "new", "text": "a"}, {"type": "new", "text": "a"}, []),
}


@pytest.mark.parametrize(("block", "begun", "pieces"), BLOCKS.values(), ids=BLOCKS)
def test_block_is_told_in_pieces(block, begun, pieces):
    assert told(block) == [{"content_block": begun}, *({"delta": one} for one in pieces), {}]


def test_odd_blocks_are_left_out():
    assert told("x", {}, {"type": 1}) == []


def test_details_of_the_end_are_told_with_it():
    *_, ending, _ = events_of_message({**MESSAGE, "stop_details": {"a": 1}, "content": None})
    assert ending["delta"] == {
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": {"a": 1},
    }
