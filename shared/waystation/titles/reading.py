"""Finds the title in the answer of a model."""

import re
from collections.abc import Iterator, Mapping

from waystation.errors import UpstreamInvalidResponseError
from waystation.titles.cleaning import without_reasoning
from waystation.wire.json_reader import read_json_lenient

_FENCE = re.compile(r"```(?:json)?(.*?)(?:```|\Z)", re.DOTALL)
_NO_JSON = "The upstream's answer is not the JSON that a structured title is."


def read_title(body: Mapping[str, object], *, is_structured: bool) -> str:
    """Return the title as it was said, by a chat completion.

    A structured one is the member `title` of the first tool call or of the text, which is JSON, as
    it is or in a code fence, after reasoning if the model tells it there.

    Raises UpstreamInvalidResponseError.
    """
    message = _message(body)
    if not is_structured:
        return _text(message).strip()
    for document in _documents(message):
        if (members := _members(document)) is not None:
            title = members.get("title")
            return title if isinstance(title, str) else ""
    raise UpstreamInvalidResponseError(_NO_JSON)


def _documents(message: Mapping[str, object]) -> Iterator[str]:
    """Yield what may be the JSON, the likeliest first."""
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        yield _arguments(calls[0])
        return
    text = without_reasoning(_text(message))
    yield text
    if fence := _FENCE.search(text):
        yield fence[1]


def _message(body: Mapping[str, object]) -> Mapping[str, object]:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    if not isinstance(message, Mapping):
        raise UpstreamInvalidResponseError("The upstream's answer has no message.")
    return message


def _text(message: Mapping[str, object]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
    return "".join(text for text in texts if isinstance(text, str))


def _arguments(call: object) -> str:
    function = call.get("function") if isinstance(call, Mapping) else None
    arguments = function.get("arguments") if isinstance(function, Mapping) else None
    return arguments if isinstance(arguments, str) else ""


def _members(document: str) -> Mapping[str, object] | None:
    try:
        value = read_json_lenient(document.strip().encode(errors="replace"))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
