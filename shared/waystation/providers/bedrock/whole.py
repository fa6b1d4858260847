"""Reads a whole answer as a chat completion."""

from waystation.providers.answer_pieces import (
    MAX_CALLS,
    SEPARATOR,
    Piece,
    arguments_of,
    not_a_message,
    object_of,
    objects_of,
    text_of,
)
from waystation.providers.bedrock.pieces import (
    annotation_of,
    choice_of_ending,
    head_of,
    is_own_call,
    read_object,
    redacted_of,
    thinking_of,
    tool_call_of,
)
from waystation.providers.bedrock.usage import usage_of
from waystation.wire.events import Completion


def parse_answer(body: bytes) -> Completion:
    """Read a whole answer. Raises UpstreamError."""
    document = read_object(body)
    content = object_of(object_of(document.get("output")).get("message")).get("content")
    if not isinstance(content, list):
        raise not_a_message()
    gathered = _GatheredMessage(objects_of(content))
    ending = choice_of_ending(document, has_calls=bool(gathered.tool_calls))
    head = head_of(document)
    completion: Piece = {
        **head,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": gathered.message(), **ending}],
    }
    usage, raw = None, document.get("usage")
    if isinstance(raw, dict):
        usage, completion["usage"] = usage_of(raw)
    return Completion(completion, usage, text_of(head.get("id")) or None)


class _GatheredMessage:
    """What the blocks of an answer come to in one. Raises UpstreamError."""

    def __init__(self, blocks: list[Piece]) -> None:
        self._text = ""
        self._reasoning: list[str] = []
        self._thinking_blocks: list[Piece] = []
        self._annotations: list[Piece] = []
        self.tool_calls: list[Piece] = []
        for block in blocks:
            self._text += text_of(block.get("text"))
            self._add_cited(object_of(block.get("citationsContent")))
            self._add_reasoning(object_of(block.get("reasoningContent")))
            self._add_call(object_of(block.get("toolUse")))

    def message(self) -> Piece:
        """Return the assistant's message; fields that say nothing are left out."""
        fields: Piece = {
            "reasoning_content": SEPARATOR.join(self._reasoning),
            "thinking_blocks": self._thinking_blocks,
            "tool_calls": self.tool_calls,
            "annotations": self._annotations,
        }
        told = {name: value for name, value in fields.items() if value}
        return {"role": "assistant", "content": self._text or None, **told}

    def _add_cited(self, cited: Piece) -> None:
        start = len(self._text)
        parts = objects_of(cited.get("content"))
        self._text += "".join(text_of(part.get("text")) for part in parts)
        notes = objects_of(cited.get("citations"))
        self._annotations += [annotation_of(note, start, len(self._text)) for note in notes]

    def _add_reasoning(self, reasoning: Piece) -> None:
        told = object_of(reasoning.get("reasoningText"))
        if text := text_of(told.get("text")):
            self._reasoning.append(text)
        self._thinking_blocks += thinking_of(text, text_of(told.get("signature")))
        if data := text_of(reasoning.get("redactedContent")):
            self._thinking_blocks.append(redacted_of(data))

    def _add_call(self, call: Piece) -> None:
        if not call or is_own_call(call):
            return
        if len(self.tool_calls) >= MAX_CALLS:
            raise not_a_message()
        self.tool_calls.append(tool_call_of(call, arguments_of(call)))
