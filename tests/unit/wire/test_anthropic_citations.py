"""Citations of a chat's answer, as those of a message."""

import pytest

from waystation.wire.anthropic_citations import citation_of

PLACE = {"start_index": 0, "end_index": 5}


def annotation(kind: str, **fields: object) -> dict[str, object]:
    return {"type": kind, kind: {**PLACE, **fields}}


CITED = {
    "a page": (
        annotation("url_citation", url="https://a.test"),
        {
            "type": "web_search_result_location",
            "url": "https://a.test",
            "title": None,
            "cited_text": "",
            "encrypted_index": "",
        },
    ),
    "a page that the API found": (
        annotation(
            "url_citation", url="https://a.test", title="A", cited_text="a", encrypted_index="e"
        ),
        {
            "type": "web_search_result_location",
            "url": "https://a.test",
            "title": "A",
            "cited_text": "a",
            "encrypted_index": "e",
        },
    ),
    "a search result": (
        annotation(
            "url_citation",
            url="https://a.test",
            title="A",
            source="https://a.test",
            search_result_index=0,
        ),
        {
            "type": "search_result_location",
            "title": "A",
            "source": "https://a.test",
            "search_result_index": 0,
        },
    ),
    "a document": (
        annotation("char_location", cited_text="a", document_index=0),
        {"type": "char_location", "cited_text": "a", "document_index": 0},
    ),
    "another kind": (annotation("file_citation", file_id="f"), None),
    "no kind": ({"type": 5}, None),
    "nothing": ({"type": "url_citation"}, None),
}


@pytest.mark.parametrize(("given", "expected"), CITED.values(), ids=CITED)
def test_citation(given, expected):
    assert citation_of(given) == expected
