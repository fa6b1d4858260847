"""What messages hold, as blocks of the Converse API."""

from typing import Any

import pytest

from tests.support.converse_shaping import body_of, file, image, said, text, turns_of
from waystation.errors import InvalidBodyError

PNG = "data:image/png;base64,iVBO"
PDF = "data:application/pdf;base64,JVBERi0="
POINT = {"cachePoint": {"type": "default"}}
MARK = {"type": "ephemeral"}


def blocks_of(*parts: object) -> Any:
    ((role, blocks),) = turns_of(said(*parts))
    assert role == "user"
    return blocks


def document(name: str, form: str = "pdf", data: str = "JVBERi0=") -> dict[str, Any]:
    return {"document": {"format": form, "name": name, "source": {"bytes": data}}}


def media(kind: str, form: str, data: str = "iVBO") -> dict[str, Any]:
    return {kind: {"format": form, "source": {"bytes": data}}}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (text("Hi"), {"text": "Hi"}),
        ({"type": "refusal", "refusal": "No."}, {"text": "No."}),
        (image(PNG), media("image", "png")),
        (image("DATA:image/JPG;base64,iVBO"), media("image", "jpeg")),
        ({"type": "image_url", "image_url": PNG}, media("image", "png")),
        ({"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}, media("image", "png")),
        (file(PNG), media("image", "png")),
        (file("data:video/mp4;base64,iVBO"), media("video", "mp4")),
        (
            {"type": "input_audio", "input_audio": {"data": "iVBO", "format": "wav"}},
            media("audio", "wav"),
        ),
        (file(PDF), document("document")),
        (file("data:text/csv;charset=utf-8;base64,JVBERi0="), document("document", "csv")),
        (file(PDF, filename="a_b:  c(1).v2.pdf"), document("a-b- c(1)-v2")),
        (file(PDF, filename="...pdf"), document("document")),
        (file(PDF, filename=f"{'x' * 300}.pdf"), document("x" * 194)),
    ],
    ids=str,
)
def test_parts(part, block):
    assert blocks_of(part) == [block]


def test_documents_have_names_of_their_own():
    blocks = blocks_of(file(PDF), file(PDF, filename="A.pdf"), file(PDF), file(PDF, filename="A"))
    assert [block["document"]["name"] for block in blocks] == [
        "document",
        "A",
        "document (2)",
        "A (2)",
    ]


def test_documents_of_the_messages_api():
    of_text = {"type": "text", "media_type": "text/plain", "data": "é"}
    of_bytes = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    beside = {"context": "c", "citations": {"enabled": True}}
    assert blocks_of(
        {"type": "document", "source": of_text},
        {"type": "document", "source": of_bytes, "title": "T", **beside},
    ) == [
        document("document", "txt", "w6k="),
        {"document": document("T")["document"] | beside},
    ]


def test_blank_texts_are_left_out_with_their_marks():
    assert blocks_of(text(" \n"), text("", cache_control=MARK), text("Hi")) == [{"text": "Hi"}]


def test_marks_become_cache_points_behind_their_parts():
    assert blocks_of(
        text("a", cache_control=MARK),
        image(PNG, cache_control=MARK | {"ttl": "1h"}),
        text("b"),
    ) == [
        {"text": "a"},
        POINT,
        media("image", "png"),
        {"cachePoint": {"type": "default", "ttl": "1h"}},
        {"text": "b"},
    ]


PLACE = "messages[0].content[0]"


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ("text", PLACE),
        ({"text": "Hi"}, f"{PLACE}.type"),
        ({"type": "video_url"}, f"{PLACE}.type"),
        ({"type": "json", "json": {}}, f"{PLACE}.type"),
        ({"type": "text", "text": 1}, f"{PLACE}.text"),
        (text("a", citations=[]), f"{PLACE}.citations"),
        (text("a", cache_control="x"), f"{PLACE}.cache_control"),
        (text("a", cache_control={"ttl": "2h"}), f"{PLACE}.cache_control.ttl"),
        (image("https://a.test/i.png"), f"{PLACE}.image_url.url"),
        (image("s3://bucket/i.png"), f"{PLACE}.image_url.url"),
        (image("data:image/svg+xml;base64,iVBO"), f"{PLACE}.image_url.url"),
        (image("data:image/png,iVBO"), f"{PLACE}.image_url.url"),
        (image("data:image/png;base64,"), f"{PLACE}.image_url.url"),
        (image("data:image/png;base64,i!"), f"{PLACE}.image_url.url"),
        (file("data:application/zip;base64,iVBO"), f"{PLACE}.file.file_data"),
        ({"type": "file", "file": {"file_id": "f"}}, f"{PLACE}.file.file_id"),
        (
            {"type": "input_audio", "input_audio": {"data": "iVBO", "format": "x"}},
            f"{PLACE}.input_audio.format",
        ),
        (
            {"type": "document", "source": {"type": "url", "data": "x"}},
            f"{PLACE}.source.type",
        ),
        (
            {"type": "document", "source": {"type": "text", "data": "x", "media_type": "a/b"}},
            f"{PLACE}.source.media_type",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_expressed_is_named(part, param):
    with pytest.raises(InvalidBodyError) as caught:
        body_of(messages=[{"role": "user", "content": [part]}])
    assert caught.value.param == param


def test_content_is_a_text_or_a_list():
    with pytest.raises(InvalidBodyError) as caught:
        body_of(messages=[{"role": "user", "content": {"type": "text"}}])
    assert caught.value.param == "messages[0].content"
