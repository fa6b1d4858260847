"""Tools, and the choice among them, on one level."""

import pytest

from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible.responses.tools import build_tool_choice, build_tools

SCHEMA = {"type": "object", "properties": {}}
FULL = {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}

TOOLS = {
    "function": ({"type": "function", "function": FULL}, {"type": "function", **FULL}),
    "function that says little": (
        {"type": "function", "function": {"name": "f", "description": None}},
        {"type": "function", "name": "f", "parameters": None, "strict": False},
    ),
    "function that is flat already": (
        {"type": "function", "name": "f", "parameters": SCHEMA, "strict": None},
        {"type": "function", "name": "f", "parameters": SCHEMA},
    ),
    "function with more beside it": (
        {"type": "function", "defer_loading": True, "function": FULL},
        {"type": "function", "defer_loading": True, **FULL},
    ),
    "custom": (
        {"type": "custom", "custom": {"name": "c", "description": "d", "format": {"type": "text"}}},
        {"type": "custom", "name": "c", "description": "d", "format": {"type": "text"}},
    ),
    "custom with a grammar": (
        {
            "type": "custom",
            "custom": {
                "name": "c",
                "format": {
                    "type": "grammar",
                    "grammar": {"syntax": "lark", "definition": "start: A"},
                },
            },
        },
        {
            "type": "custom",
            "name": "c",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: A"},
        },
    ),
    "built in": ({"type": "web_search"}, {"type": "web_search"}),
    "built in with options": (
        {"type": "file_search", "vector_store_ids": ["v"]},
        {"type": "file_search", "vector_store_ids": ["v"]},
    ),
    "of another provider": ({"googleSearch": {}}, {"googleSearch": {}}),
}


@pytest.mark.parametrize(("chat", "expected"), TOOLS.values(), ids=TOOLS)
def test_tools_are_flattened(chat, expected):
    assert build_tools({"tools": [chat]}) == [expected]


def test_older_functions_become_tools():
    assert build_tools({"tools": [{"type": "web_search"}], "functions": [FULL]}) == [
        {"type": "web_search"},
        {"type": "function", **FULL},
    ]


def test_web_search_options_become_a_tool():
    place = {"city": "Paris", "country": "FR"}
    options = {
        "search_context_size": "low",
        "user_location": {"type": "approximate", "approximate": place},
    }
    assert build_tools({"web_search_options": options}) == [
        {
            "type": "web_search",
            "search_context_size": "low",
            "user_location": {"type": "approximate", **place},
        }
    ]
    assert build_tools({"web_search_options": {}}) == [{"type": "web_search"}]


def test_a_search_is_not_asked_for_twice():
    tools = [{"type": "web_search_preview"}]
    assert build_tools({"tools": tools, "web_search_options": {}}) == tools


CHOICES = {
    "none": ({}, None),
    "word": ({"tool_choice": "required"}, "required"),
    "function": (
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"type": "function", "name": "f"},
    ),
    "function that is flat already": (
        {"tool_choice": {"type": "function", "name": "f"}},
        {"type": "function", "name": "f"},
    ),
    "custom": (
        {"tool_choice": {"type": "custom", "custom": {"name": "c"}}},
        {"type": "custom", "name": "c"},
    ),
    "built in": ({"tool_choice": {"type": "web_search"}}, {"type": "web_search"}),
    "allowed": (
        {
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [
                        {"type": "function", "function": {"name": "f"}},
                        {"type": "web_search"},
                    ],
                },
            }
        },
        {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
        },
    ),
    "older word": ({"function_call": "none"}, "none"),
    "older name": ({"function_call": {"name": "f"}}, {"type": "function", "name": "f"}),
}


@pytest.mark.parametrize(("given", "expected"), CHOICES.values(), ids=CHOICES)
def test_a_choice_is_flattened(given, expected):
    assert build_tool_choice(given) == expected


BAD_TOOLS = [
    ({"tools": {}}, "tools"),
    ({"tools": ["x"]}, "tools[0]"),
    ({"tools": [{"type": "function", "function": "f"}]}, "tools[0].function"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    ({"tools": [{}, {"type": "custom", "custom": []}]}, "tools[1].custom"),
    (
        {"tools": [{"type": "custom", "custom": {"name": "c", "format": {"grammar": "x"}}}]},
        "tools[0].custom.format.grammar",
    ),
    ({"functions": "f"}, "functions"),
    ({"functions": [{"name": 1}]}, "functions[0].name"),
    ({"web_search_options": True}, "web_search_options"),
    (
        {"web_search_options": {"user_location": {"approximate": "Paris"}}},
        "web_search_options.user_location.approximate",
    ),
]
BAD_CHOICES = [
    ({"tool_choice": 1}, "tool_choice"),
    ({"tool_choice": []}, "tool_choice"),
    ({"tool_choice": {"type": "function", "function": "f"}}, "tool_choice.function"),
    (
        {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": "x"}}},
        "tool_choice.allowed_tools.tools",
    ),
    (
        {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": ["x"]}}},
        "tool_choice.allowed_tools.tools[0]",
    ),
    ({"function_call": 1}, "function_call"),
    ({"function_call": {}}, "function_call.name"),
    ({"function_call": "auto", "tool_choice": "auto"}, "function_call"),
]


@pytest.mark.parametrize(
    ("build", "given", "field"),
    [(build_tools, *case) for case in BAD_TOOLS]
    + [(build_tool_choice, *case) for case in BAD_CHOICES],
)
def test_a_wrong_shape_is_named(build, given, field):
    with pytest.raises(InvalidBodyError) as caught:
        build(given)
    assert caught.value.param == field
