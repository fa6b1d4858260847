"""Translates an assistant's calls of tools, and what the tools answered.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview, 2026-11.
"""

import re

from waystation.providers.anthropic.content import Block, as_blocks, build_content
from waystation.providers.anthropic.inexpressible import inexpressible
from waystation.providers.call_input import read_input
from waystation.wire.checks import list_at, object_at, text_in, without

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")


def build_calls(message: Block, where: str) -> list[Block]:
    """Return the `tool_use` blocks of `tool_calls`. Raises InvalidBodyError."""
    path = f"{where}.tool_calls"
    calls = list_at(message.get("tool_calls", []), path)
    return [_call(call, f"{path}[{index}]") for index, call in enumerate(calls)]


def build_older_call(value: object, call_id: str, where: str) -> Block:
    """Return the block of a `function_call`, which has no id. Raises InvalidBodyError."""
    return _tool_use(object_at(value, where), call_id, where)


def build_result(message: Block, call_id: str, where: str) -> Block:
    """Return the `tool_result` block of a message of the role tool or function.

    Its name says again what the call said. Other members (`is_error`, `cache_control`) stay.
    Raises InvalidBodyError.
    """
    content = build_content(message.get("content"), where)
    told = {"content": content} if as_blocks(content) else {}
    rest = without(message, "role", "content", "name", "tool_call_id")
    return {**rest, "type": "tool_result", "tool_use_id": valid_id(call_id), **told}


def valid_id(call_id: str) -> str:
    """Return the id of a call in the letters that the API allows; other providers use more."""
    return _NOT_IN_IDS.sub("_", call_id)


def _call(value: object, where: str) -> Block:
    call = object_at(value, where)
    if call.get("type", "function") != "function":
        raise inexpressible(f"{where}.type")
    function = object_at(call.get("function"), f"{where}.function")
    block = _tool_use(function, text_in(call, "id", where), f"{where}.function")
    return {**without(call, "id", "type", "index", "function"), **block}


def _tool_use(function: Block, call_id: str, where: str) -> Block:
    return {
        "type": "tool_use",
        "id": valid_id(call_id),
        "name": text_in(function, "name", where),
        "input": read_input(function, where),
    }
