"""Reads answers of the chat completions API, whole and streamed.

Fields that this module does not know pass through; reasoning is told as `reasoning_content`.
Choices and tool calls are numbered by the upstream and bounded here; whatever is not a chat
completion is refused, and none of it is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from waystation.errors import UpstreamInvalidResponseError
from waystation.providers.event_stream import EventStreamParser
from waystation.providers.openai_compatible.reasoning_answer import (
    ReasoningRules,
    ThinkSplitter,
    put_split,
    read_reasoning,
)
from waystation.providers.upstream_errors import error_from_object
from waystation.wire.events import Completion, Delta, Finished, StreamEvent, UsageReport
from waystation.wire.json_reader import read_json_lenient
from waystation.wire.sse import ServerSentEvent
from waystation.wire.usage import parse_openai_usage

MAX_INDEX = 127

_NOT_A_COMPLETION = "The upstream's answer is not a chat completion."
_READ_ANY = ReasoningRules()


def parse_completion(body: bytes, rules: ReasoningRules = _READ_ANY) -> Completion:
    """Read a whole answer. Raises UpstreamError."""
    document = _read(body)
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        raise UpstreamInvalidResponseError(_NOT_A_COMPLETION)
    for choice in choices:
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            raise UpstreamInvalidResponseError(_NOT_A_COMPLETION)
        _read_whole(choice["message"], rules)
    upstream_id = document.get("id")
    return Completion(
        body={**document, "object": "chat.completion"},
        usage=parse_openai_usage(document.get("usage")),
        upstream_id=upstream_id if isinstance(upstream_id, str) else None,
    )


@dataclass(frozen=True, slots=True)
class ChatAnswerReader:
    """Reads the answer to a request for a chat completion."""

    rules: ReasoningRules = _READ_ANY

    def parse(self, body: bytes) -> Completion:
        return parse_completion(body, self.rules)

    def stream_parser(self) -> "ChatStreamParser":
        return ChatStreamParser(self.rules)


class ChatStreamParser(EventStreamParser):
    """Reads one streamed answer.

    It ends at `[DONE]`, or with the bytes once a finish reason was seen.
    """

    def __init__(self, rules: ReasoningRules = _READ_ANY) -> None:
        super().__init__()
        self._rules = rules
        self._splitters: dict[object, ThinkSplitter] = {}
        self._has_finish_reason = False
        self._early: UsageReport | None = None  # which counts the output only if nothing follows

    def _is_complete(self) -> bool:
        return self._has_finish_reason

    def _end(self, last: StreamEvent) -> list[StreamEvent]:
        if self._is_over:
            return []
        kept: list[StreamEvent] = [*self._held_back()]
        if self._early is not None and isinstance(last, Finished):
            kept.append(replace(self._early, counts_output=True))
        return [*kept, *super()._end(last)]

    def _event(self, event: ServerSentEvent) -> list[StreamEvent]:
        if event.data == "[DONE]":
            return self._end(Finished())
        document = _read(event.data.encode())
        if event.event == "error":
            raise error_from_object(document)
        choices, usage = document.pop("choices", None), document.pop("usage", None)
        usage = usage or _usage_elsewhere(document, choices)
        events: list[StreamEvent] = []
        if isinstance(choices, list):
            for choice in choices:
                self._check(choice)
            if choices or usage is None:
                events.append(Delta(choices, document))
        if usage and isinstance(usage, Mapping):
            is_last = self._has_finish_reason or not choices
            report = UsageReport(parse_openai_usage(usage), usage, document, is_last)
            self._early = None if is_last else report
            events.append(report)
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
        is_last = bool(choice.get("finish_reason"))
        if is_last:
            self._has_finish_reason = True
        if delta:
            read_reasoning(delta, self._rules.key)
        if self._rules.splits_think_tags:
            self._split(choice, is_last=is_last)

    def _split(self, choice: dict[str, object], *, is_last: bool) -> None:
        """Split the text of a choice; what was held back comes with its last piece."""
        delta = choice.get("delta")
        text = delta.get("content") if isinstance(delta, dict) else None
        piece = text if isinstance(text, str) else ""
        splitter = self._splitters.get(choice.get("index"))
        if splitter is None:
            if not piece:
                return
            splitter = self._splitters[choice.get("index")] = ThinkSplitter()
        reasoning, rest = splitter.feed(piece, is_last=is_last)
        if reasoning or rest != piece:
            message = delta if isinstance(delta, dict) else {}
            put_split(message, reasoning, rest)
            choice["delta"] = message

    def _held_back(self) -> list[StreamEvent]:
        """Return what was held back of choices that never had their last piece."""
        choices: list[dict[str, object]] = []
        for index, splitter in self._splitters.items():
            delta: dict[str, object] = {}
            put_split(delta, *splitter.feed("", is_last=True))
            if delta:
                choices.append({"index": index, "delta": delta, "finish_reason": None})
        self._splitters.clear()
        return [Delta(choices)] if choices else []


def _read_whole(message: dict[str, object], rules: ReasoningRules) -> None:
    read_reasoning(message, rules.key)
    text = message.get("content")
    if rules.splits_think_tags and isinstance(text, str) and text:
        reasoning, rest = ThinkSplitter().feed(text, is_last=True)
        if rest != text:
            put_split(message, reasoning, rest)
            message.setdefault("content", None)


def _usage_elsewhere(document: Mapping[str, object], choices: object) -> object:
    """Return the `usage` of a chunk that has it elsewhere: Groq's in `x_groq`, Kimi's in a choice.

    Sources: https://console.groq.com/docs/api-reference, https://platform.moonshot.ai/docs/api/chat,
    2026-11.
    """
    for holder in (document.get("x_groq"), *(choices if isinstance(choices, list) else ())):
        if isinstance(holder, dict) and (usage := holder.get("usage")):
            return usage
    return None


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
