"""Translates the pieces of an answer: its tool calls, reasoning, citations and the way it ended.

Whatever is not shaped like an answer of the API is refused, and none of it is shown. Source:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html, 2026-11.
"""

from collections.abc import Mapping

from waystation.providers.answer_pieces import (
    Piece,
    citation,
    finish_reason,
    not_a_message,
    object_of,
    objects_of,
    read_document,
    text_of,
)
from waystation.providers.bedrock.failures import error_of

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_ENDING_FIELDS = ("additionalModelResponseFields", "trace")


def read_object(body: bytes) -> Piece:
    """Read a JSON object. Raises UpstreamError if it is none, or tells of an error."""
    document = read_document(body)
    if document.get("error"):
        raise error_of(document["error"])
    return document


def head_of(document: Mapping[str, object]) -> Piece:
    """Return what every chunk repeats: the id of the request. The API tells no model, no time."""
    request_id = text_of(object_of(document.get("ResponseMetadata")).get("RequestId"))
    return {"id": request_id} if request_id else {}


def is_own_call(call: Mapping[str, object]) -> bool:
    """Tell whether a call is one that the upstream answers itself."""
    return call.get("type") == "server_tool_use"


def tool_call_of(call: Mapping[str, object], arguments: str) -> Piece:
    """Return a call in a chat's shape."""
    call_id, name = text_of(call.get("toolUseId")), text_of(call.get("name"))
    if not call_id or not name:
        raise not_a_message()
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def thinking_of(text: str, signature: str) -> list[Piece]:
    """Return the reasoning that may go back to the model, none if it was not signed."""
    signed: Piece = {"type": "thinking", "thinking": text, "signature": signature}
    return [signed] if signature else []


def redacted_of(data: str) -> Piece:
    return {"type": "redacted_thinking", "data": data}


def annotation_of(note: Mapping[str, object], start: int, end: int) -> Piece:
    """Return a citation as an annotation of the characters from `start` to `end`."""
    kind, place = next(iter(object_of(note.get("location")).items()), ("citation", None))
    cited = "".join(text_of(part.get("text")) for part in objects_of(note.get("sourceContent")))
    told: Piece = {
        "type": kind,
        **object_of(place),
        **{name: note[name] for name in ("title", "source") if note.get(name)},
        **({"cited_text": cited} if cited else {}),
    }
    return citation(told, start, end)


def choice_of_ending(ending: Mapping[str, object], *, has_calls: bool) -> Piece:
    """Return why an answer ended, and the API's own words for it.

    A reason that is not known is an end like any other.
    """
    reason = text_of(ending.get("stopReason"))
    told: Piece = {"native_finish_reason": reason} if reason else {}
    told |= {name: ending[name] for name in _ENDING_FIELDS if ending.get(name) is not None}
    finish = finish_reason(reason, _FINISH_REASONS, has_calls=has_calls)
    return {"finish_reason": finish} | ({"provider_specific_fields": told} if told else {})
