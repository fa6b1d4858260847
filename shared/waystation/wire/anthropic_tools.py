"""The tools of a Messages request, and the choice among them, as a chat says them.

Tools of other types than custom are the API's own, and pass as they are.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview, 2026-11.
"""

from waystation.wire.checks import list_at, object_at, text_in, without

Tool = dict[str, object]

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def read_tools(value: object) -> list[object]:
    """Return function tools. Raises InvalidBodyError, naming the field."""
    return [_tool(tool, f"tools[{index}]") for index, tool in enumerate(list_at(value, "tools"))]


def read_tool_choice(value: object) -> dict[str, object]:
    """Return `tool_choice`, and `parallel_tool_calls` if it is said. Raises InvalidBodyError."""
    choice = object_at(value, "tool_choice")
    kind = text_in(choice, "type", "tool_choice")
    told: dict[str, object] = {}
    if kind == "tool":
        name = text_in(choice, "name", "tool_choice")
        told["tool_choice"] = {"type": "function", "function": {"name": name}}
    elif kind in _CHOICES:
        told["tool_choice"] = _CHOICES[kind]
    else:
        told["tool_choice"] = without(choice, "disable_parallel_tool_use")
    if choice.get("disable_parallel_tool_use") is True:
        told["parallel_tool_calls"] = False
    return told


def _tool(value: object, where: str) -> Tool:
    """Return a tool; what a function has no member for stays beside it."""
    tool = object_at(value, where)
    if text_in({"type": "custom", **tool}, "type", where) != "custom":
        return tool
    function: Tool = {"name": text_in(tool, "name", where)}
    if "description" in tool:
        function["description"] = tool["description"]
    function["parameters"] = object_at(tool.get("input_schema"), f"{where}.input_schema")
    if "strict" in tool:
        function["strict"] = tool["strict"]
    beside = without(tool, "type", "name", "description", "input_schema", "strict")
    return {**beside, "type": "function", "function": function}
