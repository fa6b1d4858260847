"""The text of an answer, kept while its events pass by."""

from collections.abc import Mapping, Sequence

from waystation.wire.conversation_text import text_of
from waystation.wire.events import Delta, Finished, Native, StreamEvent


class AnswerText:
    """Collects the first choice's text, up to a length; reasoning and tool calls are none of it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[str] = []
        self._length = 0
        self.is_complete = False

    @property
    def text(self) -> str:
        """Return what has come so far, cut to the limit."""
        return "".join(self._pieces)[: self._limit]

    def add(self, batch: Sequence[StreamEvent]) -> None:
        """Take a batch of events, in their order."""
        for event in batch:
            if isinstance(event, Finished):
                self.is_complete = True
            elif self._length < self._limit and (text := _text(event)):
                self._pieces.append(text)
                self._length += len(text)


def _text(event: StreamEvent) -> str:
    if isinstance(event, Delta):
        return "".join([_of_choice(choice) for choice in event.choices])
    return _of_native(event) if isinstance(event, Native) else ""


def _of_choice(choice: Mapping[str, object]) -> str:
    delta = choice.get("delta")
    if choice.get("index", 0) != 0 or not isinstance(delta, Mapping):
        return ""
    return text_of(delta.get("content"))


def _of_native(event: Native) -> str:
    """Return the text of one of Anthropic's events, or of a whole message."""
    if event.name == "message":
        return text_of(event.data.get("content"))
    delta = event.data.get("delta")
    text = delta.get("text") if isinstance(delta, Mapping) else None
    return text if isinstance(text, str) else ""
