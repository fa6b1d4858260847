"""Reads a whole message as a chat completion."""

from waystation.providers.answer_pieces import (
    MAX_CALLS,
    SEPARATOR,
    Piece,
    arguments_of,
    citation,
    not_a_message,
    objects_of,
    text_of,
)
from waystation.providers.anthropic.pieces import (
    THINKING,
    ending_fields,
    finish_reason_of,
    head_of,
    is_server_tool,
    read_object,
    tool_call_of,
)
from waystation.providers.anthropic.usage import usage_of
from waystation.wire.events import Completion


def parse_message(body: bytes) -> Completion:
    """Read a whole answer. Raises UpstreamError."""
    message = read_object(body)
    if not isinstance(message.get("content"), list):
        raise not_a_message()
    gathered = _GatheredMessage(objects_of(message["content"]))
    head = head_of(message)
    choice: Piece = {
        "index": 0,
        "message": gathered.message(),
        "finish_reason": finish_reason_of(message, has_calls=bool(gathered.tool_calls)),
        **ending_fields(message),
    }
    completion: Piece = {**head, "object": "chat.completion", "choices": [choice]}
    usage, raw = None, message.get("usage")
    if isinstance(raw, dict):
        usage, completion["usage"] = usage_of(raw)
    return Completion(completion, usage, text_of(head.get("id")) or None)


class _GatheredMessage:
    """What the blocks of a message come to in one. Raises UpstreamError."""

    def __init__(self, blocks: list[Piece]) -> None:
        self._text = ""
        self._reasoning: list[str] = []
        self._thinking_blocks: list[Piece] = []
        self._server_tool_blocks: list[Piece] = []
        self._annotations: list[Piece] = []
        self.tool_calls: list[Piece] = []
        for block in blocks:
            self._add(block, text_of(block.get("type")))

    def message(self) -> Piece:
        """Return the assistant's message; fields that say nothing are left out."""
        fields: Piece = {
            "reasoning_content": SEPARATOR.join(self._reasoning),
            "thinking_blocks": self._thinking_blocks,
            "server_tool_blocks": self._server_tool_blocks,
            "tool_calls": self.tool_calls,
            "annotations": self._annotations,
        }
        told = {name: value for name, value in fields.items() if value}
        return {"role": "assistant", "content": self._text or None, **told}

    def _add(self, block: Piece, kind: str) -> None:
        if kind == "text":
            self._add_text(block)
        elif kind in THINKING:
            self._add_thinking(block)
        elif kind == "tool_use":
            self._add_call(block)
        elif is_server_tool(kind):
            self._server_tool_blocks.append(block)

    def _add_text(self, block: Piece) -> None:
        start = len(self._text)
        self._text += text_of(block.get("text"))
        notes = objects_of(block.get("citations"))
        self._annotations += [citation(note, start, len(self._text)) for note in notes]

    def _add_thinking(self, block: Piece) -> None:
        if text := text_of(block.get("thinking")):
            self._reasoning.append(text)
        self._thinking_blocks.append(block)

    def _add_call(self, block: Piece) -> None:
        if len(self.tool_calls) >= MAX_CALLS:
            raise not_a_message()
        self.tool_calls.append(tool_call_of(block, arguments_of(block)))
