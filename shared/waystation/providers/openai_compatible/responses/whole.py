"""Reads a whole response as a chat completion.

What built-in tools did has no place in a chat and is not shown.
"""

from collections.abc import Mapping

from waystation.errors import UpstreamFailedError
from waystation.providers.openai_compatible.parse import MAX_INDEX
from waystation.providers.openai_compatible.responses.pieces import (
    SEPARATOR,
    Piece,
    citation,
    finish_reason_of,
    head_of,
    is_call,
    is_returnable,
    logprobs_of,
    not_a_response,
    objects_of,
    reasoning_parts,
    text_of,
    tool_call_of,
    usage_of,
)
from waystation.providers.upstream_errors import error_from_object
from waystation.wire.events import Completion
from waystation.wire.json_reader import read_json_lenient
from waystation.wire.usage import parse_openai_usage

_UNFINISHED = ("queued", "in_progress")


def parse_response(body: bytes) -> Completion:
    """Read a whole answer. Raises UpstreamError."""
    response = read_object(body)
    if not isinstance(response.get("output"), list):
        raise not_a_response()
    check_status(response)
    if response.get("status") in _UNFINISHED:
        raise UpstreamFailedError("The upstream has not finished its response.")
    gathered = GatheredAnswer(response)
    head, raw = head_of(response), usage_of(response)
    reason = finish_reason_of(response, has_calls=bool(gathered.tool_calls))
    choice = {"index": 0, "message": gathered.message(), "finish_reason": reason}
    if gathered.logprobs:
        choice["logprobs"] = {"content": gathered.logprobs, "refusal": None}
    completion: Piece = {**head, "object": "chat.completion", "choices": [choice]}
    completion |= service_tier_of(response)
    if raw is not None:
        completion["usage"] = raw
    return Completion(completion, parse_openai_usage(raw), text_of(head.get("id")) or None)


def read_object(body: bytes) -> Piece:
    """Read a JSON object. Raises UpstreamError if it is none, or tells of an error."""
    try:
        document = read_json_lenient(body)
    except ValueError:
        raise not_a_response() from None
    if not isinstance(document, dict):
        raise not_a_response()
    if document.get("error"):
        raise error_from_object(document["error"])
    return document


def check_status(response: Mapping[str, object]) -> None:
    """Raise UpstreamError for a response that failed or was cancelled."""
    status = response.get("status")
    if response.get("error") or status == "failed":
        raise error_from_object(response.get("error"))
    if status == "cancelled":
        raise UpstreamFailedError("The upstream cancelled its response.")


def service_tier_of(response: Mapping[str, object]) -> Piece:
    tier = response.get("service_tier")
    return {"service_tier": tier} if isinstance(tier, str) else {}


class GatheredAnswer:
    """What the items of a response come to in one message. Raises UpstreamError."""

    def __init__(self, response: Mapping[str, object]) -> None:
        self.text = self.refusal = ""
        self.reasoning: list[str] = []
        self.reasoning_items: list[Piece] = []
        self.tool_calls: list[Piece] = []
        self.annotations: list[Piece] = []
        self.logprobs: list[Piece] = []
        for item in objects_of(response.get("output")):
            if item.get("type") == "message":
                self._add_message(item)
            elif item.get("type") == "reasoning":
                self._add_reasoning(item)
            elif is_call(item):
                self._add_call(item)

    def fields(self) -> Piece:
        """Return the fields of a message, but for its role; those that say nothing are left out."""
        fields: Piece = {
            "reasoning_content": SEPARATOR.join(self.reasoning),
            "content": self.text,
            "refusal": self.refusal,
            "reasoning_items": self.reasoning_items,
            "tool_calls": self.tool_calls,
            "annotations": self.annotations,
        }
        return {name: value for name, value in fields.items() if value}

    def message(self) -> Piece:
        """Return the assistant's message; an answer that says nothing at all has an empty text."""
        content = None if self.tool_calls or self.refusal else ""
        return {"role": "assistant", "content": content, **self.fields()}

    def _add_message(self, item: Piece) -> None:
        for part in objects_of(item.get("content")):
            if part.get("type") == "output_text":
                offset = len(self.text)
                self.text += text_of(part.get("text"))
                notes = objects_of(part.get("annotations"))
                self.annotations += [citation(note, offset) for note in notes]
                self.logprobs += logprobs_of(part.get("logprobs"))
            elif part.get("type") == "refusal":
                self.refusal += text_of(part.get("refusal"))

    def _add_reasoning(self, item: Piece) -> None:
        _, texts = reasoning_parts(item)
        self.reasoning += filter(None, texts)
        if is_returnable(item):
            self.reasoning_items.append(item)

    def _add_call(self, item: Piece) -> None:
        call = tool_call_of(item)
        if call is None or len(self.tool_calls) > MAX_INDEX:
            raise not_a_response()
        self.tool_calls.append(call)
