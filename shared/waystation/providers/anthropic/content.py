"""Translates what a message holds, a text or a list of typed parts, into content blocks.

Parts of types that OpenAI does not know (`document`, `search_result`, …) are the API's own, and
pass as they are, and so do members of a part that OpenAI does not name, `cache_control` above all.
Texts of nothing but blanks are left out, because the API refuses them. The `detail` of an image is
left out as well: the API sizes images itself.

Sources: https://platform.claude.com/docs/en/api/messages and
https://platform.openai.com/docs/api-reference/chat/create, 2026-11.
"""

import base64
from collections.abc import Callable, Mapping

from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.inexpressible import inexpressible
from waystation.wire.checks import object_at, text_in, without

Block = dict[str, object]

_PDF, _TEXT = "application/pdf", "text/plain"


def build_content(value: object, where: str) -> str | list[Block]:
    """Return what is said at `where`; a text stays as it is.

    Raises InvalidBodyError, naming the field.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        path = f"{where}.content"
        raise InvalidBodyError(f"{path} must be a string or a list of parts.", param=path)
    return [
        block
        for index, part in enumerate(value)
        for block in _blocks(part, f"{where}.content[{index}]")
    ]


def build_text_blocks(value: object, where: str) -> list[Block]:
    """Return instructions, which are text alone. Raises InvalidBodyError."""
    blocks = as_blocks(build_content(value, where))
    if isinstance(value, list):
        for index, part in enumerate(value):
            if part["type"] != "text":
                raise inexpressible(f"{where}.content[{index}].type")
    return blocks


def as_blocks(content: str | list[Block]) -> list[Block]:
    """Return a text as the block it stands for; one of blanks alone as none."""
    return text_blocks(content) if isinstance(content, str) else content


def text_blocks(text: str) -> list[Block]:
    return [{"type": "text", "text": text}] if text.strip() else []


def _blocks(value: object, where: str) -> list[Block]:
    part = object_at(value, where)
    kind = text_in(part, "type", where)
    build = _BUILDERS.get(kind)
    return [part] if build is None else build(part, where)


def _text(part: Block, where: str) -> list[Block]:
    return [part] if text_in(part, "text", where).strip() else []


def _refusal(part: Block, where: str) -> list[Block]:
    rest = without(part, "type", "refusal")
    return [{**block, **rest} for block in text_blocks(text_in(part, "refusal", where))]


def _image(part: Block, where: str) -> list[Block]:
    place, given = f"{where}.image_url", part.get("image_url")
    image = object_at({"url": given} if isinstance(given, str) else given, place)
    block = _of_url(text_in(image, "url", place), f"{place}.url", image_by_url=True)
    return [{**without(part, "image_url"), **block}]


def _file(part: Block, where: str) -> list[Block]:
    place = f"{where}.file"
    file = object_at(part.get("file"), place)
    if "file_id" in file:
        source = {"type": "file", "file_id": text_in(file, "file_id", place)}
        block: Block = {"type": "document", "source": source}
    else:
        data = text_in(file, "file_data", place)
        block = _of_url(data, f"{place}.file_data", image_by_url=False)
    if block["type"] == "document" and "filename" in file:
        block["title"] = text_in(file, "filename", place)
    return [{**without(part, "file"), **block}]


def _of_url(url: str, path: str, *, image_by_url: bool) -> Block:
    """Return the image or document that a URL is or points at."""
    scheme = url[:8].lower()
    if scheme.startswith(("https://", "http://")):
        kind = "image" if image_by_url else "document"
        return {"type": kind, "source": {"type": "url", "url": url}}
    if not scheme.startswith("data:"):
        raise inexpressible(path)
    head, comma, data = url[len("data:") :].partition(",")
    media_type, *options = head.lower().split(";")
    if not comma or "base64" not in options:
        raise InvalidBodyError(f"{path} is no data URL in base64.", param=path)
    if media_type == _TEXT:
        source = {"type": "text", "media_type": _TEXT, "data": _decoded(data, path)}
        return {"type": "document", "source": source}
    source = {"type": "base64", "media_type": media_type, "data": data}
    if media_type == _PDF:
        return {"type": "document", "source": source}
    if media_type.startswith("image/"):
        return {"type": "image", "source": source}
    raise inexpressible(path)


def _decoded(data: str, path: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode("utf-8")
    except ValueError:
        raise InvalidBodyError(f"{path} is no text in base64.", param=path) from None


def _impossible(part: Block, where: str) -> list[Block]:
    raise inexpressible(f"{where}.type")


_BUILDERS: Mapping[str, Callable[[Block, str], list[Block]]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "file": _file,
    "input_audio": _impossible,
}
