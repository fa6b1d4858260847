"""Parts of a message as content blocks."""

import base64

import pytest

from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.content import build_content

MARK = {"type": "ephemeral"}
PDF = "data:application/pdf;base64,JVBERi0="


def image(url: object, **more: object) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}, **more}


def file(**members: object) -> dict[str, object]:
    return {"type": "file", "file": members}


def base64_source(kind: str, data: str) -> dict[str, object]:
    return {"type": "base64", "media_type": kind, "data": data}


PARTS = {
    "text": ({"type": "text", "text": "a", "cache_control": MARK}, "same"),
    "an image by data": (
        image("data:image/png;base64,iVBO", cache_control=MARK),
        {"type": "image", "source": base64_source("image/png", "iVBO"), "cache_control": MARK},
    ),
    "an image by data, in other letters": (
        image("DATA:image/JPEG;charset=x;Base64,/9j/"),
        {"type": "image", "source": base64_source("image/jpeg", "/9j/")},
    ),
    "an image by URL": (
        image("https://a.test/i.png"),
        {"type": "image", "source": {"type": "url", "url": "https://a.test/i.png"}},
    ),
    "an image with a detail": (
        {"type": "image_url", "image_url": {"url": "http://a.test/i", "detail": "low"}},
        {"type": "image", "source": {"type": "url", "url": "http://a.test/i"}},
    ),
    "an image as a bare URL": (
        {"type": "image_url", "image_url": "http://a.test/i"},
        {"type": "image", "source": {"type": "url", "url": "http://a.test/i"}},
    ),
    "a document where an image belongs": (
        image(PDF),
        {"type": "document", "source": base64_source("application/pdf", "JVBERi0=")},
    ),
    "a document": (
        file(file_data=PDF, filename="a.pdf"),
        {
            "type": "document",
            "source": base64_source("application/pdf", "JVBERi0="),
            "title": "a.pdf",
        },
    ),
    "an image as a file": (
        file(file_data="data:image/gif;base64,R0lG", filename="a.gif"),
        {"type": "image", "source": base64_source("image/gif", "R0lG")},
    ),
    "a text": (
        file(file_data="data:text/plain;base64," + base64.b64encode("Zoë".encode()).decode()),
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Zoë"},
        },
    ),
    "a document by URL": (
        file(file_data="https://a.test/a.pdf"),
        {"type": "document", "source": {"type": "url", "url": "https://a.test/a.pdf"}},
    ),
    "an uploaded file": (
        file(file_id="file_1"),
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
    ),
    "a block of the API's own": ({"type": "search_result", "source": "s", "content": []}, "same"),
}


@pytest.mark.parametrize(("part", "block"), PARTS.values(), ids=PARTS)
def test_parts(part, block):
    assert build_content([part], "m") == [part if block == "same" else block]


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_blank_texts_are_left_out(blank):
    parts = [{"type": "text", "text": blank}, {"type": "refusal", "refusal": blank}]
    assert build_content(parts, "m") == []


WRONG = {
    "no part": ("a", "m.content[0]"),
    "no type": ({"text": "a"}, "m.content[0].type"),
    "no text": ({"type": "text"}, "m.content[0].text"),
    "sound": ({"type": "input_audio", "input_audio": {}}, "m.content[0].type"),
    "no image": ({"type": "image_url"}, "m.content[0].image_url"),
    "an image without a URL": (image(None), "m.content[0].image_url.url"),
    "a storage URL": (image("gs://bucket/i"), "m.content[0].image_url.url"),
    "data without base64": (image("data:image/png,abc"), "m.content[0].image_url.url"),
    "data without data": (image("data:image/png;base64"), "m.content[0].image_url.url"),
    "a film": (image("data:video/mp4;base64,AAAA"), "m.content[0].image_url.url"),
    "no file": ({"type": "file"}, "m.content[0].file"),
    "an empty file": (file(), "m.content[0].file.file_data"),
    "a file that is no URL": (file(file_data="JVBERi0="), "m.content[0].file.file_data"),
    "a text that is no base64": (
        file(file_data="data:text/plain;base64,?"),
        "m.content[0].file.file_data",
    ),
    "a text that is no UTF-8": (
        file(file_data="data:text/plain;base64,/w=="),
        "m.content[0].file.file_data",
    ),
    "an id that is no text": (file(file_id=5), "m.content[0].file.file_id"),
    "a name that is no text": (file(file_data=PDF, filename=5), "m.content[0].file.filename"),
}


@pytest.mark.parametrize(("part", "param"), WRONG.values(), ids=WRONG)
def test_wrong_parts_are_named(part, param):
    with pytest.raises(InvalidBodyError) as caught:
        build_content([part], "m")
    assert caught.value.param == param
