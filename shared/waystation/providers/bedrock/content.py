"""Translates what a message holds, a text or a list of typed parts, into content blocks.

Images and files come as data URLs; the API takes their bytes, written here in base64. What a URL
points at is not fetched. Texts of nothing but blanks are left out, because models refuse them. The
`detail` of an image is left out as well: models size images themselves.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html,
2026-11.
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from waystation.errors import InvalidBodyError
from waystation.providers.bedrock.inexpressible import inexpressible, refuse_others
from waystation.providers.bedrock.media import (
    AUDIO_FORMATS,
    DOCUMENT_FORMATS,
    IMAGE_FORMATS,
    VIDEO_FORMATS,
)
from waystation.wire.checks import object_at, text_in

Block: TypeAlias = dict[str, object]
_Builders: TypeAlias = Mapping[str, Callable[[Block, str], list[Block]]]

MAX_NAME_LENGTH = 200
_TTLS = ("5m", "1h")
_IN_RESULTS_ALONE, _NOT_IN_RESULTS = ("json",), ("input_audio",)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9 ()\[\]-]+")
_BLANKS = re.compile(r" {2,}")
_DATA_URL = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),", re.IGNORECASE)


class ContentBuilder:
    """Builds the blocks of one conversation, in which every document has a name of its own."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._builders: _Builders = {
            "text": _text,
            "refusal": _refusal,
            "json": _json,
            "image_url": _image,
            "input_audio": _audio,
            "file": self._file,
            "document": self._document,
        }

    def build(self, value: object, where: str, *, is_result: bool = False) -> list[Block]:
        """Return what is said at `where`, a `cachePoint` behind each part that has a mark.

        `is_result` tells that a tool said it. Raises InvalidBodyError, naming the field.
        """
        if isinstance(value, str):
            return text_blocks(value)
        if not isinstance(value, list):
            path = f"{where}.content"
            raise InvalidBodyError(f"{path} must be a string or a list of parts.", param=path)
        return [
            block
            for index, part in enumerate(value)
            for block in self._blocks(part, f"{where}.content[{index}]", is_result=is_result)
        ]

    def _blocks(self, value: object, where: str, *, is_result: bool) -> list[Block]:
        part = object_at(value, where)
        kind = text_in(part, "type", where)
        build = self._builders.get(kind)
        if build is None or kind in (_NOT_IN_RESULTS if is_result else _IN_RESULTS_ALONE):
            raise inexpressible(f"{where}.type")
        mark = cache_points(part.pop("cache_control", None), where)
        blocks = build(part, where)
        return blocks + mark if blocks else []

    def _file(self, part: Block, where: str) -> list[Block]:
        refuse_others(part, {"type", "file"}, where)
        place = f"{where}.file"
        file = object_at(part.get("file"), place)
        refuse_others(file, {"file_data", "filename", "format"}, place)
        media_type, data = _read_data_url(text_in(file, "file_data", place), f"{place}.file_data")
        if media_type in IMAGE_FORMATS:
            return [_media("image", IMAGE_FORMATS[media_type], data)]
        if media_type in VIDEO_FORMATS:
            return [_media("video", VIDEO_FORMATS[media_type], data)]
        document = self._named(media_type, data, file.get("filename"), f"{place}.file_data")
        return [{"document": document}]

    def _document(self, part: Block, where: str) -> list[Block]:
        """Translate a document of the Messages API."""
        refuse_others(part, {"type", "source", "title", "context", "citations"}, where)
        place = f"{where}.source"
        source = object_at(part.get("source"), place)
        data, kind = text_in(source, "data", place), source.get("type")
        if kind == "text":
            data = base64.b64encode(data.encode()).decode()
        elif kind != "base64":
            raise inexpressible(f"{place}.type")
        _check_base64(data, f"{place}.data")
        media_type = text_in(source, "media_type", place)
        document = self._named(media_type, data, part.get("title"), f"{place}.media_type")
        beside = {name: part[name] for name in ("context", "citations") if name in part}
        return [{"document": document | beside}]

    def _named(self, media_type: str, data: str, title: object, path: str) -> Block:
        if media_type not in DOCUMENT_FORMATS:
            raise inexpressible(path)
        name = self._free_name(title if isinstance(title, str) else "")
        return {"format": DOCUMENT_FORMATS[media_type], "name": name, "source": {"bytes": data}}

    def _free_name(self, title: str) -> str:
        """Return a name in the letters that the API allows, numbered if it is taken."""
        stem = title.rpartition(".")[0] or title
        cleaned = _BLANKS.sub(" ", _NOT_IN_NAMES.sub("-", stem)).strip(" -")[: MAX_NAME_LENGTH - 6]
        name = base = cleaned or "document"
        number = 1
        while name in self._names:
            number += 1
            name = f"{base} ({number})"
        self._names.add(name)
        return name


