"""Reasoning in an answer, wherever the upstream puts it, told as `reasoning_content`.

Upstreams send it in `reasoning_content`, in `reasoning`, or between `<think>` tags in the text.
"""

from dataclasses import dataclass

_OPEN, _CLOSE = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class ReasoningRules:
    """How an entry wants reasoning read.

    `key` is the one field that is read, None for whichever is there; `splits_think_tags` tells
    whether blocks in the text are split off.
    """

    key: str | None = None
    splits_think_tags: bool = True


class ThinkSplitter:
    """Splits `<think>` blocks off one text that comes in pieces; a tag may be cut anywhere.

    A block that is never closed reaches to the end. Blank space around the blocks goes with them,
    as long as no text has come.
    """

    def __init__(self) -> None:
        self._is_thinking = False
        self._held = ""  # what may be the beginning of a tag
        self._has_text = False
        self._has_block = False
        self._skips_blank = False

    def feed(self, piece: str, *, is_last: bool = False) -> tuple[str, str]:
        """Return the reasoning and the text that a piece completes; the last one, all there is."""
        if not (self._is_thinking or self._held or self._skips_blank or "<" in piece):
            self._has_text = self._has_text or bool(piece.strip())
            return "", piece
        reasoning, text = "", ""
        rest, self._held = self._held + piece, ""
        while rest:
            tag = _CLOSE if self._is_thinking else _OPEN
            before, found, rest = rest.partition(tag)
            if not found:
                end = len(before) - (0 if is_last else _beginning_of(tag, before))
                before, self._held = before[:end], before[end:]
            if self._is_thinking:
                reasoning += self._take(before)
            else:
                text += self._take(before)
            if found:
                self._turn()
                reasoning += "\n" if self._is_thinking and self._has_block else ""
                self._has_block = True
        return reasoning, text

    def _turn(self) -> None:
        self._is_thinking = not self._is_thinking
        self._skips_blank = self._is_thinking or not self._has_text

    def _take(self, piece: str) -> str:
        if self._skips_blank:
            piece = piece.lstrip()
            self._skips_blank = not piece
        if not self._is_thinking and piece.strip():
            self._has_text = True
        return piece


def read_reasoning(message: dict[str, object], key: str | None) -> None:
    """Move the reasoning of a message or delta to `reasoning_content`; changes it in place."""
    if "reasoning" not in message and key != "reasoning":
        return
    if key == "reasoning_content":
        return
    if key == "reasoning":
        message.pop("reasoning_content", None)
    reasoning = message.get("reasoning")
    if reasoning is None or isinstance(reasoning, str):
        message.pop("reasoning", None)
    if isinstance(reasoning, str) and not message.get("reasoning_content"):
        message["reasoning_content"] = reasoning


def put_split(message: dict[str, object], reasoning: str, text: str) -> None:
    """Put what a splitter returned in the place of a message's content; changes it in place."""
    if text:
        message["content"] = text
    else:
        message.pop("content", None)
    if reasoning:
        given = message.get("reasoning_content")
        message["reasoning_content"] = (given if isinstance(given, str) else "") + reasoning


def _beginning_of(tag: str, text: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a tag."""
    for length in range(min(len(tag) - 1, len(text)), 0, -1):
        if tag.startswith(text[-length:]):
            return length
    return 0
