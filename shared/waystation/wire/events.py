"""The pieces of a streamed answer, and the whole answer.

OpenAI's chat completion is the pivot: a `Delta` carries choices in its shape, so that fields this
project has never heard of pass through. Every provider yields deltas and usage, then one
`Finished`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from waystation.errors import UpstreamError
from waystation.wire.usage import Usage

HEAD_FIELDS: tuple[str, ...] = ("id", "created", "model")  # what every chunk repeats
_NOT_BESIDE_CHOICES = frozenset({"choices", "usage", "object"})


@dataclass(frozen=True, slots=True)
class Delta:
    """Choices of one chunk: `[{"index", "delta": {…}, "finish_reason"}, …]`.

    `extra` is what the upstream put beside them: id, model, system_fingerprint and the like.
    """

    choices: list[dict[str, object]]
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Native:
    """An event of the upstream's own API, as it came, for a client that speaks the same one.

    Only requests with `native` lead to it. `visible_bytes` is how much of it a reader sees.
    """

    name: str
    data: dict[str, object]
    visible_bytes: int = 0


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Counts so far; a later report replaces an earlier one. `raw` is the upstream's own object.

    `counts_output` is false for a report from before the answer, which knows the input alone.
    """

    usage: Usage | None
    raw: Mapping[str, object]
    extra: Mapping[str, object] = field(default_factory=dict)
    counts_output: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete. Nothing follows."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer broke off. Nothing follows; what came before still counts."""

    error: UpstreamError


StreamEvent: TypeAlias = Delta | Native | UsageReport | Finished | Failed


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer: `body` in OpenAI's shape, as it goes to the client.

    A body in the shape of the upstream's own API says in `native_bytes` how much of it a
    reader sees.
    """

    body: dict[str, object]
    usage: Usage | None
    upstream_id: str | None = None
    native_bytes: int | None = None


def stream_of(completion: Completion) -> list[StreamEvent]:
    """Tell a whole answer as the events of a streamed one.

    One in the shape of the upstream's own API is a single event named `message`.
    """
    body = completion.body
    raw = body.get("usage")
    if completion.native_bytes is not None:
        head = {name: body[name] for name in HEAD_FIELDS if name in body}
        report = [UsageReport(completion.usage, raw, head)] if isinstance(raw, Mapping) else []
        return [Native("message", body, completion.native_bytes), *report, Finished()]
    extra = {name: value for name, value in body.items() if name not in _NOT_BESIDE_CHOICES}
    choices = body.get("choices")
    deltas: list[dict[str, object]] = [
        {
            **{k: v for k, v in choice.items() if k != "message"},
            "delta": _numbered(choice.get("message") or {}),
        }
        for choice in (choices if isinstance(choices, list) else [])
    ]
    events: list[StreamEvent] = [Delta(deltas, extra)]
    if isinstance(raw, Mapping):
        events.append(UsageReport(completion.usage, raw, extra))
    return [*events, Finished()]


def _numbered(message: dict[str, object]) -> dict[str, object]:
    """Give each tool call the index that only streamed ones carry."""
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return message
    numbered = [{"index": n, **call} for n, call in enumerate(calls) if isinstance(call, dict)]
    return {**message, "tool_calls": numbered}


def visible_bytes(choices: Iterable[object]) -> int:
    """Count, in UTF-8, what a choice's `delta` or `message` holds: text, reasoning, tool calls."""
    return sum(
        _bytes(choice.get("delta") or choice.get("message"))
        for choice in choices
        if isinstance(choice, Mapping)
    )


def _bytes(piece: object) -> int:
    if not isinstance(piece, Mapping):
        return 0
    texts = [piece.get(name) for name in ("content", "reasoning_content", "reasoning", "refusal")]
    parts = piece.get("content")
    if isinstance(parts, list):
        texts += [part.get("text") for part in parts if isinstance(part, Mapping)]
    calls = piece.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            texts += [function.get("name"), function.get("arguments")]
    return sum(bytes_of(text) for text in texts if isinstance(text, str))


def bytes_of(text: str) -> int:
    """Return how long a text is in UTF-8."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
