"""Reads a streamed message: from bytes to the events of a chat completion."""

from waystation.providers.answer_pieces import Piece, object_of
from waystation.providers.anthropic.blocks import BlockTeller
from waystation.providers.anthropic.pieces import error_of, read_object
from waystation.providers.anthropic.usage import usage_of
from waystation.providers.event_stream import EventStreamParser
from waystation.wire.events import Finished, StreamEvent, UsageReport
from waystation.wire.sse import ServerSentEvent

_BLOCKS = {
    "content_block_start": BlockTeller.start,
    "content_block_delta": BlockTeller.delta,
    "content_block_stop": BlockTeller.stop,
}


class MessageStreamParser(EventStreamParser):
    """Reads one streamed answer.

    It ends at `message_stop`, or with the bytes once a reason for the end was told. Counts are
    reported as soon as they come, so that an answer that breaks off is paid for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._teller = BlockTeller()
        self._ending: Piece = {}
        self._usage: Piece = {}  # as far as reported; later counts replace earlier ones
        self._counts_output = False

    def _is_complete(self) -> bool:
        return self._teller.is_finished

    def _event(self, event: ServerSentEvent) -> list[StreamEvent]:
        if event.data == "[DONE]":
            return []
        document = read_object(event.data.encode())
        kind = document.get("type")
        if not isinstance(kind, str):
            kind = event.event  # the name of the event says the same
        if tell := _BLOCKS.get(kind):
            return [] if self._teller.is_finished else [*tell(self._teller, document)]
        if kind == "message_start":
            message = object_of(document.get("message"))
            self._teller.begin(message)
            return self._counted(message.get("usage"))
        if kind == "message_delta":
            counted = document.get("usage")
            self._counts_output |= isinstance(counted, dict) and "output_tokens" in counted
            self._ending |= _present(object_of(document.get("delta")))
            has_ended = "stop_reason" in self._ending
            return [*(self._finished() if has_ended else []), *self._counted(document.get("usage"))]
        if kind == "message_stop":
            return [*self._finished(), *self._end(Finished())]
        if kind == "error":
            raise error_of(document)
        return []

    def _finished(self) -> list[StreamEvent]:
        return [] if self._teller.is_finished else [*self._teller.finish(self._ending)]

    def _counted(self, usage: object) -> list[StreamEvent]:
        if not isinstance(usage, dict):
            return []
        self._usage |= _present(usage)
        counted = usage_of(self._usage)
        return [UsageReport(*counted, self._teller.head, counts_output=self._counts_output)]


def _present(fields: Piece) -> Piece:
    return {name: value for name, value in fields.items() if value is not None}
