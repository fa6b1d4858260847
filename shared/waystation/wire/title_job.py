"""The event by which the chat function asks the title function for a title.

    {"waystation": "title", "version": 1, "request_id": "…-title", "endpoint": "Mistral",
     "model": "mistral-small", "input": "…", "output": "…", "conversation": {"conversationId": "…"},
     "user_id": "…", "user": {"email": "…"}, "key_id": "…", "created_at_ms": 1767225600000}

An event of API Gateway has none of these keys at its top, whatever a client sends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MAX_TEXT_LENGTH = 8000

_MARK, _VERSION = "title", 1
_TEXTS = ("request_id", "endpoint", "model", "input", "output", "user_id", "key_id")


@dataclass(frozen=True, slots=True)
class TitleJob:
    """A title to be made. `endpoint` and `model` are those of the chat; texts are bounded.

    `user` holds LibreChat's fields without the id, `conversation` the ids of the chat's body.
    """

    request_id: str
    endpoint: str
    model: str
    input: str = field(repr=False)
    output: str = field(repr=False)
    conversation: Mapping[str, str]
    user_id: str
    user: Mapping[str, str] = field(repr=False)
    key_id: str
    created_at_ms: int

    def with_output(self, text: str) -> "TitleJob":
        """Return the job with what was answered."""
        return replace(self, output=text)

    def to_event(self) -> dict[str, object]:
        """Return the event, as JSON."""
        return {
            "waystation": _MARK,
            "version": _VERSION,
            **{name: getattr(self, name) for name in _TEXTS},
            "conversation": dict(self.conversation),
            "user": dict(self.user),
            "created_at_ms": self.created_at_ms,
        }


def is_title_job(event: object) -> bool:
    """Tell whether an event asks for a title."""
    return isinstance(event, Mapping) and event.get("waystation") == _MARK


def parse_title_job(event: Mapping[str, object]) -> TitleJob:
    """Read the event. Raises ValueError, naming what is wrong."""
    if event.get("version") != _VERSION:
        raise ValueError("this version of a title job is not known")
    texts = {name: event.get(name) for name in _TEXTS}
    maps = {name: event.get(name) for name in ("conversation", "user")}
    wrong = [name for name, text in texts.items() if not isinstance(text, str)]
    wrong += [name for name, value in maps.items() if not _holds_texts(value)]
    conversation = maps["conversation"]
    if isinstance(conversation, Mapping) and not conversation.get("conversationId"):
        wrong.append("conversationId")
    created_at_ms = event.get("created_at_ms")
    if type(created_at_ms) is not int:
        wrong.append("created_at_ms")
    if wrong:
        raise ValueError(f"a title job has no usable {', '.join(wrong)}")
    return TitleJob(**texts, **maps, created_at_ms=created_at_ms)  # type: ignore[arg-type]


def _holds_texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(part, str) for item in value.items() for part in item
    )
