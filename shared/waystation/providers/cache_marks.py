"""The marks by which a client says itself what the upstream is to keep in its cache.

What a tool is called with, and the schema of what it takes, are searched by nobody: a
`cache_control` there is the caller's own word. Source:
https://platform.claude.com/docs/en/build-with-claude/prompt-caching, 2026-11.
"""

_MARK = "cache_control"
# An advisor's own prompt is marked by another name.
_MARKS = frozenset({_MARK, "caching"})
# Where blocks and tools stand in a request, and in each other.
_INNER = frozenset(
    {
        "tools",
        "system",
        "messages",
        "content",
        "source",
        "tool_calls",
        "tool_changes",
        "tool",
        "definition",
    }
)


def has_marks(value: object) -> bool:
    """Tell whether a request, or a part of one, has a mark anywhere."""
    if isinstance(value, list):
        return any(map(has_marks, value))
    if not isinstance(value, dict):
        return False
    return _MARK in value or any(has_marks(value.get(name)) for name in _INNER)


def without_marks(body: dict[str, object]) -> dict[str, object]:
    """Return a request without its marks; nothing of the one that is given is changed."""
    return {
        name: _bare(value) if name in _INNER else value
        for name, value in body.items()
        if name not in _MARKS
    }


def _bare(value: object) -> object:
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return without_marks(value) if isinstance(value, dict) else value
