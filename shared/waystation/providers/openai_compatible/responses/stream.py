"""Reads a streamed response: from bytes to the events of a chat completion."""

from collections.abc import Callable

from waystation.errors import UpstreamError
from waystation.providers.event_stream import EventStreamParser
from waystation.providers.openai_compatible.responses.deltas import DeltaTeller
from waystation.providers.openai_compatible.responses.pieces import Piece, object_of, usage_of
from waystation.providers.openai_compatible.responses.whole import (
    check_status,
    read_object,
    service_tier_of,
)
from waystation.providers.upstream_errors import error_from_object
from waystation.wire.events import Delta, Failed, Finished, StreamEvent, UsageReport
from waystation.wire.sse import ServerSentEvent
from waystation.wire.usage import parse_openai_usage

_TELLING: dict[str, Callable[[DeltaTeller, Piece], list[Delta]]] = {
    "response.created": DeltaTeller.begin,
    "response.in_progress": DeltaTeller.begin,
    "response.output_item.added": DeltaTeller.item_added,
    "response.output_item.done": DeltaTeller.item_done,
    "response.output_text.delta": DeltaTeller.text,
    "response.output_text.done": DeltaTeller.text_done,
    "response.output_text.annotation.added": DeltaTeller.annotation,
    "response.refusal.delta": DeltaTeller.refusal,
    "response.refusal.done": DeltaTeller.refusal_done,
    "response.reasoning_summary_text.delta": DeltaTeller.summary,
    "response.reasoning_summary_text.done": DeltaTeller.summary_done,
    "response.reasoning_text.delta": DeltaTeller.reasoning,
    "response.reasoning_text.done": DeltaTeller.reasoning_done,
    "response.function_call_arguments.delta": DeltaTeller.arguments,
    "response.function_call_arguments.done": DeltaTeller.arguments_done,
    "response.custom_tool_call_input.delta": DeltaTeller.arguments,
    "response.custom_tool_call_input.done": DeltaTeller.arguments_done,
}
_ENDS = frozenset({"response.completed", "response.incomplete"})
_FAILURES = frozenset({"response.failed", "response.cancelled"})


class ResponsesStreamParser(EventStreamParser):
    """Reads one streamed answer. It ends with the event that holds the whole response."""

    def __init__(self) -> None:
        super().__init__()
        self._teller = DeltaTeller()

    def _is_complete(self) -> bool:
        return False  # an event says so

    def _event(self, event: ServerSentEvent) -> list[StreamEvent]:
        if event.data == "[DONE]":
            return []
        document = read_object(event.data.encode())
        kind = document.get("type")
        if not isinstance(kind, str):
            kind = event.event  # the name of the event says the same
        if kind == "error":
            raise error_from_object(document)
        if kind in _ENDS:
            return self._whole(object_of(document.get("response")))
        if kind in _FAILURES:
            response = object_of(document.get("response"))
            return self._whole({**response, "status": kind.removeprefix("response.")})
        tell = _TELLING.get(kind)
        return [*tell(self._teller, document)] if tell else []

    def _whole(self, response: Piece) -> list[StreamEvent]:
        """Tell what is left; of a response that failed, what it cost and why."""
        try:
            check_status(response)
        except UpstreamError as error:
            return [*self._usage(response), *self._end(Failed(error))]
        self._teller.begin({"response": response})
        *others, last = self._teller.end(response)
        last = Delta(last.choices, {**last.extra, **service_tier_of(response)})
        return [*others, last, *self._usage(response), *self._end(Finished())]

    def _usage(self, response: Piece) -> list[StreamEvent]:
        raw = usage_of(response)
        return [] if raw is None else [UsageReport(parse_openai_usage(raw), raw, self._teller.head)]
