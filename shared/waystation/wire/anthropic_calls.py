"""The tool calls of a streamed chat, as blocks that come one after the other.

A chat may mix the pieces of several calls. One call is told as it comes; another waits until that
one is whole, or until nothing more can come.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.wire.anthropic_blocks import Block, BlockWriter, Event
from waystation.wire.json_reader import read_json_lenient

_OPENAI_MEMBERS = frozenset({"id", "type", "index", "function"})

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(slots=True)
class _Call:
    """A call as far as it has come; `told` counts the pieces of its arguments that went on."""

    id: str
    name: str = ""
    extra: Block = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)
    told: int = 0
    is_over: bool = False

    def take(self, piece: Mapping[str, object]) -> None:
        """Take a piece; of id and name the first that says something counts."""
        function = piece.get("function")
        function = function if isinstance(function, Mapping) else {}
        name, arguments = function.get("name"), function.get("arguments")
        if not self.name and isinstance(name, str):
            self.name = name
        if isinstance(arguments, Mapping):  # some upstreams do not make it a text
            arguments = _encode(arguments)
        if isinstance(arguments, str) and arguments:
            self.pieces.append(arguments)
        self.extra |= {name: piece[name] for name in piece.keys() - _OPENAI_MEMBERS}

    def is_whole(self) -> bool:
        try:
            return isinstance(read_json_lenient("".join(self.pieces).encode()), dict)
        except ValueError:
            return False


class CallTeller:
    """Tells the calls of one message; `message_id` names those that have no id of their own."""

    def __init__(self, writer: BlockWriter, message_id: str) -> None:
        self._writer = writer
        self._message_id = message_id
        self._calls: dict[int, _Call] = {}
        self._live: _Call | None = None

    @property
    def has_any(self) -> bool:
        return bool(self._calls)

    def take(self, piece: Mapping[str, object], position: int) -> list[Event]:
        """Return the events of a piece; `position` stands in for an `index`."""
        given = piece.get("index")
        index = given if type(given) is int else position
        is_new = index not in self._calls
        if is_new:
            own_id = f"toolu_{self._message_id}_{index}"
            call_id = piece.get("id")
            self._calls[index] = _Call(call_id if isinstance(call_id, str) and call_id else own_id)
        call = self._calls[index]
        call.take(piece)
        if is_new or self._live is None:
            return self._advance()
        return self._tell(call) if call is self._live else []

    def flush(self) -> list[Event]:
        """End the call that is being told, and tell those that wait."""
        events = self._end(self._live) if self._live is not None else []
        for call in self._calls.values():
            if not call.is_over:
                events += [*self._tell(call), *self._end(call)]
        return events

    def _advance(self) -> list[Event]:
        """Tell the calls in their order, up to the first that may still grow."""
        events: list[Event] = []
        *_, last = self._calls.values()
        for call in self._calls.values():
            if call.is_over:
                continue
            if not call.name:
                break
            events += self._tell(call)
            if call is last or not call.is_whole():
                break
            events += self._end(call)
        return events

    def _tell(self, call: _Call) -> list[Event]:
        events: list[Event] = []
        if self._live is not call:
            self._live = call
            block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
            events += self._writer.open({**call.extra, **block})
        fresh, call.told = call.pieces[call.told :], len(call.pieces)
        if fresh:
            events.append(self._writer.add("input_json_delta", partial_json="".join(fresh)))
        return events

    def _end(self, call: _Call) -> list[Event]:
        call.is_over = True
        self._live = None
        return self._writer.close()
