"""Translates tools and the choice among them.

A chat completion nests what a tool is under its type; the Responses API has it all on one level.
Source: https://developers.openai.com/api/docs/guides/migrate-to-responses, 2026-11.
"""

from collections.abc import Mapping

from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible.responses.shapes import inexpressible
from waystation.wire.checks import list_at, object_at, text_in, without

# What these answer or ask for has no place in a chat completion.
_UNTELLABLE = frozenset(
    {
        "image_generation",
        "computer",
        "computer_use",
        "computer_use_preview",
        "local_shell",
        "shell",
        "apply_patch",
    }
)
_NESTED = ("function", "custom", "allowed_tools")


def build_tools(given: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the tools of `tools`, of the older `functions`, and of `web_search_options`.

    The Responses API takes functions as strict unless told otherwise, a chat completion does not:
    what was left unsaid is said. Tools of types that a chat completion does not know pass as they
    are, but for those whose results it cannot tell. Raises InvalidBodyError.
    """
    tools = [
        _tool(tool, f"tools[{i}]")
        for i, tool in enumerate(list_at(given.get("tools", []), "tools"))
    ]
    for index, function in enumerate(list_at(given.get("functions", []), "functions")):
        tools.append(_function({}, function, f"functions[{index}]"))
    if "web_search_options" in given and not any(map(_is_web_search, tools)):
        tools.append(_web_search(given["web_search_options"]))
    return tools


def build_tool_choice(given: Mapping[str, object]) -> object:
    """Return what `tool_choice` or the older `function_call` says, or None.

    Raises InvalidBodyError.
    """
    choice, older = given.get("tool_choice"), given.get("function_call")
    if older is None:
        return _choice(choice, "tool_choice") if isinstance(choice, dict) else _word(choice)
    if choice is not None:
        raise InvalidBodyError(
            "function_call and tool_choice exclude each other.", param="function_call"
        )
    if isinstance(older, dict):
        return {**_named(older, "function_call"), "type": "function"}
    return _word(older, "function_call")


def _word(value: object, name: str = "tool_choice") -> object:
    if value is not None and not isinstance(value, str):
        raise InvalidBodyError(f"{name} must be a string or an object.", param=name)
    return value


def _choice(choice: dict[str, object], where: str) -> dict[str, object]:
    """Bring what a choice nests to its own level, and the same for each allowed tool."""
    kind = choice.get("type")
    if not isinstance(kind, str) or kind not in _NESTED or kind not in choice:
        return choice
    nested = object_at(choice[kind], f"{where}.{kind}")
    flat = {**without(choice, kind), **nested, "type": kind}
    if kind == "allowed_tools":
        place = f"{where}.allowed_tools.tools"
        flat["tools"] = [
            _choice(object_at(tool, f"{place}[{index}]"), f"{place}[{index}]")
            for index, tool in enumerate(list_at(flat.get("tools", []), place))
        ]
    return flat


def _tool(value: object, where: str) -> dict[str, object]:
    tool = object_at(value, where)
    if str(tool.get("type")) in _UNTELLABLE:
        raise inexpressible(f"{where}.type")
    if tool.get("type") == "mcp" and tool.get("require_approval") != "never":
        raise inexpressible(f"{where}.require_approval")
    if tool.get("type") == "function" and "function" in tool:
        return _function(without(tool, "function"), tool["function"], f"{where}.function")
    if tool.get("type") == "custom" and "custom" in tool:
        return _custom(without(tool, "custom"), tool["custom"], f"{where}.custom")
    return tool


def _function(beside: dict[str, object], value: object, where: str) -> dict[str, object]:
    function = _named(value, where)
    return {**beside, "parameters": None, "strict": False, **function, "type": "function"}


def _custom(beside: dict[str, object], value: object, where: str) -> dict[str, object]:
    custom = _named(value, where)
    layout = custom.get("format")
    if isinstance(layout, dict) and "grammar" in layout:
        grammar = object_at(layout["grammar"], f"{where}.format.grammar")
        custom["format"] = {**without(layout, "grammar"), **grammar}
    return {**beside, **custom, "type": "custom"}


def _is_web_search(tool: dict[str, object]) -> bool:
    return str(tool.get("type", "")).startswith("web_search")


def _web_search(value: object) -> dict[str, object]:
    options = object_at(value, "web_search_options")
    location = options.get("user_location")
    if isinstance(location, dict) and "approximate" in location:
        place = "web_search_options.user_location.approximate"
        approximate = object_at(location["approximate"], place)
        options["user_location"] = {**without(location, "approximate"), **approximate}
    return {**options, "type": "web_search"}


def _named(value: object, where: str) -> dict[str, object]:
    found = object_at(value, where)
    text_in(found, "name", where)
    return found
