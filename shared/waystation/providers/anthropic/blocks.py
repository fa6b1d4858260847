"""Tells the blocks of a streamed message as the deltas of a chat's one choice.

Text, thinking and the input of a tool are told as they come; citations, signed thinking and what
the upstream's own tools did are told when their block is whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.providers.answer_pieces import (
    MAX_CALLS,
    SEPARATOR,
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
from waystation.wire.events import Delta
from waystation.wire.json_reader import read_json_lenient

MAX_BLOCKS = 10_000


@dataclass(slots=True)
class _Block:
    """A block that is not whole yet."""

    content: Piece  # as it came at its start
    kind: str
    place: int = 0  # of its text in the message, or of its call among the calls
    length: int = 0  # of its text, thinking or input, as far as told
    pieces: list[str] = field(default_factory=list)  # of what is told once more when it is whole
    citations: list[Piece] = field(default_factory=list)


class BlockTeller:
    """Keeps what one streamed message has told. Its methods raise UpstreamError."""

    def __init__(self) -> None:
        self.head: Piece = {}
        self.is_finished = False
        self._open: dict[int, _Block] = {}
        self._has_begun = False
        self._has_reasoning = False
        self._content_length = 0
        self._counts = dict.fromkeys(
            ("annotations", "thinking_blocks", "server_tool_blocks", "tool_calls"), 0
        )

    def begin(self, message: Mapping[str, object]) -> None:
        """Take the head of the message."""
        self.head = {**head_of(message), **self.head}

    def start(self, event: Piece) -> list[Delta]:
        """Tell what a block says as it begins; one of a kind unknown here says nothing."""
        index, content = _index_of(event), object_of(event.get("content_block"))
        deltas = self._close(index)
        block = self._open[index] = _Block(content, text_of(content.get("type")))
        if block.kind == "text":
            block.place = self._content_length
            block.citations = objects_of(content.get("citations"))
            return deltas + self._text(block, text_of(content.get("text")))
        if block.kind == "thinking":
            return deltas + self._thinking(block, text_of(content.get("thinking")))
        if block.kind == "tool_use":
            return deltas + self._call(block)
        return deltas

    def delta(self, event: Piece) -> list[Delta]:
        """Tell a piece of a block; pieces that do not go with its kind are skipped."""
        block, piece = self._open.get(_index_of(event)), object_of(event.get("delta"))
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
        return self._close(_index_of(event))

    def finish(self, ending: Piece) -> list[Delta]:
        """Tell why the answer ended; nothing is told after that."""
        deltas = [delta for index in [*self._open] for delta in self._close(index)]
        self.is_finished = True
        choice: Piece = {
            "index": 0,
            "delta": self._first(),
            "finish_reason": finish_reason_of(ending, has_calls=self._counts["tool_calls"] > 0),
            **ending_fields(ending),
        }
        return [*deltas, Delta([choice], self.head)]

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
            return self._arguments(block, arguments_of(block.content))
        if is_server_tool(block.kind):
            return self._listed("server_tool_blocks", [{**block.content, **_input_of(block)}])
        return []

    def _text(self, block: _Block, text: str) -> list[Delta]:
        if not text:
            return []
        block.length += len(text)
        self._content_length += len(text)
        return self._tell(content=text)

    def _thinking(self, block: _Block, text: str) -> list[Delta]:
        if not text:
            return []
        is_next = not block.length and self._has_reasoning
        block.length += len(text)
        block.pieces.append(text)
        self._has_reasoning = True
        return self._tell(reasoning_content=SEPARATOR + text if is_next else text)

    def _call(self, block: _Block) -> list[Delta]:
        block.place = self._counts["tool_calls"]
        if block.place >= MAX_CALLS:
            raise not_a_message()
        return self._listed("tool_calls", [tool_call_of(block.content, "")])

    def _input(self, block: _Block, text: str) -> list[Delta]:
        block.length += len(text)
        if block.kind == "tool_use":
            return self._arguments(block, text) if text else []
        block.pieces.append(text)
        return []

    def _arguments(self, block: _Block, text: str) -> list[Delta]:
        return self._tell(tool_calls=[{"index": block.place, "function": {"arguments": text}}])

    def _listed(self, name: str, entries: list[Piece]) -> list[Delta]:
        """Tell entries of a list, numbered as the pieces of a list must be."""
        first = self._counts[name]
        self._counts[name] += len(entries)
        numbered = [{**entry, "index": index} for index, entry in enumerate(entries, first)]
        return self._tell(**{name: numbered})

    def _tell(self, **fields: object) -> list[Delta]:
        choice: Piece = {"index": 0, "delta": self._first() | fields, "finish_reason": None}
        return [Delta([choice], self.head)]

    def _first(self) -> Piece:
        if self._has_begun:
            return {}
        self._has_begun = True
        return {"role": "assistant", "content": None}


def _index_of(event: Mapping[str, object]) -> int:
    index = event.get("index")
    if type(index) is not int or not 0 <= index < MAX_BLOCKS:
        raise not_a_message()
    return index


def _input_of(block: _Block) -> Piece:
    """Return the `input` that came in pieces, nothing if none did or it was cut off."""
    try:
        read = read_json_lenient("".join(block.pieces).encode())
    except ValueError:
        return {}
    return {"input": read} if isinstance(read, dict) else {}
