"""Translates an assistant's calls of tools, and what the tools answered.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html, 2026-11.
"""

import json
import re

from waystation.providers.bedrock.content import (
    Block,
    ContentBuilder,
    cache_points,
)
from waystation.providers.bedrock.inexpressible import inexpressible, refuse_others
from waystation.providers.call_input import read_input
from waystation.wire.checks import list_at, object_at, text_in

MAX_ID_LENGTH = 64
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.:-]")
_KNOWN_OF_RESULT = {"role", "content", "name", "tool_call_id", "is_error", "cache_control"}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def build_calls(message: Block, where: str) -> list[Block]:
    """Return the `toolUse` blocks of `tool_calls`. Raises InvalidBodyError."""
    path = f"{where}.tool_calls"
    calls = list_at(message.get("tool_calls", []), path)
    return [block for n, call in enumerate(calls) for block in _call(call, f"{path}[{n}]")]


def build_older_call(value: object, call_id: str, where: str) -> Block:
    """Return the block of a `function_call`, which has no id. Raises InvalidBodyError."""
    return _tool_use(object_at(value, where), call_id, where)


def build_result(message: Block, call_id: str, where: str, contents: ContentBuilder) -> list[Block]:
    """Return the `toolResult` block of a message of the role tool or function.

    `is_error` becomes its status; a mark of any part follows the whole. Raises InvalidBodyError.
    """
    refuse_others(message, _KNOWN_OF_RESULT, where)
    blocks = contents.build(message.get("content"), where, is_result=True)
    marks = [block for block in blocks if "cachePoint" in block][-1:]
    told = [block for block in blocks if "cachePoint" not in block]
    result: Block = {"toolUseId": valid_id(call_id), "content": told or [{"json": {}}]}
    if message.get("is_error") is True:
        result["status"] = "error"
    own = cache_points(message.get("cache_control"), where)
    return [{"toolResult": result}, *(own or marks)]


def valid_id(call_id: str) -> str:
    """Return the id of a call in the letters and the length that the API allows."""
    return _NOT_IN_IDS.sub("_", call_id)[-MAX_ID_LENGTH:]


def tell_as_text(turn: Block) -> Block:
    """Tell the calls and results of a turn in words: without tools the API takes neither."""
    content = list_at(turn["content"], "content")
    told = [said for block in content for said in _as_text(object_at(block, "content"))]
    return {**turn, "content": told}


def _as_text(block: Block) -> list[Block]:
    call, result = block.get("toolUse"), block.get("toolResult")
    if isinstance(call, dict):
        return [{"text": f"[Called the tool {call['name']}: {_encode(call['input'])}]"}]
    if isinstance(result, dict):
        return [
            {"text": f"[The tool answered: {_encode(part['json'])}]"} if "json" in part else part
            for part in result["content"]
        ]
    return [block]


def _call(value: object, where: str) -> list[Block]:
    call = object_at(value, where)
    refuse_others(call, {"id", "type", "index", "function", "cache_control"}, where)
    if call.get("type", "function") != "function":
        raise inexpressible(f"{where}.type")
    function = object_at(call.get("function"), f"{where}.function")
    block = _tool_use(function, text_in(call, "id", where), f"{where}.function")
    return [block, *cache_points(call.get("cache_control"), where)]


def _tool_use(function: Block, call_id: str, where: str) -> Block:
    told = {
        "toolUseId": valid_id(call_id),
        "name": text_in(function, "name", where),
        "input": read_input(function, where),
    }
    return {"toolUse": told}
