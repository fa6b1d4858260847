"""Tools and the choice among them."""

import pytest

from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.tools import build_tool_choice, build_tools

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FUNCTION = {"name": "f", "description": "d", "parameters": SCHEMA}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
MARK = {"type": "ephemeral"}


def function(**changes: object) -> dict[str, object]:
    return {"type": "function", "function": FUNCTION | changes}


TOOLS = {
    "a function": (function(), {"name": "f", "description": "d", "input_schema": SCHEMA}),
    "without parameters": (
        {"type": "function", "function": {"name": "f"}},
        {"name": "f", "input_schema": {"type": "object", "properties": {}}},
    ),
    "parameters without a type": (
        function(parameters={"properties": {}, "required": []}),
        {
            "name": "f",
            "description": "d",
            "input_schema": {"type": "object", "properties": {}, "required": []},
        },
    ),
    "strict": (
        function(strict=True),
        {"name": "f", "description": "d", "input_schema": SCHEMA, "strict": True},
    ),
    "not strict": (
        function(strict=False),
        {"name": "f", "description": "d", "input_schema": SCHEMA},
    ),
    "marked": (
        function() | {"cache_control": MARK},
        {"name": "f", "description": "d", "input_schema": SCHEMA, "cache_control": MARK},
    ),
    "with members of the API's own": (
        function(defer_loading=True),
        {"name": "f", "description": "d", "input_schema": SCHEMA, "defer_loading": True},
    ),
    "the upstream's own": (SEARCH | {"max_uses": 5}, SEARCH | {"max_uses": 5}),
    "in the API's own form": (
        {"name": "f", "input_schema": SCHEMA},
        {"name": "f", "input_schema": SCHEMA},
    ),
    "in the API's own form, named custom": (
        {"type": "custom", "name": "f", "input_schema": SCHEMA},
        {"type": "custom", "name": "f", "input_schema": SCHEMA},
    ),
}


@pytest.mark.parametrize(("tool", "built"), TOOLS.values(), ids=TOOLS)
def test_tools(tool, built):
    assert build_tools({"tools": [tool]}) == [built]


def test_functions_of_the_older_way():
    assert build_tools({"functions": [FUNCTION]}) == [
        {"name": "f", "description": "d", "input_schema": SCHEMA}
    ]


OPTIONS = {
    "nothing": ({}, SEARCH),
    "the usual size": ({"search_context_size": "medium"}, SEARCH),
    "a place": (
        {"user_location": {"type": "approximate", "approximate": {"city": "Łódź"}}},
        SEARCH | {"user_location": {"type": "approximate", "city": "Łódź"}},
    ),
    "the API's own": ({"max_uses": 2}, SEARCH | {"max_uses": 2}),
}


@pytest.mark.parametrize(("options", "tool"), OPTIONS.values(), ids=OPTIONS)
def test_options_of_web_search_are_a_tool(options, tool):
    assert build_tools({"web_search_options": options}) == [tool]
    own = SEARCH | {"max_uses": 9}
    assert build_tools({"web_search_options": options, "tools": [own]}) == [own]


WRONG_TOOLS = {
    "no list": ({"tools": {}}, "tools"),
    "no tool": ({"tools": ["f"]}, "tools[0]"),
    "no function": ({"tools": [{"type": "function", "name": "f"}]}, "tools[0].function"),
    "no name": ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    "parameters": ({"tools": [function(parameters=[])]}, "tools[0].function.parameters"),
    "free text": ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0].type"),
    "nothing": ({"tools": [{}]}, "tools[0].type"),
    "a type that is none": ({"tools": [{"type": 5}]}, "tools[0].type"),
    "functions": ({"functions": [{}]}, "functions[0].name"),
    "much context": (
        {"web_search_options": {"search_context_size": "high"}},
        "web_search_options.search_context_size",
    ),
    "search": ({"web_search_options": True}, "web_search_options"),
}


@pytest.mark.parametrize(("given", "param"), WRONG_TOOLS.values(), ids=WRONG_TOOLS)
def test_wrong_tools_are_named(given, param):
    with pytest.raises(InvalidBodyError) as caught:
        build_tools(given)
    assert caught.value.param == param


CHOICES = {
    "nothing": ({}, None),
    "auto": ({"tool_choice": "auto"}, {"type": "auto"}),
    "none": ({"tool_choice": "none"}, {"type": "none"}),
    "required": ({"tool_choice": "required"}, {"type": "any"}),
    "a function": (
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"type": "tool", "name": "f"},
    ),
    "the API's own": ({"tool_choice": {"type": "any"}}, {"type": "any"}),
    "one at a time": (
        {"parallel_tool_calls": False},
        {"type": "auto", "disable_parallel_tool_use": True},
    ),
    "several at a time": ({"parallel_tool_calls": True}, None),
    "one required": (
        {"tool_choice": "required", "parallel_tool_calls": False},
        {"type": "any", "disable_parallel_tool_use": True},
    ),
    "none at a time": ({"tool_choice": "none", "parallel_tool_calls": False}, {"type": "none"}),
    "the older way": ({"function_call": "auto"}, {"type": "auto"}),
    "the older way, by name": ({"function_call": {"name": "f"}}, {"type": "tool", "name": "f"}),
}


@pytest.mark.parametrize(("given", "choice"), CHOICES.values(), ids=CHOICES)
def test_choices(given, choice):
    assert build_tool_choice(given, has_tools=True) == choice


def test_without_tools_there_are_none_to_be_called_one_at_a_time():
    assert build_tool_choice({"parallel_tool_calls": False}, has_tools=False) is None


WRONG_CHOICES = {
    "a word": ({"tool_choice": "any"}, "tool_choice"),
    "a number": ({"tool_choice": 5}, "tool_choice"),
    "a list": ({"tool_choice": ["auto"]}, "tool_choice"),
    "no name": ({"tool_choice": {"type": "function"}}, "tool_choice.function"),
    "several": ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice.type"),
    "no type": ({"tool_choice": {}}, "tool_choice.type"),
    "both ways": ({"tool_choice": "auto", "function_call": "auto"}, "function_call"),
    "the older way": ({"function_call": "any"}, "function_call"),
    "the older way, without a name": ({"function_call": {}}, "function_call.name"),
    "parallel": ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
}


@pytest.mark.parametrize(("given", "param"), WRONG_CHOICES.values(), ids=WRONG_CHOICES)
def test_wrong_choices_are_named(given, param):
    with pytest.raises(InvalidBodyError) as caught:
        build_tool_choice(given, has_tools=True)
    assert caught.value.param == param
