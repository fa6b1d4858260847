"""The blocks of a Messages request, as the parts of a chat's message.

Blocks that a chat has no part for pass as they are. So do members that a part has no place for,
`cache_control` above all.

Sources: https://platform.claude.com/docs/en/api/messages and
https://platform.openai.com/docs/api-reference/chat/create, 2026-11.
"""

from collections.abc import Callable, Mapping

from waystation.errors import InvalidBodyError
from waystation.wire.checks import object_at, text_in, without

Block = dict[str, object]

_UNTITLED = "document.pdf"  # upstreams ask for a name


def read_parts(value: object, where: str) -> list[Block]:
    """Return a text, or a list of blocks, as parts; every one has a `type`.

    Raises InvalidBodyError, naming the field.
    """
    return [part for part, _ in read_placed_parts(value, where)]


def read_placed_parts(value: object, where: str) -> list[tuple[Block, str]]:
    """Return the parts, each with the place of the block that it was. Raises InvalidBodyError."""
    if isinstance(value, str):
        return [({"type": "text", "text": value}, where)]
    if not isinstance(value, list):
        raise InvalidBodyError(f"{where} must be a string or a list of blocks.", param=where)
    places = [f"{where}[{index}]" for index in range(len(value))]
    return [
        (part, place)
        for block, place in zip(value, places, strict=True)
        for part in _parts(block, place)
    ]


def _parts(value: object, where: str) -> list[Block]:
    block = object_at(value, where)
    build = _BUILDERS.get(text_in(block, "type", where))
    return [block] if build is None else build(block, where)


def _text(block: Block, where: str) -> list[Block]:
    text_in(block, "text", where)
    return [block]


def _image(block: Block, where: str) -> list[Block]:
    place = f"{where}.source"
    source = object_at(block.get("source"), place)
    url = _url_of(source, place)
    if url is None:
        return [block]
    return [{**without(block, "source"), "type": "image_url", "image_url": {"url": url}}]


def _document(block: Block, where: str) -> list[Block]:
    """Return a file; of a document that is text, the text, after its title and context."""
    place = f"{where}.source"
    source = object_at(block.get("source"), place)
    kind = text_in(source, "type", place)
    heading = [text_in(block, name, where) for name in ("title", "context") if block.get(name)]
    rest = without(block, "source", "title", "context")
    if kind == "text":
        text = "\n\n".join([*heading, text_in(source, "data", place)])
        return [{**rest, "type": "text", "text": text}]
    if kind == "content":
        inner = read_parts(source.get("content"), f"{place}.content")
        parts: list[Block] = [{"type": "text", "text": text} for text in heading]
        return [*parts, *inner[:-1], *({**rest, **part} for part in inner[-1:])]
    if kind == "file":
        file = {"file_id": text_in(source, "file_id", place)}
    elif (url := _url_of(source, place)) is not None:
        file = {"filename": str(block.get("title") or _UNTITLED), "file_data": url}
    else:
        return [block]
    context = {"context": block["context"]} if block.get("context") else {}
    return [{**rest, **context, "type": "file", "file": file}]


def _url_of(source: Block, where: str) -> str | None:
    """Return a source as a URL, None for one that has none."""
    kind = text_in(source, "type", where)
    if kind == "url":
        return text_in(source, "url", where)
    if kind == "base64":
        media_type, data = text_in(source, "media_type", where), text_in(source, "data", where)
        return f"data:{media_type};base64,{data}"
    return None


_BUILDERS: Mapping[str, Callable[[Block, str], list[Block]]] = {
    "text": _text,
    "image": _image,
    "document": _document,
}
