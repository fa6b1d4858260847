"""The conversation as the upstream takes it: roles, reasoning sent back, cache marks.

Messages are copied where they change; a client's own are never touched.
"""

from collections.abc import Callable, Iterable

Message = dict[str, object]

_ITEMS = frozenset({"reasoning_items"})
_REASONING = _ITEMS | {"reasoning_content"}


def with_system_role(messages: list[Message], role: str) -> list[Message]:
    """Return the messages with their instructions under `role`, system or developer."""
    if role == "system":
        return messages
    return [{**m, "role": role} if m.get("role") == "system" else m for m in messages]


def without_reasoning(messages: list[Message], *, keep: Callable[[Message], bool]) -> list[Message]:
    """Return the messages without the reasoning of earlier answers, but for those to be kept.

    Clients send back what they were answered, and many upstreams refuse to read it. The items of
    the Responses API mean nothing to a chat completion.
    """
    if not any(_REASONING & message.keys() for message in messages):
        return messages
    return [_without(m, _ITEMS if keep(m) else _REASONING) for m in messages]


def with_cache_marks(messages: list[Message], ttl: str | None) -> list[Message]:
    """Return the messages with a mark after the instructions and one at the end.

    A conversation of one message after the instructions gets the first alone. `ttl` is `5m` or
    None for an hour.
    """
    mark = {"type": "ephemeral"} | ({} if ttl == "5m" else {"ttl": "1h"})
    instructions = [n for n, m in enumerate(messages) if m.get("role") in {"system", "developer"}]
    others = len(messages) - len(instructions)
    marked = set(instructions[-1:])
    if others > 1 or not instructions:
        marked.add(len(messages) - 1)
    return [_marked(m, mark) if n in marked else m for n, m in enumerate(messages)]


def _marked(message: Message, mark: dict[str, str]) -> Message:
    content = message.get("content")
    if isinstance(content, str):
        if not content.strip():
            return message
        part: dict[str, object] = {"type": "text", "text": content, "cache_control": mark}
        return {**message, "content": [part]}
    if not isinstance(content, list):
        return message
    last = _last_text(content)
    return (
        message
        if last is None
        else {
            **message,
            "content": [
                {**p, "cache_control": mark} if n == last else p for n, p in enumerate(content)
            ],
        }
    )


def _last_text(parts: Iterable[object]) -> int | None:
    found = None
    for index, part in enumerate(parts):
        if isinstance(part, dict) and part.get("type") == "text":
            if "cache_control" in part:
                return None  # the client has marked it itself
            found = index
    return found


def _without(message: Message, names: frozenset[str]) -> Message:
    return {key: value for key, value in message.items() if key not in names}
