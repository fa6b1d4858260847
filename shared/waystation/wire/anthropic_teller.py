"""Tells a chat's answer as the events of a streamed message.

Sources: https://platform.claude.com/docs/en/build-with-claude/streaming and
https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons, 2026-11.
"""

from collections.abc import Iterator, Mapping

from waystation.wire.anthropic_blocks import Block, BlockWriter, Event
from waystation.wire.anthropic_calls import CallTeller
from waystation.wire.anthropic_citations import citation_of
from waystation.wire.anthropic_usage import messages_usage
from waystation.wire.events import Delta

_SEPARATOR = "\n\n"  # that reasoning has between blocks of thinking
_REASONS: Mapping[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
# The API's own, as far as an upstream tells them.
_OWN_REASONS = frozenset(
    {
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
    }
)


class MessageTeller:
    """Tells one message; `id` and `model` stand in where the upstream sent none."""

    def __init__(self, *, id: str, model: str) -> None:  # noqa: A002 (the API's own word)
        self._id, self._model = id, model
        self._has_begun = False
        self._writer = BlockWriter()
        self._calls = CallTeller(self._writer, id)
        self._ending: dict[str, object] = {"stop_reason": None, "stop_sequence": None}
        self._has_refused = False
        self._is_signed = False  # a block of thinking came before
        self._by_reasoning = False  # the text of the open block of thinking is not a block's own

    def delta(self, event: Delta) -> list[Event]:
        """Return the events of a piece; of several choices only the first is told."""
        events = self._begin(event.extra)
        for choice in event.choices:
            if isinstance(choice, Mapping) and not choice.get("index"):
                events += self._choice(choice)
        return events

    def finish(self, usage: Mapping[str, object]) -> list[Event]:
        """Return the last events; `usage` is that of a chat completion."""
        events = [*self._begin({}), *self._calls.flush(), *self._writer.close()]
        reason = self._ending["stop_reason"]
        if self._calls.has_any and reason in (None, "end_turn"):
            reason = "tool_use"
        elif self._has_refused:
            reason = "refusal"
        ending = {**self._ending, "stop_reason": reason or "end_turn"}
        told: Event = {"type": "message_delta", "delta": ending, "usage": messages_usage(usage)}
        return [*events, told, {"type": "message_stop"}]

    def _begin(self, head: Mapping[str, object]) -> list[Event]:
        if self._has_begun:
            return []
        self._has_begun = True
        message: Block = {
            "id": _text_of(head.get("id")) or self._id,
            "type": "message",
            "role": "assistant",
            "model": _text_of(head.get("model")) or self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return [{"type": "message_start", "message": message}]

    def _choice(self, choice: Mapping[str, object]) -> list[Event]:
        self._note_ending(choice)
        piece = choice.get("delta")
        return [*self._piece(piece)] if isinstance(piece, Mapping) else []

    def _piece(self, piece: Mapping[str, object]) -> Iterator[Event]:
        thinking = _objects_of(piece.get("thinking_blocks"))
        for block in thinking:
            yield from self._thinking_block(block)
        if not thinking and (text := _text_of(piece.get("reasoning_content"))):
            yield from self._reasoning(text)
        for block in _objects_of(piece.get("server_tool_blocks")):
            yield from self._whole(_without_index(block))
        yield from self._text(_content_of(piece.get("content")))
        if refusal := _text_of(piece.get("refusal")):
            self._has_refused = True
            yield from self._text(refusal)
        for note in _objects_of(piece.get("annotations")):
            cited = citation_of(note)
            if cited is not None and self._writer.kind == "text":
                yield self._writer.add("citations_delta", citation=cited)
        for position, call in enumerate(_objects_of(piece.get("tool_calls"))):
            yield from self._calls.take(call, position)

    def _text(self, text: str) -> Iterator[Event]:
        if not text:
            return
        if self._writer.kind != "text":
            yield from self._open({"type": "text", "text": ""})
        yield self._writer.add("text_delta", text=text)

    def _reasoning(self, text: str) -> Iterator[Event]:
        if self._writer.kind != "thinking":
            text = text.removeprefix(_SEPARATOR) if self._is_signed else text
            yield from self._open(_EMPTY_THINKING)
            self._by_reasoning = True
        yield self._writer.add("thinking_delta", thinking=text)

    def _thinking_block(self, block: Block) -> Iterator[Event]:
        """Tell a block, or a piece of one; what reasoning has told already is not told again."""
        if block.get("type") != "thinking":
            yield from self._whole(_without_index(block))
            return
        if self._writer.kind != "thinking":
            yield from self._open(_EMPTY_THINKING)
            self._by_reasoning = False
        text, signature = _text_of(block.get("thinking")), _text_of(block.get("signature"))
        if text and not self._by_reasoning:
            yield self._writer.add("thinking_delta", thinking=text)
        if signature:
            self._is_signed = True
            yield self._writer.add("signature_delta", signature=signature)
            yield from self._writer.close()

    def _whole(self, block: Block) -> Iterator[Event]:
        if isinstance(block.get("type"), str):
            yield from self._open(block)
            yield from self._writer.close()

    def _open(self, block: Block) -> Iterator[Event]:
        yield from self._calls.flush()
        yield from self._writer.open(block)

    def _note_ending(self, choice: Mapping[str, object]) -> None:
        reason, native = choice.get("finish_reason"), choice.get("provider_specific_fields")
        if isinstance(reason, str):
            self._ending["stop_reason"] = _REASONS.get(reason, "end_turn")
        if not isinstance(native, Mapping):
            return
        if native.get("native_finish_reason") in _OWN_REASONS:
            self._ending["stop_reason"] = native["native_finish_reason"]
        for name in ("stop_sequence", "stop_details", "container"):
            if native.get(name) is not None:
                self._ending[name] = native[name]


_EMPTY_THINKING: Block = {"type": "thinking", "thinking": "", "signature": ""}


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def _content_of(value: object) -> str:
    """Return what a message says: its text, or those of its parts."""
    return _text_of(value) or "".join(_text_of(part.get("text")) for part in _objects_of(value))


def _objects_of(value: object) -> list[Block]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _without_index(block: Block) -> Block:
    return {name: value for name, value in block.items() if name != "index"}
