"""Tells a streamed answer that comes in blocks as the deltas of a chat's one choice."""

from waystation.providers.answer_pieces import MAX_CALLS, SEPARATOR, Piece, not_a_message
from waystation.wire.events import Delta

MAX_BLOCKS = 10_000


class ChoiceTeller:
    """Keeps what one choice has told; a dialect says what its blocks mean.

    Its methods raise UpstreamError.
    """

    def __init__(self, *lists: str) -> None:
        """Take the names of the lists that a message may have beside its calls."""
        self.head: Piece = {}
        self._has_begun = False
        self._has_reasoning = False
        self._content_length = 0
        self._counts = dict.fromkeys((*lists, "tool_calls"), 0)

    @property
    def _has_calls(self) -> bool:
        return self._counts["tool_calls"] > 0

    def _content(self, text: str) -> list[Delta]:
        if not text:
            return []
        self._content_length += len(text)
        return self._tell(content=text)

    def _reasoning(self, text: str, *, begins: bool) -> list[Delta]:
        """Tell a piece of reasoning; `begins` if it is the first of its block."""
        if not text:
            return []
        is_next = begins and self._has_reasoning
        self._has_reasoning = True
        return self._tell(reasoning_content=SEPARATOR + text if is_next else text)

    def _call(self, call: Piece) -> tuple[int, list[Delta]]:
        """Tell a call as it begins; return which one of the message it is."""
        place = self._counts["tool_calls"]
        if place >= MAX_CALLS:
            raise not_a_message()
        return place, self._listed("tool_calls", [call])

    def _arguments(self, call: int, text: str) -> list[Delta]:
        return self._tell(tool_calls=[{"index": call, "function": {"arguments": text}}])

    def _listed(self, name: str, entries: list[Piece]) -> list[Delta]:
        """Tell entries of a list, numbered as the pieces of a list must be."""
        first = self._counts[name]
        self._counts[name] += len(entries)
        numbered = [{**entry, "index": index} for index, entry in enumerate(entries, first)]
        return self._tell(**{name: numbered})

    def _tell(self, **fields: object) -> list[Delta]:
        return self._choice(fields, finish_reason=None)

    def _choice(self, fields: Piece, **beside: object) -> list[Delta]:
        choice: Piece = {"index": 0, "delta": self._first() | fields, **beside}
        return [Delta([choice], self.head)]

    def _first(self) -> Piece:
        if self._has_begun:
            return {}
        self._has_begun = True
        return {"role": "assistant", "content": None}


def block_index(index: object) -> int:
    """Return the place of a block. Raises UpstreamInvalidResponseError."""
    if type(index) is not int or not 0 <= index < MAX_BLOCKS:
        raise not_a_message()
    return index
