"""Tells the blocks of a streamed answer as the deltas of a chat's one choice.

Text, reasoning and the input of a tool are told as they come; citations and signed reasoning are
told when their block is whole. A block need not be announced: its first piece says what it is.
"""

import base64
from dataclasses import dataclass, field

from waystation.providers.answer_pieces import (
    Piece,
    not_a_message,
    object_of,
    text_of,
)
from waystation.providers.bedrock.pieces import (
    annotation_of,
    choice_of_ending,
    is_own_call,
    redacted_of,
    thinking_of,
    tool_call_of,
)
from waystation.providers.choice_teller import ChoiceTeller, block_index
from waystation.wire.events import Delta


@dataclass(slots=True)
class _Block:
    """A block that is not whole yet."""

    start: int  # of its text in the message
    call: int | None = None  # which call of the message it is
    has_input: bool = False
    reasoning: list[str] = field(default_factory=list)
    signature: str = ""
    redacted: list[str] = field(default_factory=list)
    citations: list[Piece] = field(default_factory=list)


class BlockTeller(ChoiceTeller):
    """Keeps what one streamed answer has told. Its methods raise UpstreamError."""

    def __init__(self) -> None:
        super().__init__("annotations", "thinking_blocks")
        self._open: dict[int, _Block] = {}

    def start(self, event: Piece) -> list[Delta]:
        """Tell a call as it begins; other blocks say nothing yet."""
        index = block_index(event.get("contentBlockIndex"))
        deltas = self._close(index)
        block = self._open[index] = _Block(self._content_length)
        call = object_of(object_of(event.get("start")).get("toolUse"))
        if not call or is_own_call(call):
            return deltas
        block.call, begun = self._call(tool_call_of(call, ""))
        return deltas + begun

    def delta(self, event: Piece) -> list[Delta]:
        """Tell a piece of a block."""
        index = block_index(event.get("contentBlockIndex"))
        block = self._open.setdefault(index, _Block(self._content_length))
        piece = object_of(event.get("delta"))
        if text := text_of(piece.get("text")):
            return self._content(text)
        if note := object_of(piece.get("citation")):
            block.citations.append(note)
        if call := object_of(piece.get("toolUse")):
            return self._input(block, text_of(call.get("input")))
        return self._reasoned(block, object_of(piece.get("reasoningContent")))

    def stop(self, event: Piece) -> list[Delta]:
        """Tell what can be told of a block only when it is whole."""
        return self._close(block_index(event.get("contentBlockIndex")))

    def finish(self, ending: Piece) -> list[Delta]:
        """Tell why the answer ended; nothing is told after that."""
        deltas = [delta for index in [*self._open] for delta in self._close(index)]
        told = choice_of_ending(ending, has_calls=self._has_calls)
        return [*deltas, *self._choice({}, **told)]

    def _close(self, index: int) -> list[Delta]:
        block = self._open.pop(index, None)
        if block is None:
            return []
        deltas = []
        if block.citations:
            notes = [annotation_of(n, block.start, self._content_length) for n in block.citations]
            deltas += self._listed("annotations", notes)
        blocks = thinking_of("".join(block.reasoning), block.signature)
        if block.redacted:
            blocks.append(redacted_of(_joined(block.redacted)))
        if blocks:
            deltas += self._listed("thinking_blocks", blocks)
        if block.call is not None and not block.has_input:
            deltas += self._arguments(block.call, "{}")
        return deltas

    def _input(self, block: _Block, text: str) -> list[Delta]:
        if block.call is None or not text:
            return []
        block.has_input = True
        return self._arguments(block.call, text)

    def _reasoned(self, block: _Block, piece: Piece) -> list[Delta]:
        block.signature += text_of(piece.get("signature"))
        if data := text_of(piece.get("redactedContent")):
            block.redacted.append(data)
        text = text_of(piece.get("text"))
        begins = not block.reasoning
        if text:
            block.reasoning.append(text)
        return self._reasoning(text, begins=begins)


def _joined(pieces: list[str]) -> str:
    """Return the base64 of all bytes, each piece of which came in base64 of its own."""
    try:
        whole = b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
    except ValueError:
        raise not_a_message() from None
    return base64.b64encode(whole).decode()
