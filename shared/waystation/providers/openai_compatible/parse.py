"""Reads answers of the chat completions API, whole and streamed.

Fields that this module does not know pass through. Choices and tool calls are numbered by the
upstream and bounded here; whatever is not a chat completion is refused, and none of it is shown.
"""

from collections.abc import Mapping

from waystation.errors import UpstreamError, UpstreamInvalidResponseError
from waystation.providers.upstream_errors import error_from_object
from waystation.wire.events import Completion, Delta, Failed, Finished, StreamEvent, UsageReport
from waystation.wire.json_reader import read_json_lenient
from waystation.wire.sse import ServerSentEvent, SseDecoder, SseLimitError
from waystation.wire.usage import parse_openai_usage

MAX_INDEX = 127

_NOT_A_COMPLETION = "The upstream's answer is not a chat completion."


def parse_completion(body: bytes) -> Completion:
    """Read a whole answer. Raises UpstreamError."""
    document = _read(body)
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        raise UpstreamInvalidResponseError(_NOT_A_COMPLETION)
    for choice in choices:
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            raise UpstreamInvalidResponseError(_NOT_A_COMPLETION)
    upstream_id = document.get("id")
    return Completion(
        body={**document, "object": "chat.completion"},
        usage=parse_openai_usage(document.get("usage")),
        upstream_id=upstream_id if isinstance(upstream_id, str) else None,
    )


class ChatAnswerReader:
    """Reads the answer to a request for a chat completion."""

    def parse(self, body: bytes) -> Completion:
        return parse_completion(body)

    def stream_parser(self) -> "ChatStreamParser":
        return ChatStreamParser()


class ChatStreamParser:
    """Reads one streamed answer.

    It ends at `[DONE]`, or with the bytes once a finish reason was seen.
    """

    def __init__(self) -> None:
        self._decoder = SseDecoder()
        self._has_finish_reason = False
        self._is_over = False

    def feed(self, data: bytes) -> list[StreamEvent]:
        try:
            return self._take(self._decoder.feed(data))
        except SseLimitError:
            return self._end(_beyond_limits())

    def finish(self) -> list[StreamEvent]:
        try:
            events = self._take(self._decoder.finish())
        except SseLimitError:
            return self._end(_beyond_limits())
        if self._has_finish_reason:
            return events + self._end(Finished())
        error = UpstreamInvalidResponseError("The upstream's stream broke off.")
        return events + self._end(Failed(error))

    def _take(self, received: list[ServerSentEvent]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for event in received:
            if self._is_over:
                break
            if event.data == "[DONE]":
                events += self._end(Finished())
            elif event.data:
                try:
                    events += self._chunk(event)
                except UpstreamError as error:
                    events += self._end(Failed(error))
        return events

    def _end(self, last: StreamEvent) -> list[StreamEvent]:
        if self._is_over:
            return []
        self._is_over = True
        return [last]

    def _chunk(self, event: ServerSentEvent) -> list[StreamEvent]:
        document = _read(event.data.encode())
        if event.event == "error":
            raise error_from_object(document)
        choices, usage = document.pop("choices", None), document.pop("usage", None)
        events: list[StreamEvent] = []
        if isinstance(choices, list):
            for choice in choices:
                self._check(choice)
            if choices or usage is None:
                events.append(Delta(choices, document))
        if isinstance(usage, Mapping):
            events.append(UsageReport(parse_openai_usage(usage), usage, document))
        return events

    def _check(self, choice: object) -> None:
        if not isinstance(choice, dict) or not _is_index(choice.get("index")):
            raise UpstreamInvalidResponseError(_NOT_A_COMPLETION)
        delta = choice.get("delta")
        if delta is not None and not isinstance(delta, dict):
            raise UpstreamInvalidResponseError(_NOT_A_COMPLETION)
        if delta and (calls := delta.get("tool_calls")):
            numbered = isinstance(calls, list) and all(
                isinstance(call, dict) and _is_index(call.get("index")) for call in calls
            )
            if not numbered:
                raise UpstreamInvalidResponseError(_NOT_A_COMPLETION)
        if choice.get("finish_reason"):
            self._has_finish_reason = True


def _beyond_limits() -> Failed:
    return Failed(UpstreamInvalidResponseError("The stream has no measure."))


def _read(body: bytes) -> dict[str, object]:
    try:
        document = read_json_lenient(body)
    except ValueError:
        raise UpstreamInvalidResponseError(_NOT_A_COMPLETION) from None
    if not isinstance(document, dict):
        raise UpstreamInvalidResponseError(_NOT_A_COMPLETION)
    if document.get("error"):
        raise error_from_object(document["error"])
    return document


def _is_index(value: object) -> bool:
    return value is None or (type(value) is int and 0 <= value <= MAX_INDEX)
