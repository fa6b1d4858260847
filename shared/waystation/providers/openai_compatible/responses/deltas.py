"""Tells the events of a streamed response as the deltas of a chat's one choice.

Every text comes in pieces and once more whole, in up to four events; what was told is counted, so
that a text is told once, whichever of them an upstream sends.
"""

from collections.abc import Mapping

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
    object_of,
    objects_of,
    reasoning_parts,
    text_of,
    tool_call_of,
)
from waystation.providers.openai_compatible.responses.whole import GatheredAnswer
from waystation.wire.events import Delta

_Place = tuple[int | str, int]  # of an item in the output, and of a part in the item
_ANSWERS = ("content", "refusal", "tool_calls")


class DeltaTeller:
    """Keeps what one streamed answer has told. Its methods raise UpstreamError."""

    def __init__(self) -> None:
        self.head: Piece = {}
        self._fields: set[str] = set()  # of the message, as far as told
        self._lengths: dict[tuple[str, _Place], int] = {}  # characters told of each part
        self._content_length = 0
        self._offsets: dict[_Place, int] = {}  # where the text of a part begins
        self._reasoning: dict[
            int | str, str
        ] = {}  # what is told of an item: its summary or content
        self._counts: dict[str, int] = {"annotations": 0, "reasoning_items": 0}
        self._cited: dict[_Place, int] = {}
        self._returned: set[int | str] = set()
        self._calls: dict[int | str, Piece] = {}  # by their place in the output

    def begin(self, event: Piece) -> list[Delta]:
        """Take the head of the response."""
        self.head = {**head_of(object_of(event.get("response"))), **self.head}
        return []

    def text(self, event: Piece) -> list[Delta]:
        logprobs = logprobs_of(event.get("logprobs"))
        return self._text(_place(event), text_of(event.get("delta")), logprobs)

    def text_done(self, event: Piece) -> list[Delta]:
        return self._rest_of_text(_place(event), event.get("text"), event.get("logprobs"))

    def refusal(self, event: Piece) -> list[Delta]:
        return self._refusal(_place(event), text_of(event.get("delta")))

    def refusal_done(self, event: Piece) -> list[Delta]:
        place = _place(event)
        return self._refusal(place, self._rest("refusal", place, event.get("refusal")))

    def summary(self, event: Piece) -> list[Delta]:
        place = _place(event, "summary_index")
        return self._reason("summary", place, text_of(event.get("delta")))

    def summary_done(self, event: Piece) -> list[Delta]:
        place = _place(event, "summary_index")
        return self._reason("summary", place, self._rest("summary", place, event.get("text")))

    def reasoning(self, event: Piece) -> list[Delta]:
        return self._reason("content", _place(event), text_of(event.get("delta")))

    def reasoning_done(self, event: Piece) -> list[Delta]:
        place = _place(event)
        return self._reason("content", place, self._rest("content", place, event.get("text")))

    def annotation(self, event: Piece) -> list[Delta]:
        note = object_of(event.get("annotation"))
        return self._cite(_place(event), note) if note else []

    def arguments(self, event: Piece) -> list[Delta]:
        return self._arguments(_place(event), text_of(event.get("delta")))

    def arguments_done(self, event: Piece) -> list[Delta]:
        return self._arguments_done(_place(event), event)

    def item_added(self, event: Piece) -> list[Delta]:
        """Tell that a call begins. What it is called with comes later, even if it is here."""
        item = object_of(event.get("item"))
        return self._call(_place(event), item) if is_call(item) else []

    def item_done(self, event: Piece) -> list[Delta]:
        """Tell of an item what no event before told."""
        item, place = object_of(event.get("item")), _place(event)
        if item.get("type") == "message":
            return self._message_done(place[0], item)
        if item.get("type") == "reasoning":
            return self._reasoning_done(place[0], item)
        if not is_call(item):
            return []
        deltas = self._call(place, item)
        if place[0] not in self._calls:
            raise not_a_response()
        return deltas + self._arguments_done(place, item)

    def end(self, response: Mapping[str, object]) -> list[Delta]:
        """Tell what only the whole response says, and why it ended."""
        gathered = GatheredAnswer(response)
        missing = {k: v for k, v in gathered.fields().items() if k not in self._fields}
        for name in ("tool_calls", "annotations", "reasoning_items"):
            if name in missing:
                missing[name] = _numbered(objects_of(missing[name]))
        deltas = self._delta(gathered.logprobs if "content" in missing else [], **missing)
        if not self._fields.intersection(_ANSWERS):
            deltas += self._delta(content="")
        reason = finish_reason_of(response, has_calls="tool_calls" in self._fields)
        last: Piece = {"index": 0, "delta": {}, "finish_reason": reason}
        return [*deltas, Delta([last], self.head)]

    def _message_done(self, index: int | str, item: Piece) -> list[Delta]:
        deltas: list[Delta] = []
        for position, part in enumerate(objects_of(item.get("content"))):
            place = (index, position)
            if part.get("type") == "output_text":
                deltas += self._rest_of_text(place, part.get("text"), part.get("logprobs"))
                for note in objects_of(part.get("annotations"))[self._cited.get(place, 0) :]:
                    deltas += self._cite(place, note)
            elif part.get("type") == "refusal":
                rest = self._rest("refusal", place, part.get("refusal"))
                deltas += self._refusal(place, rest)
        return deltas

    def _reasoning_done(self, index: int | str, item: Piece) -> list[Delta]:
        kind, texts = reasoning_parts(item)
        deltas: list[Delta] = []
        for position, text in enumerate(texts):
            place = (index, position)
            deltas += self._reason(kind, place, self._rest(kind, place, text))
        if not is_returnable(item) or index in self._returned:
            return deltas
        self._returned.add(index)
        return deltas + self._listed("reasoning_items", item)

    def _text(self, place: _Place, text: str, logprobs: list[Piece]) -> list[Delta]:
        self._offsets.setdefault(place, self._content_length)
        self._content_length += len(text)
        self._count("text", place, text)
        return self._delta(logprobs, content=text) if text or logprobs else []

    def _rest_of_text(self, place: _Place, whole: object, logprobs: object) -> list[Delta]:
        is_untold = ("text", place) not in self._lengths
        rest = self._rest("text", place, whole)
        return self._text(place, rest, logprobs_of(logprobs) if is_untold else [])

    def _refusal(self, place: _Place, text: str) -> list[Delta]:
        self._count("refusal", place, text)
        return self._delta(refusal=text) if text else []

    def _reason(self, kind: str, place: _Place, text: str) -> list[Delta]:
        if not text or self._reasoning.setdefault(place[0], kind) != kind:
            return []
        is_next = (kind, place) not in self._lengths and "reasoning_content" in self._fields
        self._count(kind, place, text)
        return self._delta(reasoning_content=SEPARATOR + text if is_next else text)

    def _cite(self, place: _Place, note: Piece) -> list[Delta]:
        self._cited[place] = self._cited.get(place, 0) + 1
        offset = self._offsets.get(place, self._content_length)
        return self._listed("annotations", citation(note, offset))

    def _call(self, place: _Place, item: Piece) -> list[Delta]:
        call = tool_call_of(item)
        if call is None or place[0] in self._calls:
            return []
        if len(self._calls) > MAX_INDEX:
            raise not_a_response()
        kind = str(call["type"])
        told = "arguments" if kind == "function" else "input"
        self._calls[place[0]] = {"index": len(self._calls), "kind": kind, "told": told}
        begun: Piece = {**call, kind: {**object_of(call[kind]), told: ""}}
        return self._delta(tool_calls=[{"index": len(self._calls) - 1, **begun}])

    def _arguments_done(self, place: _Place, said: Piece) -> list[Delta]:
        whole = said.get("arguments", said.get("input"))
        return self._arguments(place, self._rest("arguments", place, whole))

    def _arguments(self, place: _Place, text: str) -> list[Delta]:
        call = self._calls.get(place[0])
        if call is None or not text:
            return []  # it is not known yet what is called; the item tells all when it is done
        self._count("arguments", place, text)
        piece = {"index": call["index"], str(call["kind"]): {str(call["told"]): text}}
        return self._delta(tool_calls=[piece])

    def _listed(self, field: str, entry: Piece) -> list[Delta]:
        """Tell one entry of a list, numbered as the pieces of a list must be."""
        index = self._counts[field]
        self._counts[field] += 1
        return self._delta(**{field: [{"index": index, **entry}]})

    def _rest(self, kind: str, place: _Place, whole: object) -> str:
        return text_of(whole)[self._lengths.get((kind, place), 0) :]

    def _count(self, kind: str, place: _Place, text: str) -> None:
        self._lengths[kind, place] = self._lengths.get((kind, place), 0) + len(text)

    def _delta(self, logprobs: list[Piece] | None = None, **fields: object) -> list[Delta]:
        if not fields and not logprobs:
            return []
        first: Piece = {} if self._fields else {"role": "assistant", "content": None}
        self._fields |= {"role", *fields}
        choice: Piece = {"index": 0, "delta": {**first, **fields}, "finish_reason": None}
        if logprobs:
            choice["logprobs"] = {"content": logprobs, "refusal": None}
        return [Delta([choice], self.head)]


def _place(event: Piece, inner: str = "content_index") -> _Place:
    """Return which item an event is about, and which part: by number, an item else by its id."""
    item = event.get("item_id") or object_of(event.get("item")).get("id")
    if event.get("output_index") is None and isinstance(item, str):
        return item, _index(event.get(inner))
    return _index(event.get("output_index")), _index(event.get(inner))


def _index(value: object) -> int:
    if value is None:
        return 0
    if type(value) is not int:
        raise not_a_response()
    return value


def _numbered(entries: list[Piece]) -> list[Piece]:
    return [{"index": index, **entry} for index, entry in enumerate(entries)]
