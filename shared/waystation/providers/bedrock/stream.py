"""Reads a streamed answer: from bytes to the events of a chat completion."""

from waystation.providers.answer_pieces import Piece, object_of
from waystation.providers.bedrock.blocks import BlockTeller
from waystation.providers.bedrock.pieces import head_of, read_object
from waystation.providers.bedrock.usage import usage_of
from waystation.providers.event_stream import EventStreamParser
from waystation.wire.events import StreamEvent, UsageReport
from waystation.wire.sse import ServerSentEvent

_BLOCKS = {
    "contentBlockStart": BlockTeller.start,
    "contentBlockDelta": BlockTeller.delta,
    "contentBlockStop": BlockTeller.stop,
}


class ConverseStreamParser(EventStreamParser):
    """Reads one streamed answer.

    The API tells why the answer ended, then counts and traces, then ends the stream. The end is
    told with what comes last, and only the end of the bytes completes the answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self._teller = BlockTeller()
        self._ending: Piece | None = None  # how the answer ended, as far as told
        self._is_told = False

    def _is_complete(self) -> bool:
        return self._ending is not None

    def _at_the_end_of_bytes(self) -> list[StreamEvent]:
        told = [] if self._ending is None else self._told(self._ending)
        return [*told, *super()._at_the_end_of_bytes()]

    def _event(self, event: ServerSentEvent) -> list[StreamEvent]:
        document = read_object(event.data.encode())
        return [told for kind, part in document.items() for told in self._part(kind, part)]

    def _part(self, kind: str, event: object) -> list[StreamEvent]:
        if tell := _BLOCKS.get(kind):
            is_late = self._ending is not None
            return [] if is_late else [*tell(self._teller, object_of(event))]
        if kind == "ResponseMetadata":
            self._teller.head = head_of({kind: event})
        elif kind == "messageStop":
            self._ending = object_of(event)
        elif kind == "metadata":
            return self._metadata(object_of(event))
        return []

    def _metadata(self, metadata: Piece) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        if self._ending is not None:
            events += self._told({**metadata, **self._ending})
        usage = metadata.get("usage")
        if isinstance(usage, dict):
            events.append(UsageReport(*usage_of(usage), self._teller.head))
        return events

    def _told(self, ending: Piece) -> list[StreamEvent]:
        if self._is_told or self._is_over:
            return []
        self._is_told = True
        return [*self._teller.finish(ending)]
