"""What every reader of an event stream does alike: the limits, the errors, and one end."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from waystation.errors import UpstreamError, UpstreamInvalidResponseError
from waystation.wire.events import Failed, Finished, StreamEvent
from waystation.wire.sse import ServerSentEvent, SseDecoder, SseLimitError


class EventStreamParser(ABC):
    """Turns bytes into the events of a chat completion; a dialect says what each event means.

    An event without data says nothing, nor does anything after the end. An UpstreamError of
    `_event` is the end.
    """

    def __init__(self) -> None:
        self._decoder = SseDecoder()
        self._is_over = False

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._read(lambda: self._decoder.feed(data))

    def finish(self) -> list[StreamEvent]:
        return [*self._read(self._decoder.finish), *self._at_the_end_of_bytes()]

    @abstractmethod
    def _event(self, event: ServerSentEvent) -> list[StreamEvent]:
        """Return what one event tells. Raises UpstreamError."""

    @abstractmethod
    def _is_complete(self) -> bool:
        """Tell whether the answer may end with the bytes."""

    def _at_the_end_of_bytes(self) -> list[StreamEvent]:
        if self._is_complete():
            return self._end(Finished())
        error = UpstreamInvalidResponseError("The upstream's stream broke off.")
        return self._end(Failed(error))

    def _end(self, last: StreamEvent) -> list[StreamEvent]:
        """Return the last event, once."""
        if self._is_over:
            return []
        self._is_over = True
        return [last]

    def _read(self, decode: Callable[[], list[ServerSentEvent]]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        try:
            for event in decode():
                if self._is_over:
                    break
                if event.data:
                    events += self._event(event)
        except SseLimitError:
            error = UpstreamInvalidResponseError("An event of the upstream's stream is too large.")
            events += self._end(Failed(error))
        except UpstreamError as error:
            events += self._end(Failed(error))
        return events
