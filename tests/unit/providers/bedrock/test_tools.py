"""Tools and the choice among them."""

from typing import Any

import pytest

from tests.support.converse_shaping import fields_of, tool
from waystation.errors import InvalidBodyError

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
EMPTY = {"type": "object", "properties": {}}
SPEC = {"toolSpec": {"name": "weather", "inputSchema": {"json": EMPTY}}}
POINT = {"cachePoint": {"type": "default"}}


def config_of(**params: Any) -> Any:
    return fields_of(params).get("toolConfig")


def test_functions_are_tools():
    full = tool(description="D", parameters=SCHEMA, strict=True)
    assert config_of(tools=[full, tool(description="", strict=False)]) == {
        "tools": [
            {
                "toolSpec": {
                    "name": "weather",
                    "description": "D",
                    "inputSchema": {"json": SCHEMA},
                    "strict": True,
                }
            },
            SPEC,
        ]
    }


def test_older_functions_are_tools_as_well():
    choice = {"toolChoice": {"tool": {"name": "weather"}}}
    assert config_of(functions=[{"name": "weather"}], function_call={"name": "weather"}) == {
        "tools": [SPEC],
        **choice,
    }


def test_a_schema_without_a_type_is_an_object():
    ((spec,),) = [config_of(tools=[tool(parameters={"required": []})])["tools"]]
    assert spec["toolSpec"]["inputSchema"] == {"json": EMPTY | {"required": []}}


def test_marks_become_cache_points():
    marked = tool() | {"cache_control": {"type": "ephemeral"}}
    assert config_of(tools=[marked, tool()]) == {"tools": [SPEC, POINT, SPEC]}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("auto", {"toolChoice": {"auto": {}}}),
        ("required", {"toolChoice": {"any": {}}}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"toolChoice": {"tool": {"name": "weather"}}},
        ),
    ],
    ids=str,
)
def test_choices(choice, told):
    assert config_of(tools=[tool()], tool_choice=choice) == {"tools": [SPEC], **told}


@pytest.mark.parametrize("older", [{"function_call": "none"}, {"tool_choice": "none"}])
def test_none_takes_the_tools_away(older):
    assert config_of(tools=[tool()], **older) is None


def test_a_choice_without_tools_says_nothing():
    assert config_of(tool_choice="auto", parallel_tool_calls=False) is None


def test_several_calls_at_a_time_are_what_the_api_does_anyway():
    assert config_of(tools=[tool()], parallel_tool_calls=True) == {"tools": [SPEC]}


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"tools": {}}, "tools"),
        ({"tools": [1]}, "tools[0]"),
        ({"tools": [{"type": "web_search_20250305"}]}, "tools[0].type"),
        ({"tools": [tool() | {"x": 1}]}, "tools[0].x"),
        ({"tools": [tool(name=1)]}, "tools[0].function.name"),
        ({"tools": [tool(x=1)]}, "tools[0].function.x"),
        ({"tools": [tool(description=1)]}, "tools[0].function.description"),
        ({"tools": [tool(parameters=[])]}, "tools[0].function.parameters"),
        ({"functions": [{}]}, "functions[0].name"),
        ({"tools": [tool()], "tool_choice": "any"}, "tool_choice"),
        ({"tools": [tool()], "tool_choice": {"type": "allowed_tools"}}, "tool_choice.type"),
        ({"tools": [tool()], "function_call": "sometimes"}, "function_call"),
        ({"tool_choice": "auto", "function_call": "auto"}, "function_call"),
        ({"tools": [tool()], "parallel_tool_calls": False}, "parallel_tool_calls"),
    ],
    ids=str,
)
def test_what_cannot_be_expressed_is_named(params, param):
    with pytest.raises(InvalidBodyError) as caught:
        fields_of(params)
    assert caught.value.param == param
