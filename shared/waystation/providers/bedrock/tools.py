"""Translates tools and the choice among them.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html,
2026-11.
"""

from collections.abc import Mapping
from typing import TypeAlias

from waystation.errors import InvalidBodyError
from waystation.providers.bedrock.content import Block, cache_points
from waystation.providers.bedrock.inexpressible import inexpressible, refuse_others
from waystation.wire.checks import list_at, object_at, text_in

Choice: TypeAlias = dict[str, object]

_NO_TOOLS = "none"
_CHOICES: Mapping[str, Choice] = {"auto": {"auto": {}}, "required": {"any": {}}}


def build_tool_config(given: Mapping[str, object]) -> Block | None:
    """Return what `tools`, `functions` and the choice among them say, None for no tools.

    The choice `none` takes the tools away. Raises InvalidBodyError.
    """
    tools = [
        block
        for index, tool in enumerate(list_at(given.get("tools", []), "tools"))
        for block in _tool(tool, f"tools[{index}]")
    ]
    for index, function in enumerate(list_at(given.get("functions", []), "functions")):
        tools.append(_spec(function, f"functions[{index}]"))
    choice = _choice(given)
    if not tools or choice == _NO_TOOLS:
        return None
    _refuse_single_calls(given)
    return {"tools": tools} | ({"toolChoice": choice} if choice else {})


def _choice(given: Mapping[str, object]) -> Choice | str | None:
    """Return the choice as the API takes it, "none" where tools are ruled out, None for none."""
    choice, older = given.get("tool_choice"), given.get("function_call")
    if older is not None and choice is not None:
        raise InvalidBodyError(
            "function_call and tool_choice exclude each other.", param="function_call"
        )
    if isinstance(older, dict):
        return {"tool": {"name": text_in(older, "name", "function_call")}}
    if isinstance(choice, dict):
        return _named(object_at(choice, "tool_choice"))
    name = "tool_choice" if older is None else "function_call"
    word = choice if older is None else older
    if word is None or word == _NO_TOOLS:
        return word
    if not isinstance(word, str) or word not in _CHOICES:
        raise InvalidBodyError(f"{name} must be auto, none, required or an object.", param=name)
    return _CHOICES[word]


def _named(choice: Block) -> Choice:
    if choice.get("type") != "function":
        raise inexpressible("tool_choice.type")
    function = object_at(choice.get("function"), "tool_choice.function")
    return {"tool": {"name": text_in(function, "name", "tool_choice.function")}}


def _refuse_single_calls(given: Mapping[str, object]) -> None:
    if given.get("parallel_tool_calls", True) is not True:
        raise inexpressible("parallel_tool_calls")


def _tool(value: object, where: str) -> list[Block]:
    tool = object_at(value, where)
    if tool.get("type") != "function":
        raise inexpressible(f"{where}.type")
    refuse_others(tool, {"type", "function", "cache_control"}, where)
    spec = _spec(tool.get("function"), f"{where}.function")
    return [spec, *cache_points(tool.get("cache_control"), where)]


def _spec(value: object, where: str) -> Block:
    function = object_at(value, where)
    refuse_others(function, {"name", "description", "parameters", "strict"}, where)
    spec: Block = {"name": text_in(function, "name", where)}
    if function.get("description"):
        spec["description"] = text_in(function, "description", where)
    schema = object_at(function.get("parameters", {}), f"{where}.parameters")
    if not schema.get("type"):
        schema = {"type": "object", "properties": {}, **schema}
    spec["inputSchema"] = {"json": schema}
    if function.get("strict") is True:
        spec["strict"] = True
    return {"toolSpec": spec}
