"""Translates the pieces of a message: its tool calls, citations, errors and the way it ended.

Whatever is not shaped like a message of the API is refused, and none of it is shown. Source:
https://platform.claude.com/docs/en/api/messages, 2026-11.
"""

from collections.abc import Mapping

from waystation.errors import UpstreamError
from waystation.providers.answer_pieces import (
    Piece,
    finish_reason,
    not_a_message,
    read_document,
    text_of,
)
from waystation.providers.upstream_errors import error_from_object

THINKING = frozenset({"thinking", "redacted_thinking"})

_SERVER_TOOLS = frozenset({"server_tool_use", "mcp_tool_use", "container_upload"})
_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
_ENDING_FIELDS = ("stop_sequence", "stop_details", "container")
# Source: https://platform.claude.com/docs/en/api/errors, 2026-11.
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def read_object(body: bytes) -> Piece:
    """Read a JSON object. Raises UpstreamError if it is none, or tells of an error."""
    document = read_document(body)
    if document.get("error") or document.get("type") == "error":
        raise error_of(document.get("error") or document)
    return document


def error_of(error: object) -> UpstreamError:
    """Return the error for an `error` object; its `type` says which status it stands for."""
    kind = error.get("type") if isinstance(error, Mapping) else None
    if isinstance(kind, str) and kind in _STATUSES:
        return error_from_object(error, status=_STATUSES[kind], kind=kind)
    return error_from_object(error)


def head_of(message: Mapping[str, object]) -> Piece:
    """Return what every chunk repeats: `id` and `model`. The API tells no time."""
    return {name: message[name] for name in ("id", "model") if isinstance(message.get(name), str)}


def is_server_tool(kind: str) -> bool:
    """Tell whether a block is what a tool did that the upstream ran itself."""
    return kind in _SERVER_TOOLS or kind.endswith("_tool_result")


def tool_call_of(block: Mapping[str, object], arguments: str) -> Piece:
    """Return a call in a chat's shape; fields of a block that a chat has not are kept."""
    call_id, name = text_of(block.get("id")), text_of(block.get("name"))
    if not call_id or not name:
        raise not_a_message()
    own = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    kept = {k: v for k, v in block.items() if v is not None and k not in {"name", "input", *own}}
    return {**own, **kept}


def finish_reason_of(ending: Mapping[str, object], *, has_calls: bool) -> str:
    """Return why the answer ended; a reason that is not known is an end like any other."""
    reason = text_of(ending.get("stop_reason"))
    return finish_reason(reason, _FINISH_REASONS, has_calls=has_calls)


def ending_fields(ending: Mapping[str, object]) -> Piece:
    """Return what else is known of the end: the API's own reason and what goes with it."""
    told = {name: ending[name] for name in _ENDING_FIELDS if ending.get(name) is not None}
    reason = text_of(ending.get("stop_reason"))
    fields: Piece = ({"native_finish_reason": reason} if reason else {}) | told
    return {"provider_specific_fields": fields} if fields else {}
