"""Marks for the cache that a client sets itself: where they are found, and taken out."""

import copy
from typing import Any

import pytest

from waystation.providers.cache_marks import has_marks, without_marks

MARK = {"type": "ephemeral"}
MARKED = {"type": "text", "text": "a", "cache_control": MARK}
BARE = {"type": "text", "text": "a"}


def turn(*blocks: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [*blocks]}]}


PLACES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the whole": ({"model": "m", "cache_control": MARK}, {"model": "m"}),
    "a tool": ({"tools": [{"name": "f", "cache_control": MARK}]}, {"tools": [{"name": "f"}]}),
    "instructions": ({"system": [MARKED, BARE]}, {"system": [BARE, BARE]}),
    "a message": (
        {"messages": [{"role": "user", "content": "a", "cache_control": MARK}]},
        {"messages": [{"role": "user", "content": "a"}]},
    ),
    "a block": (turn(MARKED, "odd"), turn(BARE, "odd")),
    "null": (turn({**BARE, "cache_control": None}), turn(BARE)),
    "a result": (
        turn({"type": "tool_result", "content": [MARKED], "cache_control": MARK}),
        turn({"type": "tool_result", "content": [BARE]}),
    ),
    "a result's one block": (
        turn({"type": "web_fetch_tool_result", "content": {"content": MARKED}}),
        turn({"type": "web_fetch_tool_result", "content": {"content": BARE}}),
    ),
    "a document of blocks": (
        turn({"type": "document", "source": {"type": "content", "content": [MARKED]}}),
        turn({"type": "document", "source": {"type": "content", "content": [BARE]}}),
    ),
    "a call": (
        {"messages": [{"tool_calls": [{"id": "c", "cache_control": MARK}]}]},
        {"messages": [{"tool_calls": [{"id": "c"}]}]},
    ),
    "a tool that joins later": (
        turn({"type": "tool_addition", "tool": {"definition": {"cache_control": MARK}}}),
        turn({"type": "tool_addition", "tool": {"definition": {}}}),
    ),
}


@pytest.mark.parametrize(("body", "bare"), PLACES.values(), ids=PLACES)
def test_marks_are_found_and_taken_out(body, bare):
    before = copy.deepcopy(body)
    assert has_marks(body)
    assert without_marks(body) == bare
    assert body == before
    assert not has_marks(bare)


def test_advisors_own_prompt_is_not_marked_either():
    tool = {"type": "advisor_20260301", "name": "advisor", "model": "m"}
    assert without_marks({"tools": [{**tool, "caching": MARK}]}) == {"tools": [tool]}


WORDS: dict[str, dict[str, Any]] = {
    "an input": turn({"type": "tool_use", "input": {"cache_control": 1, "content": [MARKED]}}),
    "a schema": {"tools": [{"input_schema": {"properties": {"cache_control": MARK}}}]},
    "parameters": {"tools": [{"function": {"parameters": {"cache_control": MARK}}}]},
    "a text": turn({"type": "text", "text": "cache_control"}),
    "data": turn({"type": "document", "source": {"type": "text", "data": "cache_control"}}),
    "metadata": {"metadata": {"cache_control": "x"}},
}


@pytest.mark.parametrize("body", WORDS.values(), ids=WORDS)
def test_the_same_word_elsewhere_is_no_mark(body):
    assert not has_marks(body)
    assert without_marks(body) == body
