"""Reads a streamed answer: from bytes to the events of a chat completion."""

from collections.abc import Callable

from waystation.errors import UpstreamError, UpstreamInvalidResponseError
from waystation.providers.anthropic.pieces import Piece, object_of
from waystation.providers.bedrock.blocks import BlockTeller
from waystation.providers.bedrock.pieces import head_of, read_object
from waystation.providers.bedrock.usage import usage_of
from waystation.wire.events import Failed, Finished, StreamEvent, UsageReport
from waystation.wire.sse import SseDecoder, SseLimitError

_BLOCKS = {
    "contentBlockStart": BlockTeller.start,
    "contentBlockDelta": BlockTeller.delta,
    "contentBlockStop": BlockTeller.stop,
}


class ConverseStreamParser:
    """Reads one streamed answer.

    The API tells why the answer ended, then counts and traces, then ends the stream. The end is
    told with what comes last, and only the end of the bytes completes the answer.
    """

    def __init__(self) -> None:
        self._decoder = SseDecoder()
        self._teller = BlockTeller()
        self._ending: Piece | None = None  # how the answer ended, as far as told
        self._is_told = False
        self._is_over = False

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._read(lambda: [event.data for event in self._decoder.feed(data)])

    def finish(self) -> list[StreamEvent]:
        events = self._read(lambda: [event.data for event in self._decoder.finish()])
        if self._ending is None:
            error = UpstreamInvalidResponseError("The upstream's stream broke off.")
            return events + self._end(Failed(error))
        return [*events, *self._told(self._ending), *self._end(Finished())]

    def _read(self, decode: Callable[[], list[str]]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        try:
            for data in decode():
                if self._is_over:
                    break
                for kind, event in read_object(data.encode()).items():
                    events += self._event(kind, event)
        except SseLimitError:
            error = UpstreamInvalidResponseError("An event of the upstream's stream is too large.")
            events += self._end(Failed(error))
        except UpstreamError as error:
            events += self._end(Failed(error))
        return events

    def _event(self, kind: str, event: object) -> list[StreamEvent]:
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

    def _end(self, last: StreamEvent) -> list[StreamEvent]:
        if self._is_over:
            return []
        self._is_over = True
        return [last]
