"""The body of POST /v1/titles, checked: a whole conversation, or its first two texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.errors import InvalidBodyError
from waystation.wire.chat_request import check_messages, present_fields, take_routing
from waystation.wire.conversation_text import first_exchange


@dataclass(frozen=True, slots=True)
class TitleBody:
    """`input` is what a user has said, `output` what was answered, or empty."""

    model: str
    endpoint: str | None
    input: str = field(repr=False)
    output: str = field(repr=False)
    conversation: Mapping[str, str]


def parse_title_body(body: object) -> TitleBody:
    """Check the shape of a body. Raises InvalidBodyError, naming the field."""
    fields = present_fields(body)
    routing = take_routing(fields)
    given = [name for name in ("input", "output") if name in fields]
    if "messages" in fields:
        if given:
            raise InvalidBodyError(f"Give messages or {given[0]}, not both.", param=given[0])
        texts = first_exchange(check_messages(fields["messages"]))
    elif "input" not in fields:
        raise InvalidBodyError("Give messages, or input and output.", param="messages")
    else:
        texts = _text(fields["input"], "input"), _text(fields.get("output", ""), "output")
    return TitleBody(routing.model, routing.endpoint, *texts, conversation=routing.conversation)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidBodyError(f"{name} must be a string.", param=name)
    return value
