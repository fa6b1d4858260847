"""Tells the blocks of a streamed answer as the deltas of a chat's one choice.

Text, reasoning and the input of a tool are told as they come; citations and signed reasoning are
told when their block is whole. A block need not be announced: its first piece says what it is.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.providers.answer_pieces import (
    MAX_CALLS,
    SEPARATOR,
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
from waystation.wire.events import Delta

MAX_BLOCKS = 10_000


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


class BlockTeller:
    """Keeps what one streamed answer has told. Its methods raise UpstreamError."""

    def __init__(self) -> None:
        self.head: Piece = {}
        self._open: dict[int, _Block] = {}
        self._has_begun = False
        self._has_reasoning = False
        self._content_length = 0
        self._counts = dict.fromkeys(("annotations", "thinking_blocks", "tool_calls"), 0)

    def start(self, event: Piece) -> list[Delta]:
        """Tell a call as it begins; other blocks say nothing yet."""
        index = _index_of(event)
        deltas = self._close(index)
        block = self._open[index] = _Block(self._content_length)
        call = object_of(object_of(event.get("start")).get("toolUse"))
        if not call or is_own_call(call):
            return deltas
        block.call = self._counts["tool_calls"]
        if block.call >= MAX_CALLS:
            raise not_a_message()
        return deltas + self._listed("tool_calls", [tool_call_of(call, "")])

    def delta(self, event: Piece) -> list[Delta]:
        """Tell a piece of a block."""
        index = _index_of(event)
        block = self._open.setdefault(index, _Block(self._content_length))
        piece = object_of(event.get("delta"))
        if text := text_of(piece.get("text")):
            self._content_length += len(text)
            return self._tell(content=text)
        if note := object_of(piece.get("citation")):
            block.citations.append(note)
        if call := object_of(piece.get("toolUse")):
            return self._input(block, text_of(call.get("input")))
        return self._reasoning(block, object_of(piece.get("reasoningContent")))

    def stop(self, event: Piece) -> list[Delta]:
        """Tell what can be told of a block only when it is whole."""
        return self._close(_index_of(event))

    def finish(self, ending: Piece) -> list[Delta]:
        """Tell why the answer ended; nothing is told after that."""
        deltas = [delta for index in [*self._open] for delta in self._close(index)]
        told = choice_of_ending(ending, has_calls=self._counts["tool_calls"] > 0)
        return [*deltas, Delta([{"index": 0, "delta": self._first(), **told}], self.head)]

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

    def _reasoning(self, block: _Block, piece: Piece) -> list[Delta]:
        block.signature += text_of(piece.get("signature"))
        if data := text_of(piece.get("redactedContent")):
            block.redacted.append(data)
        text = text_of(piece.get("text"))
        if not text:
            return []
        is_next = not block.reasoning and self._has_reasoning
        block.reasoning.append(text)
        self._has_reasoning = True
        return self._tell(reasoning_content=SEPARATOR + text if is_next else text)

    def _arguments(self, call: int, text: str) -> list[Delta]:
        return self._tell(tool_calls=[{"index": call, "function": {"arguments": text}}])

    def _listed(self, name: str, entries: list[Piece]) -> list[Delta]:
        """Tell entries of a list, numbered as the pieces of a list must be."""
        first = self._counts[name]
        self._counts[name] += len(entries)
        return self._tell(**{name: [{**e, "index": n} for n, e in enumerate(entries, first)]})

    def _tell(self, **fields: object) -> list[Delta]:
        choice: Piece = {"index": 0, "delta": self._first() | fields, "finish_reason": None}
        return [Delta([choice], self.head)]

    def _first(self) -> Piece:
        if self._has_begun:
            return {}
        self._has_begun = True
        return {"role": "assistant", "content": None}


def _index_of(event: Mapping[str, object]) -> int:
    index = event.get("contentBlockIndex")
    if type(index) is not int or not 0 <= index < MAX_BLOCKS:
        raise not_a_message()
    return index


def _joined(pieces: list[str]) -> str:
    """Return the base64 of all bytes, each piece of which came in base64 of its own."""
    try:
        whole = b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
    except ValueError:
        raise not_a_message() from None
    return base64.b64encode(whole).decode()
