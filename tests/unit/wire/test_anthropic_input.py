"""The conversation of a Messages request, as the messages of a chat."""

import json
from typing import Any

import pytest

from waystation.errors import InvalidBodyError
from waystation.wire.anthropic_input import read_messages, read_system

MARK = {"type": "ephemeral"}
TEXT = {"type": "text", "text": "Hi"}


def read(role: str, content: object, **fields: object) -> list[dict[str, Any]]:
    return read_messages([{"role": role, "content": content, **fields}])


def image(**source: object) -> dict[str, object]:
    return {"type": "image", "source": source}


def document(source: Any, **fields: object) -> dict[str, object]:
    return {"type": "document", "source": source, **fields}


SYSTEM = {
    "none": (None, []),
    "empty": ("", []),
    "no blocks": ([], []),
    "text": ("Hi", ["Hi"]),
    "blocks": ([TEXT, {"type": "text", "text": "there", "citations": None}], ["Hi\n\nthere"]),
    "marked": ([TEXT, {**TEXT, "cache_control": MARK}], [[TEXT, {**TEXT, "cache_control": MARK}]]),
}


@pytest.mark.parametrize(("value", "contents"), SYSTEM.values(), ids=SYSTEM)
def test_instructions_are_a_message(value, contents):
    assert read_system(value) == [{"role": "system", "content": one} for one in contents]


PDF = {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}
PDF_URL = "data:application/pdf;base64,QUJD"
PLAIN = {"type": "text", "media_type": "text/plain", "data": "abc"}
PARTS = {
    "text": ([TEXT], "Hi"),
    "texts": ([TEXT, TEXT], [TEXT, TEXT]),
    "marked text": ([{**TEXT, "cache_control": MARK}], [{**TEXT, "cache_control": MARK}]),
    "nothing": ([], ""),
    "image": (
        [image(type="base64", media_type="image/png", data="QUJD") | {"cache_control": MARK}],
        [
            {
                "type": "image_url",
                "image_url": {"url": "data:image/png;base64,QUJD"},
                "cache_control": MARK,
            }
        ],
    ),
    "image by URL": (
        [image(type="url", url="https://a.test/b.png")],
        [{"type": "image_url", "image_url": {"url": "https://a.test/b.png"}}],
    ),
    "image by id": ([image(type="file", file_id="f")], [image(type="file", file_id="f")]),
    "document": (
        [document(PDF, title="A.pdf", context="old", citations={"enabled": True})],
        [
            {
                "type": "file",
                "file": {"filename": "A.pdf", "file_data": PDF_URL},
                "context": "old",
                "citations": {"enabled": True},
            }
        ],
    ),
    "document without a title": (
        [document(PDF)],
        [{"type": "file", "file": {"filename": "document.pdf", "file_data": PDF_URL}}],
    ),
    "document by URL": (
        [document({"type": "url", "url": "https://a.test/b.pdf"}, title="B")],
        [{"type": "file", "file": {"filename": "B", "file_data": "https://a.test/b.pdf"}}],
    ),
    "document by id": (
        [document({"type": "file", "file_id": "f"})],
        [{"type": "file", "file": {"file_id": "f"}}],
    ),
    "document of text": ([document(PLAIN)], "abc"),
    "document of text with a heading": (
        [document(PLAIN, title="A", context="B", cache_control=MARK)],
        [{"type": "text", "text": "A\n\nB\n\nabc", "cache_control": MARK}],
    ),
    "document of blocks": (
        [
            document(
                {"type": "content", "content": [TEXT, image(type="url", url="https://a.test")]},
                title="A",
                cache_control=MARK,
            )
        ],
        [
            {"type": "text", "text": "A"},
            TEXT,
            {
                "cache_control": MARK,
                "type": "image_url",
                "image_url": {"url": "https://a.test"},
            },
        ],
    ),
    "document of no block": ([document({"type": "content", "content": []})], ""),
    "document of a new kind": ([document({"type": "new"})], [document({"type": "new"})]),
    "search result": (
        [{"type": "search_result", "source": "s", "title": "t", "content": [TEXT]}],
        [{"type": "search_result", "source": "s", "title": "t", "content": [TEXT]}],
    ),
    "new block with a text": ([{"type": "new", "text": "x"}], [{"type": "new", "text": "x"}]),
}


@pytest.mark.parametrize(("content", "expected"), PARTS.values(), ids=PARTS)
def test_blocks_are_parts(content, expected):
    assert read("user", content) == [{"role": "user", "content": expected}]


def test_other_fields_of_a_message_stay():
    assert read("user", "Hi", name="n", x=None) == [{"role": "user", "content": "Hi", "name": "n"}]
    assert read("system", [TEXT], x=1) == [{"role": "system", "content": "Hi", "x": 1}]


def result(content: object = ..., **fields: object) -> dict[str, object]:
    told = {} if content is ... else {"content": content}
    return {"type": "tool_result", "tool_use_id": "t1", **told, **fields}


def test_results_of_tools_are_messages_before_what_the_user_said():
    content = [TEXT, result("a"), result("b", tool_use_id="t2")]
    assert read("user", content) == [
        {"role": "tool", "tool_call_id": "t1", "content": "a"},
        {"role": "tool", "tool_call_id": "t2", "content": "b"},
        {"role": "user", "content": "Hi"},
    ]


