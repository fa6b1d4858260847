"""Reads the pieces that answers of several APIs are made of, and tells them as a chat does.

Whatever is not shaped as it must be is refused, and none of it is shown.
"""

import json
from collections.abc import Mapping

from waystation.errors import UpstreamInvalidResponseError
from waystation.wire.json_reader import read_json_lenient

Piece = dict[str, object]

MAX_CALLS = 128
SEPARATOR = "\n\n"  # between blocks of thinking
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def not_a_message() -> UpstreamInvalidResponseError:
    return UpstreamInvalidResponseError("The upstream's answer is not a message.")


def read_document(body: bytes) -> Piece:
    """Read a JSON object. Raises UpstreamInvalidResponseError if it is none."""
    try:
        document = read_json_lenient(body)
    except ValueError:
        raise not_a_message() from None
    if not isinstance(document, dict):
        raise not_a_message()
    return document


def object_of(value: object) -> Piece:
    """Return an object, empty where there is none. Raises UpstreamInvalidResponseError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise not_a_message()
    return value


def objects_of(value: object) -> list[Piece]:
    """Return a list of objects, empty where there is none. Raises UpstreamInvalidResponseError."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(member, dict) for member in value):
        raise not_a_message()
    return value


def text_of(value: object) -> str:
    """Return a text, empty where there is none. Raises UpstreamInvalidResponseError."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise not_a_message()
    return value


def arguments_of(block: Mapping[str, object]) -> str:
    """Return the input of a tool as JSON text."""
    return _encode(object_of(block.get("input")))


def citation(note: Mapping[str, object], start: int, end: int) -> Piece:
    """Return a citation as an annotation of the characters from `start` to `end`.

    One with a URL becomes a `url_citation`; others keep their type.
    """
    kind = text_of(note.get("type")) or "citation"
    told: Piece = {name: value for name, value in note.items() if name != "type"}
    url = text_of(note.get("url"))
    if not url and text_of(note.get("source")).startswith(("http://", "https://")):
        url = text_of(note.get("source"))
    if url:
        kind = "url_citation"
        told |= {"url": url, "title": text_of(note.get("title")) or url}
    return {"type": kind, kind: {"start_index": start, "end_index": end, **told}}


def finish_reason(reason: str, known: Mapping[str, str], *, has_calls: bool) -> str:
    """Return why an answer ended; a reason that is not known is an end like any other."""
    return known.get(reason, "tool_calls" if has_calls and not reason else "stop")