def text_blocks(text: str) -> list[Block]:
    return [{"text": text}] if text.strip() else []


def cache_points(mark: object, where: str) -> list[Block]:
    """Return the block that a `cache_control` stands for, none without one.

    Raises InvalidBodyError.
    """
    if mark is None:
        return []
    ttl = object_at(mark, f"{where}.cache_control").get("ttl")
    if ttl is not None and ttl not in _TTLS:
        raise inexpressible(f"{where}.cache_control.ttl")
    return [cache_point(ttl)]


def cache_point(ttl: object = None) -> Block:
    return {"cachePoint": {"type": "default"} | ({"ttl": ttl} if ttl else {})}


def _text(part: Block, where: str) -> list[Block]:
    refuse_others(part, {"type", "text"}, where)
    return text_blocks(text_in(part, "text", where))


def _refusal(part: Block, where: str) -> list[Block]:
    refuse_others(part, {"type", "refusal"}, where)
    return text_blocks(text_in(part, "refusal", where))


def _json(part: Block, where: str) -> list[Block]:
    refuse_others(part, {"type", "json"}, where)
    return [{"json": object_at(part.get("json"), f"{where}.json")}]


def _image(part: Block, where: str) -> list[Block]:
    refuse_others(part, {"type", "image_url"}, where)
    place, given = f"{where}.image_url", part.get("image_url")
    image = object_at({"url": given} if isinstance(given, str) else given, place)
    refuse_others(image, {"url", "detail", "format"}, place)
    media_type, data = _read_data_url(text_in(image, "url", place), f"{place}.url")
    if media_type not in IMAGE_FORMATS:
        raise inexpressible(f"{place}.url")
    return [_media("image", IMAGE_FORMATS[media_type], data)]


def _audio(part: Block, where: str) -> list[Block]:
    refuse_others(part, {"type", "input_audio"}, where)
    place = f"{where}.input_audio"
    audio = object_at(part.get("input_audio"), place)
    data, kind = text_in(audio, "data", place), text_in(audio, "format", place)
    if kind not in AUDIO_FORMATS:
        raise inexpressible(f"{place}.format")
    _check_base64(data, f"{place}.data")
    return [_media("audio", kind, data)]


def _media(kind: str, form: str, data: str) -> Block:
    return {kind: {"format": form, "source": {"bytes": data}}}


def _read_data_url(url: str, path: str) -> tuple[str, str]:
    """Return media type and base64 of a data URL. Raises InvalidBodyError."""
    match = _DATA_URL.match(url)
    if match is None:
        raise inexpressible(path)
    if ";base64" not in match[2].lower():
        raise InvalidBodyError(f"{path} is no data URL in base64.", param=path)
    data = url[match.end() :]
    _check_base64(data, path)
    return match[1].lower(), data


def _check_base64(data: str, path: str) -> None:
    try:
        has_bytes = bool(base64.b64decode(data, validate=True))
    except ValueError:
        has_bytes = False
    if not has_bytes:
        raise InvalidBodyError(f"{path} is not base64.", param=path)