RESULTS = {
    "no content": (result(), {"content": ""}),
    "text": (result([TEXT]), {"content": "Hi"}),
    "picture": (
        result([TEXT, image(type="url", url="https://a.test")]),
        {"content": [TEXT, {"type": "image_url", "image_url": {"url": "https://a.test"}}]},
    ),
    "failure": (result("no", is_error=True), {"content": "no", "is_error": True}),
    "no failure": (result("yes", is_error=False), {"content": "yes"}),
    "marked": (result("a", cache_control=MARK), {"content": "a", "cache_control": MARK}),
}


@pytest.mark.parametrize(("block", "expected"), RESULTS.values(), ids=RESULTS)
def test_result_of_a_tool(block, expected):
    assert read("user", [block]) == [{"role": "tool", "tool_call_id": "t1", **expected}]


THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
REDACTED = {"type": "redacted_thinking", "data": "d"}
SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
USE = {"type": "tool_use", "id": "t1", "name": "f", "input": {"ü": [1, None]}}
CALL = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"ü":[1,null]}'}}
ASSISTANT = {
    "text": ("Hi", {"content": "Hi"}),
    "texts": ([TEXT, TEXT], {"content": "HiHi"}),
    "nothing": ([], {"content": ""}),
    "cited text": (
        [{**TEXT, "citations": [{"type": "char_location"}]}],
        {"content": [{**TEXT, "citations": [{"type": "char_location"}]}]},
    ),
    "thinking": (
        [THOUGHT, REDACTED, {**THOUGHT, "signature": ""}, TEXT],
        {
            "content": "Hi",
            "reasoning_content": "Hm.\n\nHm.",
            "thinking_blocks": [THOUGHT, REDACTED, {**THOUGHT, "signature": ""}],
        },
    ),
    "calls": ([USE], {"content": None, "tool_calls": [CALL]}),
    "text and calls": (
        [TEXT, {**USE, "cache_control": MARK}],
        {"content": "Hi", "tool_calls": [{**CALL, "cache_control": MARK}]},
    ),
    "call without input": (
        [{"type": "tool_use", "id": "t1", "name": "f"}],
        {"content": None, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{}"}}]},
    ),
    "the upstream's own tools": (
        [SEARCH, FOUND, TEXT],
        {"content": "Hi", "server_tool_blocks": [SEARCH, FOUND]},
    ),
    "a new block": ([{"type": "new"}], {"content": [{"type": "new"}]}),
}


@pytest.mark.parametrize(("content", "expected"), ASSISTANT.values(), ids=ASSISTANT)
def test_turn_of_the_assistant(content, expected):
    assert read("assistant", content) == [{"role": "assistant", **expected}]


REFUSED: Any = {
    "no content": ("user", None, "content"),
    "content object": ("user", {}, "content"),
    "block text": ("user", ["x"], "content[0]"),
    "no type": ("user", [TEXT, {}], "content[1].type"),
    "no text": ("user", [{"type": "text"}], "content[0].text"),
    "no source": ("user", [{"type": "image"}], "content[0].source"),
    "source without type": ("user", [image()], "content[0].source.type"),
    "no media type": ("user", [image(type="base64", data="")], "content[0].source.media_type"),
    "no data": ("user", [image(type="base64", media_type="a")], "content[0].source.data"),
    "no URL": ("user", [image(type="url")], "content[0].source.url"),
    "title number": ("user", [document(PDF, title=1)], "content[0].title"),
    "inner block": (
        "user",
        [document({"type": "content", "content": [1]})],
        "content[0].source.content[0]",
    ),
    "result without id": ("user", [TEXT, result(tool_use_id=None)], "content[1].tool_use_id"),
    "result of a number": ("user", [result(5)], "content[0].content"),
    "block of a result": ("user", [result([TEXT, 5])], "content[0].content[1]"),
    "call without id": ("assistant", [{**USE, "id": None}], "content[0].id"),
    "call without name": ("assistant", [{**USE, "name": 1}], "content[0].name"),
    "call with a list": ("assistant", [TEXT, {**USE, "input": []}], "content[1].input"),
    "role": ("tool", "x", "role"),
}


@pytest.mark.parametrize(("role", "content", "place"), REFUSED.values(), ids=REFUSED)
def test_malformed_message_is_refused_naming_the_field(role, content, place):
    with pytest.raises(InvalidBodyError) as caught:
        read(role, content)
    assert caught.value.param == f"messages[0].{place}"


def test_place_of_a_block_is_its_own():
    flattened = document({"type": "content", "content": [TEXT, TEXT]})
    with pytest.raises(InvalidBodyError) as caught:
        read("assistant", [flattened, {**USE, "input": 1}])
    assert caught.value.param == "messages[0].content[1].input"


def test_clients_own_message_is_not_touched():
    message: Any = {"role": "assistant", "content": [THOUGHT, USE, TEXT]}
    before = json.dumps(message)
    read_messages([message])
    assert json.dumps(message) == before
