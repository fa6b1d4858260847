"""Tells the blocks of a streamed message as the deltas of a chat's one choice.

Text, thinking and the input of a tool are told as they come; citations, signed thinking and what
the upstream's own tools did are told when their block is whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.providers.answer_pieces import (
    Piece,
    arguments_of,
    citation,
    not_a_message,
    object_of,
    objects_of,
    text_of,
)
from waystation.providers.anthropic.pieces import (
    THINKING,
    ending_fields,
    finish_reason_of,
    head_of,
    is_server_tool,
    tool_call_of,
)
from waystation.providers.choice_teller import ChoiceTeller, block_index
from waystation.wire.events import Delta
from waystation.wire.json_reader import read_json_lenient


@dataclass(slots=True)
class _Block:
    """A block that is not whole yet."""

    content: Piece  # as it came at its start
    kind: str
    place: int = 0  # of its text in the message, or of its call among the calls
    length: int = 0  # of its text, thinking or input, as far as told
    pieces: list[str] = field(default_factory=list)  # of what is told once more when it is whole
    citations: list[Piece] = field(default_factory=list)


class BlockTeller(ChoiceTeller):
    """Keeps what one streamed message has told. Its methods raise UpstreamError."""

    def __init__(self) -> None:
        super().__init__("annotations", "thinking_blocks", "server_tool_blocks")
        self.is_finished = False
        self._open: dict[int, _Block] = {}

    def begin(self, message: Mapping[str, object]) -> None:
        """Take the head of the message."""
        self.head = {**head_of(message), **self.head}

    def start(self, event: Piece) -> list[Delta]:
        """Tell what a block says as it begins; one of a kind unknown here says nothing."""
        index, content = block_index(event.get("index")), object_of(event.get("content_block"))
        deltas = self._close(index)
        block = self._open[index] = _Block(content, text_of(content.get("type")))
        if block.kind == "text":
            block.place = self._content_length
            block.citations = objects_of(content.get("citations"))
            return deltas + self._text(block, text_of(content.get("text")))
        if block.kind == "thinking":
            return deltas + self._thinking(block, text_of(content.get("thinking")))
        if block.kind == "tool_use":
            block.place, begun = self._call(tool_call_of(content, ""))
            return deltas + begun
        return deltas

    def delta(self, event: Piece) -> list[Delta]:
        """Tell a piece of a block; pieces that do not go with its kind are skipped."""
        block = self._open.get(block_index(event.get("index")))
        piece = object_of(event.get("delta"))
        if block is None:
            raise not_a_message()
        kind = piece.get("type")
        if kind == "text_delta" and block.kind == "text":
            return self._text(block, text_of(piece.get("text")))
        if kind == "thinking_delta" and block.kind == "thinking":
            return self._thinking(block, text_of(piece.get("thinking")))
        if kind == "input_json_delta":
            return self._input(block, text_of(piece.get("partial_json")))
        if kind == "citations_delta":
            block.citations.append(object_of(piece.get("citation")))
        elif kind == "signature_delta":
            block.content["signature"] = text_of(piece.get("signature"))
        return []

    def stop(self, event: Piece) -> list[Delta]:
        """Tell what can be told of a block only when it is whole."""
        return self._close(block_index(event.get("index")))

    def finish(self, ending: Piece) -> list[Delta]:
        """Tell why the answer ended; nothing is told after that."""
        deltas = [delta for index in [*self._open] for delta in self._close(index)]
        self.is_finished = True
        reason = finish_reason_of(ending, has_calls=self._has_calls)
        return [*deltas, *self._choice({}, finish_reason=reason, **ending_fields(ending))]

    def _close(self, index: int) -> list[Delta]:
        block = self._open.pop(index, None)
        if block is None:
            return []
        if block.kind == "text" and block.citations:
            end = block.place + block.length
            notes = [citation(note, block.place, end) for note in block.citations]
            return self._listed("annotations", notes)
        if block.kind in THINKING:
            told = {"thinking": "".join(block.pieces)} if block.kind == "thinking" else {}
            return self._listed("thinking_blocks", [{**block.content, **told}])
        if block.kind == "tool_use" and not block.length:
            return self._arguments(block.place, arguments_of(block.content))
        if is_server_tool(block.kind):
            return self._listed("server_tool_blocks", [{**block.content, **_input_of(block)}])
        return []

    def _text(self, block: _Block, text: str) -> list[Delta]:
        block.length += len(text)
        return self._content(text)

    def _thinking(self, block: _Block, text: str) -> list[Delta]:
        begins = not block.length
        block.length += len(text)
        block.pieces.append(text)
        return self._reasoning(text, begins=begins)

    def _input(self, block: _Block, text: str) -> list[Delta]:
        block.length += len(text)
        if block.kind == "tool_use":
            return self._arguments(block.place, text) if text else []
        block.pieces.append(text)
        return []


def _input_of(block: _Block) -> Piece:
    """Return the `input` that came in pieces, nothing if none did or it was cut off."""
    try:
        read = read_json_lenient("".join(block.pieces).encode())
    except ValueError:
        return {}
    return {"input": read} if isinstance(read, dict) else {}
