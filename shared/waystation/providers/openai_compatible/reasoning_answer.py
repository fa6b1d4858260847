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
    """Splits `<think>` blocks off the beginning of a text that comes in pieces.

    A tag may be cut anywhere. Blank space around the blocks goes with them; a block that is never
    closed reaches to the end. Once there is other text, tags are part of it: models think first,
    and an answer may well speak of tags.
    """

    def __init__(self) -> None:
        self._is_answering = False
        self._is_thinking = False
        self._begins_block = False
        self._has_block = False
        self._separator = ""
        self._held = ""  # blank space, or what may be the beginning of a tag

    def feed(self, piece: str, *, is_last: bool = False) -> tuple[str, str]:
        """Return the reasoning and the text that a piece completes; the last one, all there is."""
        if self._is_answering:
            return "", piece
        reasoning, text, rest, self._held = "", "", self._held + piece, ""
        while rest and not text:
            if self._is_thinking:
                thought, rest = self._think(rest, is_last=is_last)
                reasoning += thought
            else:
                text, rest = self._begin(rest, is_last=is_last)
        return reasoning, text

    def _begin(self, rest: str, *, is_last: bool) -> tuple[str, str]:
        """Return the answer if it begins here, and what follows the opening tag if there is one."""
        start = rest.lstrip()
        if start.startswith(_OPEN):
            self._is_thinking = self._begins_block = True
            return "", start.removeprefix(_OPEN)
        if not is_last and _OPEN.startswith(start):
            self._held = rest
            return "", ""
        self._is_answering = bool(start)
        return (start if self._has_block else rest), ""

    def _think(self, rest: str, *, is_last: bool) -> tuple[str, str]:
        """Return the reasoning up to the end of the block, and what follows the block."""
        if self._begins_block:
            rest = rest.lstrip()
        thought, closing, after = rest.partition(_CLOSE)
        if not closing and not is_last:
            end = len(thought) - _beginning_of(_CLOSE, thought)
            thought, self._held = thought[:end], thought[end:]
        if thought:
            thought, self._separator = self._separator + thought, ""
            self._begins_block = False
        if closing:
            self._is_thinking, self._has_block, self._separator = False, True, "\n"
        return thought, after


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
