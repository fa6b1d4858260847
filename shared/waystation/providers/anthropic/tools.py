"""Translates tools and the choice among them.

Sources: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview and
https://platform.openai.com/docs/api-reference/chat/create, 2026-11.
"""

from collections.abc import Mapping

from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.inexpressible import inexpressible
from waystation.providers.claude import models as claude_models
from waystation.wire.checks import list_at, object_at, text_in, without

Tool = dict[str, object]

_CHOICES = {"auto": "auto", "none": "none", "required": "any"}
_OWN_CHOICES = frozenset({"auto", "none", "any", "tool"})


def build_tools(given: Mapping[str, object]) -> list[object]:
    """Return the tools of `tools`, of the older `functions`, and of `web_search_options`.

    Tools of other types than function, and those with an `input_schema`, are the API's own and pass
    as they are. Raises InvalidBodyError.
    """
    tools: list[object] = [
        _tool(tool, f"tools[{index}]")
        for index, tool in enumerate(list_at(given.get("tools", []), "tools"))
    ]
    for index, function in enumerate(list_at(given.get("functions", []), "functions")):
        tools.append(_function({}, function, f"functions[{index}]"))
    if "web_search_options" in given:
        tools = with_web_search(tools, _search_options(given["web_search_options"]))
    return tools


def with_web_search(tools: object, options: Mapping[str, object] | None = None) -> list[object]:
    """Return the tools with the upstream's web search among them; one that is there stays."""
    present = tools if isinstance(tools, list) else []
    if any(isinstance(tool, dict) and _is_web_search(tool) for tool in present):
        return present
    return [*present, {**claude_models.SEARCH_TOOL, **(options or {})}]


def build_tool_choice(given: Mapping[str, object], *, has_tools: bool) -> Tool | None:
    """Return what `tool_choice`, `function_call` and `parallel_tool_calls` say, None for nothing.

    Raises InvalidBodyError.
    """
    choice, older = given.get("tool_choice"), given.get("function_call")
    if older is not None and choice is not None:
        raise InvalidBodyError(
            "function_call and tool_choice exclude each other.", param="function_call"
        )
    if isinstance(older, dict):
        chosen: Tool | None = {"type": "tool", "name": text_in(older, "name", "function_call")}
    elif older is not None:
        chosen = _word(older, "function_call")
    elif isinstance(choice, dict):
        chosen = _choice(object_at(choice, "tool_choice"))
    else:
        chosen = None if choice is None else _word(choice, "tool_choice")
    parallel = given.get("parallel_tool_calls", True)
    if not isinstance(parallel, bool):
        raise InvalidBodyError(
            "parallel_tool_calls must be true or false.", param="parallel_tool_calls"
        )
    if parallel or not has_tools or (chosen and chosen["type"] == "none"):
        return chosen
    return {**(chosen or {"type": "auto"}), "disable_parallel_tool_use": True}


def _word(value: object, name: str) -> Tool:
    if not isinstance(value, str) or value not in _CHOICES:
        raise InvalidBodyError(f"{name} must be auto, none, required or an object.", param=name)
    return {"type": _CHOICES[value]}


def _choice(choice: Tool) -> Tool:
    kind = choice.get("type")
    if kind == "function":
        function = object_at(choice.get("function"), "tool_choice.function")
        return {"type": "tool", "name": text_in(function, "name", "tool_choice.function")}
    if not isinstance(kind, str) or kind not in _OWN_CHOICES:
        raise inexpressible("tool_choice.type")
    return choice


def _tool(value: object, where: str) -> Tool:
    tool = object_at(value, where)
    kind = tool.get("type", "custom")
    if kind == "function":
        return _function(without(tool, "function", "type"), tool.get("function"), where)
    if kind == "custom" and "input_schema" not in tool:
        raise inexpressible(f"{where}.type")
    text_in({"type": kind}, "type", where)
    return tool


def _function(beside: Tool, value: object, where: str) -> Tool:
    place = where if where.startswith("functions") else f"{where}.function"
    function = object_at(value, place)
    strict = {"strict": True} if function.get("strict") is True else {}
    return {
        **beside,
        **without(function, "parameters", "strict"),
        "name": text_in(function, "name", place),
        "input_schema": _schema(function.get("parameters", {}), f"{place}.parameters"),
        **strict,
    }


def _schema(value: object, path: str) -> Tool:
    if not isinstance(value, dict):
        raise InvalidBodyError(f"{path} must be an object.", param=path)
    return value if value.get("type") else {"type": "object", "properties": {}, **value}


def _is_web_search(tool: Mapping[str, object]) -> bool:
    return str(tool.get("type", "")).startswith("web_search")


def _search_options(value: object) -> Tool:
    options = object_at(value, "web_search_options")
    if options.get("search_context_size", "medium") != "medium":
        raise inexpressible("web_search_options.search_context_size")
    location = options.get("user_location")
    if isinstance(location, dict) and "approximate" in location:
        place = "web_search_options.user_location.approximate"
        approximate = object_at(location["approximate"], place)
        options["user_location"] = {**without(location, "approximate"), **approximate}
    return without(options, "search_context_size")
