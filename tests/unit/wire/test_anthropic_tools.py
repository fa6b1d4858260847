"""The tools of a Messages request, and the choice among them."""

import pytest

from waystation.errors import InvalidBodyError
from waystation.wire.anthropic_tools import read_tool_choice, read_tools

SCHEMA = {"type": "object", "properties": {}}
TOOL = {"name": "f", "input_schema": SCHEMA}
FUNCTION = {"name": "f", "parameters": SCHEMA}
TOOLS = {
    "tool": (TOOL, {"type": "function", "function": FUNCTION}),
    "custom tool": (
        {**TOOL, "type": "custom", "description": "d", "strict": True},
        {"type": "function", "function": {**FUNCTION, "description": "d", "strict": True}},
    ),
    "null type": ({**TOOL, "type": None}, {"type": "function", "function": FUNCTION}),
    "marked tool": (
        {**TOOL, "cache_control": {"type": "ephemeral"}, "defer_loading": True},
        {
            "type": "function",
            "function": FUNCTION,
            "cache_control": {"type": "ephemeral"},
            "defer_loading": True,
        },
    ),
    "the API's own": (
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "web_search_20250305", "name": "web_search"},
    ),
}


@pytest.mark.parametrize(("tool", "expected"), TOOLS.values(), ids=TOOLS)
def test_tool_is_a_function(tool, expected):
    assert read_tools([tool]) == [expected]


NAMED = {"tool_choice": {"type": "function", "function": {"name": "f"}}}
CHOICES = {
    "auto": ({"type": "auto"}, {"tool_choice": "auto"}),
    "any": ({"type": "any"}, {"tool_choice": "required"}),
    "none": ({"type": "none"}, {"tool_choice": "none"}),
    "tool": ({"type": "tool", "name": "f"}, NAMED),
    "one at a time": (
        {"type": "any", "disable_parallel_tool_use": True},
        {"tool_choice": "required", "parallel_tool_calls": False},
    ),
    "several at a time": (
        {"type": "auto", "disable_parallel_tool_use": False},
        {"tool_choice": "auto"},
    ),
    "new": ({"type": "new", "x": 1}, {"tool_choice": {"type": "new", "x": 1}}),
}


@pytest.mark.parametrize(("choice", "expected"), CHOICES.values(), ids=CHOICES)
def test_choice_has_a_chats_word(choice, expected):
    assert read_tool_choice(choice) == expected


REFUSED = {
    "text": ([1], "tools[0]"),
    "type number": ([{"type": 1}], "tools[0].type"),
    "no name": ([TOOL, {"input_schema": {}}], "tools[1].name"),
    "no schema": ([{"name": "f"}], "tools[0].input_schema"),
}


@pytest.mark.parametrize(("tools", "param"), REFUSED.values(), ids=REFUSED)
def test_malformed_tool_is_refused_naming_the_field(tools, param):
    with pytest.raises(InvalidBodyError) as caught:
        read_tools(tools)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("choice", "param"),
    [("auto", "tool_choice"), ({}, "tool_choice.type"), ({"type": "tool"}, "tool_choice.name")],
)
def test_malformed_choice_is_refused_naming_the_field(choice, param):
    with pytest.raises(InvalidBodyError) as caught:
        read_tool_choice(choice)
    assert caught.value.param == param
