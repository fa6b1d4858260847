"""Finds the title in the answer of a model."""

import json
import re
from collections.abc import Mapping

from waystation.errors import UpstreamInvalidResponseError

_FENCE = re.compile(r"```(?:json)?(.*?)(?:```|\Z)", re.DOTALL)
_NO_JSON = "The upstream's answer is not the JSON that a structured title is."


def read_title(body: Mapping[str, object], *, is_structured: bool) -> str:
    """Return the title as it was said, by a chat completion.

    A structured one is the member `title` of the first tool call or of the text, which is JSON.

    Raises UpstreamInvalidResponseError.
    """
    message = _message(body)
    if not is_structured:
        return _text(message).strip()
    calls = message.get("tool_calls")
    document = (
        _arguments(calls[0]) if isinstance(calls, list) and calls else _fenced(_text(message))
    )
    try:
        value = json.loads(document)
    except (ValueError, RecursionError):
        raise UpstreamInvalidResponseError(_NO_JSON) from None
    if not isinstance(value, dict):
        raise UpstreamInvalidResponseError(_NO_JSON)
    title = value.get("title")
    return title if isinstance(title, str) else ""


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


def _fenced(text: str) -> str:
    """Return what is in the first code fence, or the text without one."""
    fence = _FENCE.search(text)
    return fence[1] if fence else text
