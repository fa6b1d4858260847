"""A chat that came in another API, without what only that API knows.

Upstreams that check their input refuse it. It changes nothing about what is asked: marks for a
cache, earlier thinking, the flag of a tool that failed and says so, and citations of earlier texts.
"""

from collections.abc import Mapping

Message = dict[str, object]

_OF_MESSAGES = frozenset({"thinking_blocks", "is_error"})
_OF_TEXTS = frozenset({"citations"})
_MARK = frozenset({"cache_control"})
_OF_CALLS = frozenset({"caller"})
_OF_TOOLS = frozenset(
    {"defer_loading", "eager_input_streaming", "input_examples", "allowed_callers"}
)


def plain_messages(messages: list[Message], *, keeps_marks: bool) -> list[Message]:
    """Return the messages as any upstream takes them; `keeps_marks` if it knows cache marks."""
    marks = frozenset[str]() if keeps_marks else _MARK
    plain = []
    for message in messages:
        told = _without(message, _OF_MESSAGES | marks)
        for name, also in (("content", _OF_TEXTS), ("tool_calls", _OF_CALLS)):
            items = told.get(name)
            if isinstance(items, list):
                told[name] = [_without(item, also | marks) for item in items]
        plain.append(told)
    return plain


def plain_tools(tools: object, *, keeps_marks: bool) -> object:
    """Return function tools without the other API's members; other tools as they are."""
    if not isinstance(tools, list):
        return tools
    names = _OF_TOOLS | (frozenset[str]() if keeps_marks else _MARK)
    return [
        _without(tool, names)
        if isinstance(tool, Mapping) and tool.get("type") == "function"
        else tool
        for tool in tools
    ]


def _without(item: object, names: frozenset[str]) -> dict[str, object]:
    fields = item if isinstance(item, Mapping) else {}
    return {name: value for name, value in fields.items() if name not in names}
