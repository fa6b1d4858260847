"""Translates the pieces of a response: its calls, reasoning, citations, logprobs and usage.

Whatever is not shaped like a response of the API is refused, and none of it is shown. Source:
https://developers.openai.com/api/reference/resources/responses, 2026-11.
"""

from collections.abc import Mapping

from waystation.errors import UpstreamInvalidResponseError

Piece = dict[str, object]

SEPARATOR = "\n\n"  # between the parts of reasoning
_USAGE_NAMES = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}
# Where a citation stands in the text of its part. The index of a file path counts files.
_PLACES = {"file_path": (), "file_citation": ("start_index", "end_index", "index")}
_MAX_TIME = 2**53
_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}


def not_a_response() -> UpstreamInvalidResponseError:
    return UpstreamInvalidResponseError("The upstream's answer is not a response.")


def object_of(value: object) -> Piece:
    """Return an object, empty where there is none. Raises UpstreamInvalidResponseError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise not_a_response()
    return value


def objects_of(value: object) -> list[Piece]:
    """Return a list of objects, empty where there is none. Raises UpstreamInvalidResponseError."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(member, dict) for member in value):
        raise not_a_response()
    return value


def text_of(value: object) -> str:
    """Return a text, empty where there is none. Raises UpstreamInvalidResponseError."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise not_a_response()
    return value


def head_of(response: Mapping[str, object]) -> Piece:
    """Return what every chunk repeats: `id`, `created` in whole seconds, `model`."""
    head = {name: response[name] for name in ("id", "model") if isinstance(response.get(name), str)}
    created = response.get("created_at")
    if isinstance(created, int | float) and 0 <= created < _MAX_TIME:
        head["created"] = int(created)
    return head


def tool_call_of(item: Mapping[str, object]) -> Piece | None:
    """Return a call in a chat's shape, or None if it does not say yet what it calls."""
    kind, told = _CALLS[str(item["type"])]
    call_id, name = text_of(item.get("call_id")) or text_of(item.get("id")), item.get("name")
    if not call_id or not text_of(name):
        return None
    return {"id": call_id, "type": kind, kind: {"name": name, told: text_of(item.get(told))}}


def is_call(item: Mapping[str, object]) -> bool:
    kind = item.get("type")
    return isinstance(kind, str) and kind in _CALLS


def reasoning_parts(item: Mapping[str, object]) -> tuple[str, list[str]]:
    """Return the texts of a reasoning item, and which they are: its `summary`, or its `content`.

    A summary that says something goes before the reasoning itself.
    """
    summary, content = (
        [text_of(part.get("text")) for part in objects_of(item.get(name))]
        for name in ("summary", "content")
    )
    return ("content", content) if any(content) and not any(summary) else ("summary", summary)


def is_returnable(item: Mapping[str, object]) -> bool:
    """Tell whether the API would know a reasoning item again if it were sent back."""
    return any(isinstance(item.get(name), str) for name in ("id", "encrypted_content"))


def citation(annotation: Mapping[str, object], offset: int) -> Piece:
    """Return an annotation in a chat's shape, its places moved by `offset` characters."""
    kind = text_of(annotation.get("type")) or "annotation"
    told = {name: value for name, value in annotation.items() if name != "type"}
    for name in _PLACES.get(kind, ("start_index", "end_index")):
        place = told.get(name)
        if type(place) is int:
            told[name] = place + offset
    return {"type": kind, kind: told}


def logprobs_of(value: object) -> list[Piece]:
    """Return the log probabilities of tokens, with what a chat's shape requires."""
    return [
        {"bytes": None, **token, "top_logprobs": objects_of(token.get("top_logprobs"))}
        for token in objects_of(value)
    ]


def usage_of(response: Mapping[str, object]) -> Piece | None:
    """Return the usage under the names of a chat completion; fields unknown here are kept."""
    usage = response.get("usage")
    if not isinstance(usage, dict):
        return None
    present: Piece = {name: value for name, value in usage.items() if value is not None}
    told: Piece = {_USAGE_NAMES.get(name, name): value for name, value in present.items()}
    sent, received = told.get("prompt_tokens"), told.get("completion_tokens")
    if "total_tokens" not in told and isinstance(sent, int) and isinstance(received, int):
        told["total_tokens"] = sent + received
    return told


def finish_reason_of(response: Mapping[str, object], *, has_calls: bool) -> str:
    """Return why the answer ended. A call that was cut off is no call to make."""
    reason = object_of(response.get("incomplete_details")).get("reason")
    if reason == "content_filter":
        return "content_filter"
    if reason == "max_output_tokens" or response.get("status") == "incomplete":
        return "length"
    return "tool_calls" if has_calls else "stop"
