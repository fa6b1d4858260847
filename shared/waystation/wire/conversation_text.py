"""The text of messages and answers, as far as a reader sees it."""

from collections.abc import Iterable, Mapping

_TEXT_PARTS = ("text", "input_text", "output_text")  # compared: a type may be no text
_KINDS = {"image_url": "image", "image": "image", "input_audio": "audio", "file": "file"}


def text_of(content: object) -> str:
    """Return the text of a message's content, its parts on lines of their own."""
    if isinstance(content, str):
        return content
    return "\n".join(text for part in _parts(content) if (text := _text(part)))


def first_exchange(messages: Iterable[Mapping[str, object]]) -> tuple[str, str]:
    """Return the first text of a user, and what was answered to it; empty where there is none.

    A message of files alone is told by their names, or by what they are. An answer that only calls
    tools is none.
    """
    said = ""
    for message in messages:
        role, content = message.get("role"), message.get("content")
        if role == "user" and not said:
            said = shown(content)
        elif said and role == "assistant" and (answer := text_of(content)):
            return said, answer
    return said, ""


def shown(content: object) -> str:
    """Return the text of a message, or in its place the names of its files."""
    return text_of(content) or ", ".join(filter(None, map(_file_name, _parts(content))))


def _parts(content: object) -> list[Mapping[str, object]]:
    parts = content if isinstance(content, list) else []
    return [part for part in parts if isinstance(part, Mapping)]


def _text(part: Mapping[str, object]) -> str:
    text = part.get("text") if part.get("type") in _TEXT_PARTS else None
    return text if isinstance(text, str) else ""


def _file_name(part: Mapping[str, object]) -> str:
    kind = part.get("type")
    file = part.get("file")
    name = file.get("filename") if isinstance(file, Mapping) else None
    if isinstance(name, str) and name:
        return name
    return _KINDS.get(kind, "") if isinstance(kind, str) else ""
