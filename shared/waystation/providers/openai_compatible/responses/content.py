"""Translates the content of messages: a text, or a list of typed parts.

The API takes text, images and files; it takes no audio. Members of a part that neither API names
pass as they are. Source: https://developers.openai.com/api/reference/resources/responses, 2026-11.
"""

from collections.abc import Callable, Mapping

from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible.responses.shapes import inexpressible
from waystation.wire.checks import object_at, text_in, without

Part = dict[str, object]


def build_content(value: object, where: str) -> str | list[Part]:
    """Return what a user, a developer or a tool says; a text stays as it is.

    Raises InvalidBodyError; `where` is the path of the message.
    """
    return value if isinstance(value, str) else _parts(value, where, _INPUT)


def build_output_parts(value: object, where: str) -> list[Part]:
    """Return the list of parts that an assistant said. Raises InvalidBodyError."""
    return _parts(value, where, _OUTPUT)


def output_text(text: str) -> Part:
    return {"type": "output_text", "text": text, "annotations": []}


def refusal(text: str) -> Part:
    return {"type": "refusal", "refusal": text}


def joined_text(parts: list[Part]) -> str | None:
    """Return the parts as one text, or None if they are more than plain text."""
    texts = [part["text"] for part in parts if part.keys() == {"type", "text"}]
    return "".join(map(str, texts)) if len(texts) == len(parts) else None


def _parts(
    value: object, where: str, builders: Mapping[str, Callable[[Part, str], Part]]
) -> list[Part]:
    if not isinstance(value, list):
        raise InvalidBodyError(
            f"{where}.content must be a string or a list of parts.", param=f"{where}.content"
        )
    parts = []
    for index, member in enumerate(value):
        place = f"{where}.content[{index}]"
        part = object_at(member, place)
        kind = part.get("type")
        if not isinstance(kind, str) or kind not in builders:
            raise inexpressible(f"{place}.type")
        parts.append(builders[kind](part, place))
    return parts


def _input_text(part: Part, where: str) -> Part:
    return {**part, "type": "input_text", "text": text_in(part, "text", where)}


def _input_image(part: Part, where: str) -> Part:
    place = f"{where}.image_url"
    given = part.get("image_url")
    image = object_at({"url": given} if isinstance(given, str) else given, place)
    url = text_in(image, "url", place)
    beside = {**without(part, "image_url"), "detail": "auto", **without(image, "url")}
    return {**beside, "type": "input_image", "image_url": url}


def _input_file(part: Part, where: str) -> Part:
    file = object_at(part.get("file"), f"{where}.file")
    return {**without(part, "file"), **file, "type": "input_file"}


def _output_text(part: Part, where: str) -> Part:
    return {**part, **output_text(text_in(part, "text", where))}


def _refusal(part: Part, where: str) -> Part:
    return {**part, **refusal(text_in(part, "refusal", where))}


_INPUT = {"text": _input_text, "image_url": _input_image, "file": _input_file}
_OUTPUT = {"text": _output_text, "refusal": _refusal}
