"""Reads answers of the Messages API for the ledger, and passes them on as they came.

Events and fields unknown here go on too. Errors become ours.
"""

from collections.abc import Mapping

from waystation.providers.answer_pieces import Piece, not_a_message, object_of, text_of
from waystation.providers.anthropic.pieces import error_of, head_of, read_object
from waystation.providers.anthropic.usage import usage_of
from waystation.providers.event_stream import EventStreamParser
from waystation.wire.events import (
    Completion,
    Finished,
    Native,
    StreamEvent,
    UsageReport,
    bytes_of,
)
from waystation.wire.sse import ServerSentEvent

_TEXTS = ("text", "thinking", "partial_json")


class NativeAnswerReader:
    """Reads a message, whole or streamed, that goes to the client in its own shape."""

    def parse(self, body: bytes) -> Completion:
        message = read_object(body)
        content = message.get("content")
        if not isinstance(content, list):
            raise not_a_message()
        raw = message.get("usage")
        usage = usage_of(raw)[0] if isinstance(raw, dict) else None
        upstream_id = text_of(message.get("id")) or None
        return Completion(message, usage, upstream_id, sum(map(_bytes, content)))

    def stream_parser(self) -> "NativeStreamParser":
        return NativeStreamParser()


class NativeStreamParser(EventStreamParser):
    """Reads one streamed answer.

    It ends at `message_stop`, or with the bytes once a reason for the end was told. Counts are
    reported as soon as they come, so that an answer that breaks off is paid for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._head: Piece = {}
        self._usage: Piece = {}  # as far as reported; later counts replace earlier ones
        self._has_reason = False
        self._counts_output = False

    def _is_complete(self) -> bool:
        return self._has_reason

    def _event(self, event: ServerSentEvent) -> list[StreamEvent]:
        if event.data == "[DONE]":
            return []
        document = read_object(event.data.encode())
        kind = document.get("type")
        if not isinstance(kind, str):
            kind = event.event  # the name of the event says the same
        if kind == "error":
            raise error_of(document)
        if kind == "ping" and not self._head:
            return []  # an answer that has not begun
        native = Native(kind, document, _bytes(document.get("delta")))
        if kind == "message_start":
            message = object_of(document.get("message"))
            self._head = head_of(message)
            return [native, *self._counted(message.get("usage"))]
        if kind == "message_delta":
            counted = document.get("usage")
            self._counts_output |= isinstance(counted, dict) and "output_tokens" in counted
            delta = object_of(document.get("delta"))
            self._has_reason = self._has_reason or delta.get("stop_reason") is not None
            return [native, *self._counted(document.get("usage"))]
        return [native, *(self._end(Finished()) if kind == "message_stop" else [])]

    def _counted(self, usage: object) -> list[StreamEvent]:
        if not isinstance(usage, dict):
            return []
        told = {name: value for name, value in usage.items() if value is not None}
        self._usage = {**self._usage, **told}
        counted = usage_of(self._usage)[0]
        return [UsageReport(counted, self._usage, self._head, self._counts_output)]


def _bytes(piece: object) -> int:
    """Count what a reader sees of a block, or of a piece of one."""
    if not isinstance(piece, Mapping):
        return 0
    return sum(bytes_of(text) for name in _TEXTS if isinstance(text := piece.get(name), str))
