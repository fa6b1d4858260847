"""Thinking and the upstream's own tools, as an assistant's message brings them back."""

import pytest

from waystation.errors import InvalidBodyError
from waystation.providers.claude.thinking_blocks import build_server_blocks, build_thinking

SIGNED = {"type": "thinking", "thinking": "t", "signature": "s"}
REDACTED = {"type": "redacted_thinking", "data": "d"}


def test_blocks_go_back_as_they_came_but_for_their_index():
    blocks = [SIGNED | {"index": 0}, REDACTED | {"index": 1}, SIGNED | {"thinking": ""}]
    assert build_thinking({"thinking_blocks": blocks}, "m") == [
        SIGNED,
        REDACTED,
        SIGNED | {"thinking": ""},
    ]


@pytest.mark.parametrize("signature", [None, ""])
def test_what_was_never_signed_is_left_out(signature):
    blocks = [SIGNED | {"signature": signature}, {"type": "thinking", "thinking": "t"}]
    assert build_thinking({"thinking_blocks": blocks}, "m") == []


WRONG = {
    "no list": ({}, "m.thinking_blocks"),
    "no block": (["t"], "m.thinking_blocks[0]"),
    "no type": ([{}], "m.thinking_blocks[0].type"),
    "another type": ([{"type": "text"}], "m.thinking_blocks[0].type"),
    "no thinking": ([{"type": "thinking", "signature": "s"}], "m.thinking_blocks[0].thinking"),
    "a signature that is none": ([SIGNED | {"signature": 5}], "m.thinking_blocks[0].signature"),
    "no data": ([{"type": "redacted_thinking"}], "m.thinking_blocks[0].data"),
}


@pytest.mark.parametrize(("blocks", "param"), WRONG.values(), ids=WRONG)
def test_wrong_blocks_are_named(blocks, param):
    with pytest.raises(InvalidBodyError) as caught:
        build_thinking({"thinking_blocks": blocks}, "m")
    assert caught.value.param == param


def test_the_upstreams_own_tools_go_back_as_they_came():
    used = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
    blocks = [used | {"index": 0}, found | {"index": 1}]
    assert build_server_blocks({"server_tool_blocks": blocks}, "m") == [used, found]
