"""The conversation of a Messages request, as the messages of a chat.

What an assistant thought, and what the upstream's own tools did, goes in `thinking_blocks` and
`server_tool_blocks` beside its text; the results of tools become messages of their own.

Source: https://platform.claude.com/docs/en/api/messages, 2026-11.
"""

import json

from waystation.errors import InvalidBodyError
from waystation.wire.anthropic_parts import Block, read_parts, read_placed_parts
from waystation.wire.checks import object_at, text_in, without

Message = dict[str, object]

_THINKING = frozenset({"thinking", "redacted_thinking"})
_SERVER_TOOLS = frozenset({"server_tool_use", "mcp_tool_use", "container_upload"})
_SEPARATOR = "\n\n"  # between blocks of thinking, and between instructions

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def read_system(value: object) -> list[Message]:
    """Return the instructions as a message, none if there are none. Raises InvalidBodyError."""
    if value is None or value in ("", []):
        return []
    content = _content(read_parts(value, "system"), _SEPARATOR)
    return [{"role": "system", "content": content}]


def read_messages(messages: list[dict[str, object]]) -> list[Message]:
    """Return the messages of a chat. Raises InvalidBodyError, naming the field."""
    return [
        told
        for index, message in enumerate(messages)
        for told in _message(message, f"messages[{index}]")
    ]


def _message(message: Message, where: str) -> list[Message]:
    rest = without(object_at(message, where), "role", "content")
    parts = read_placed_parts(message.get("content"), f"{where}.content")
    match message["role"]:
        case "user":
            return _user(parts, rest)
        case "assistant":
            return [{"role": "assistant", **_assistant(parts), **rest}]
        case "system":
            instructions = _content([part for part, _ in parts], _SEPARATOR)
            return [{"role": "system", "content": instructions, **rest}]
        case _:
            place = f"{where}.role"
            raise InvalidBodyError(f"{place} must be user, assistant or system.", param=place)


def _user(parts: list[tuple[Block, str]], rest: Message) -> list[Message]:
    """Return the results of tools, each a message, and after them what the user said."""
    results = [_result(part, place) for part, place in parts if part["type"] == "tool_result"]
    said = [part for part, _ in parts if part["type"] != "tool_result"]
    if results and not said:
        return results
    return [*results, {"role": "user", "content": _content(said), **rest}]


def _result(block: Block, where: str) -> Message:
    content = _content(read_parts(block.get("content", ""), f"{where}.content"))
    rest = without(block, "type", "tool_use_id", "content", "is_error")
    failed = {"is_error": True} if block.get("is_error") is True else {}
    call_id = text_in(block, "tool_use_id", where)
    return {"role": "tool", "tool_call_id": call_id, "content": content, **failed, **rest}


def _assistant(parts: list[tuple[Block, str]]) -> Message:
    """Return the fields of an assistant's message; those that say nothing are left out."""
    said, thinking, server_tools, calls = [], [], [], []
    for block, place in parts:
        kind = str(block["type"])
        if kind in _THINKING:
            thinking.append(block)
        elif kind == "tool_use":
            calls.append(_call(block, place))
        elif kind in _SERVER_TOOLS or kind.endswith("_tool_result"):
            server_tools.append(block)
        else:
            said.append(block)
    thoughts = [text for block in thinking if isinstance(text := block.get("thinking"), str)]
    told: Message = {
        "reasoning_content": _SEPARATOR.join(filter(None, thoughts)),
        "thinking_blocks": thinking,
        "server_tool_blocks": server_tools,
        "tool_calls": calls,
    }
    content = _content(said, "")
    return {
        "content": None if content == "" and calls else content,
        **{name: value for name, value in told.items() if value},
    }


def _call(block: Block, where: str) -> Message:
    arguments = object_at(block.get("input", {}), f"{where}.input")
    function = {"name": text_in(block, "name", where), "arguments": _encode(arguments)}
    rest = without(block, "type", "id", "name", "input")
    return {
        "id": text_in(block, "id", where),
        "type": "function",
        "function": function,
        **rest,
    }


def _content(parts: list[Block], separator: str | None = None) -> str | list[Block]:
    """Return parts as one text where they are nothing but text.

    Without a separator several texts stay parts of their own.
    """
    texts = [
        part["text"] for part in parts if part["type"] == "text" and part.keys() == {"type", "text"}
    ]
    if len(texts) < len(parts) or (separator is None and len(texts) > 1):
        return parts
    return (separator or "").join(map(str, texts))
