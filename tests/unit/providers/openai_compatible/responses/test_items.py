"""Messages of a chat as the input items of the Responses API."""

from typing import Any

import pytest

from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible.responses.items import build_input

REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CUSTOM = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}}
CALL_ITEM = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
CUSTOM_ITEM = {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}
INPUT_IMAGE = {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "auto"}


def build(*messages: Any, is_stored: bool = True) -> list[dict[str, object]]:
    return build_input(list(messages), is_stored=is_stored)


def message(role: str, content: object, **fields: object) -> dict[str, object]:
    return {"type": "message", "role": role, "content": content, **fields}


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant"])
def test_a_text_stays_as_it_is(role):
    assert build({"role": role, "content": "Hi"}) == [message(role, "Hi")]


PARTS = {
    "text": ({"type": "text", "text": "Hi"}, {"type": "input_text", "text": "Hi"}),
    "text with a breakpoint": (
        {"type": "text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "input_text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit"}},
    ),
    "image": (IMAGE, INPUT_IMAGE),
    "image with a detail": (
        {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
        {"type": "input_image", "image_url": "data:x", "detail": "low"},
    ),
    "image without an object": (
        {"type": "image_url", "image_url": "data:x"},
        {"type": "input_image", "image_url": "data:x", "detail": "auto"},
    ),
    "file": (
        {"type": "file", "file": {"file_data": "data:x", "filename": "a.pdf", "file_id": None}},
        {"type": "input_file", "file_data": "data:x", "filename": "a.pdf"},
    ),
    "file by id": (
        {"type": "file", "file": {"file_id": "file_1"}},
        {"type": "input_file", "file_id": "file_1"},
    ),
}


@pytest.mark.parametrize(("part", "expected"), PARTS.values(), ids=PARTS)
def test_parts_of_a_user(part, expected):
    assert build({"role": "user", "content": [part]}) == [message("user", [expected])]


def test_unknown_fields_of_a_message_pass():
    assert build({"role": "assistant", "content": "Hi", "phase": "commentary"}) == [
        message("assistant", "Hi", phase="commentary")
    ]
    assert build({"role": "user", "content": "Hi", "future": 1, "name": None}) == [
        message("user", "Hi", future=1)
    ]


def test_parts_of_an_assistant():
    parts = [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}]
    assert build({"role": "assistant", "content": parts}) == [
        message(
            "assistant",
            [
                {"type": "output_text", "text": "a", "annotations": []},
                {"type": "refusal", "refusal": "no"},
            ],
        )
    ]


def test_a_refusal_beside_the_content_is_kept():
    refusal = {"type": "refusal", "refusal": "no"}
    assert build({"role": "assistant", "content": None, "refusal": "no"}) == [
        message("assistant", [refusal])
    ]
    assert build({"role": "assistant", "content": "a", "refusal": "no"}) == [
        message("assistant", [{"type": "output_text", "text": "a", "annotations": []}, refusal])
    ]


@pytest.mark.parametrize("content", [None, "", []])
def test_calls_without_a_text_are_no_message(content):
    assert build({"role": "assistant", "content": content, "tool_calls": [CALL, CUSTOM]}) == [
        CALL_ITEM,
        CUSTOM_ITEM,
    ]


def test_reasoning_goes_before_the_text_and_the_text_before_calls():
    said = {
        "role": "assistant",
        "content": "Let me see.",
        "tool_calls": [CALL],
        "reasoning_items": [REASONING],
    }
    assert build(said) == [REASONING, message("assistant", "Let me see."), CALL_ITEM]


def test_an_empty_message_of_an_assistant():
    assert build({"role": "assistant", "content": ""}) == [message("assistant", "")]
    assert build({"role": "assistant"}) == []


def test_what_clients_alone_are_told_is_left_out():
    told = {
        "reasoning_content": "hm",
        "reasoning": "hm",
        "thinking_blocks": [],
        "annotations": [{"type": "url_citation"}],
        "audio": None,
        "function_call": None,
        "tool_calls": None,
        "refusal": None,
    }
    assert build({"role": "assistant", "content": "4", **told}) == [message("assistant", "4")]


def test_streamed_reasoning_and_calls_lose_their_index():
    said = {
        "role": "assistant",
        "reasoning_items": [{"index": 0, **REASONING}],
        "tool_calls": [{"index": 0, **CALL}],
    }
    assert build(said) == [REASONING, CALL_ITEM]


def test_reasoning_that_nobody_stores_must_be_encrypted():
    plain: dict[str, object] = {
        "type": "reasoning",
        "id": "rs_2",
        "summary": [],
        "encrypted_content": None,
    }
    said = {"role": "assistant", "content": "4", "reasoning_items": [plain, REASONING]}
    assert build(said, is_stored=False) == [REASONING, message("assistant", "4")]
    assert len(build(said)) == 3


def test_a_call_without_a_type_calls_a_function():
    call = {"id": "c1", "function": {"name": "f", "arguments": "{}"}}
    assert build({"role": "assistant", "tool_calls": [call]}) == [CALL_ITEM]


OUTPUTS = {
    "text": ("sunny", "sunny"),
    "texts": ([{"type": "text", "text": "sun"}, {"type": "text", "text": "ny"}], "sunny"),
    "image": (
        [{"type": "text", "text": "see"}, IMAGE],
        [{"type": "input_text", "text": "see"}, INPUT_IMAGE],
    ),
}


@pytest.mark.parametrize(("content", "output"), OUTPUTS.values(), ids=OUTPUTS)
def test_answers_of_tools(content, output):
    answers = [
        {"role": "tool", "tool_call_id": call_id, "name": "f", "content": content}
        for call_id in ("c1", "c2")
    ]
    assert build({"role": "assistant", "tool_calls": [CALL, CUSTOM]}, *answers)[2:] == [
        {"type": "function_call_output", "call_id": "c1", "output": output},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": output},
    ]


def test_the_older_way_of_calling_gets_ids():
    turn = [
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "1"}},
        {"role": "function", "name": "f", "content": "2"},
    ]
    assert build(*turn, *turn) == [
        {"type": "function_call", "call_id": "call_function_1", "name": "f", "arguments": "1"},
        {"type": "function_call_output", "call_id": "call_function_1", "output": "2"},
        {"type": "function_call", "call_id": "call_function_2", "name": "f", "arguments": "1"},
        {"type": "function_call_output", "call_id": "call_function_2", "output": "2"},
    ]


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def assistant(**fields: object) -> dict[str, object]:
    return {"role": "assistant", "content": "a", **fields}


BAD = {
    "no role": ({"content": "x"}, "role"),
    "odd role": ({"role": "critic", "content": "x"}, "role"),
    "role is a list": ({"role": ["user"], "content": "x"}, "role"),
    "content is missing": ({"role": "user"}, "content"),
    "content is a number": (user(1), "content"),
    "content of an assistant is an object": (assistant(content={}), "content"),
    "part is a text": (user(["x"]), "content[0]"),
    "part without a type": (user([{"text": "x"}]), "content[0].type"),
    "part of an odd type": (user([{"type": "text", "text": ""}, {"type": 1}]), "content[1].type"),
    "audio": (user([{"type": "input_audio", "input_audio": {}}]), "content[0].type"),
    "refusal of a user": (user([{"type": "refusal", "refusal": "x"}]), "content[0].type"),
    "image of an assistant": (assistant(content=[IMAGE]), "content[0].type"),
    "text is a number": (user([{"type": "text", "text": 1}]), "content[0].text"),
    "image is a list": (user([{"type": "image_url", "image_url": []}]), "content[0].image_url"),
    "image without a URL": (
        user([{"type": "image_url", "image_url": {}}]),
        "content[0].image_url.url",
    ),
    "file is a text": (user([{"type": "file", "file": "x"}]), "content[0].file"),
    "name": ({"role": "user", "content": "x", "name": "Ann"}, "name"),
    "name of an assistant": (assistant(name="Ann"), "name"),
    "audio of an assistant": (assistant(audio={"id": "a"}), "audio"),
    "refusal is a list": (assistant(refusal=["x"]), "refusal"),
    "calls are an object": (assistant(tool_calls={}), "tool_calls"),
    "call is a text": (assistant(tool_calls=["x"]), "tool_calls[0]"),
    "call of an odd type": (assistant(tool_calls=[{"id": "c", "type": []}]), "tool_calls[0].type"),
    "call without an id": (assistant(tool_calls=[{"type": "function"}]), "tool_calls[0].id"),
    "call without a function": (assistant(tool_calls=[{"id": "c"}]), "tool_calls[0].function"),
    "call without a name": (
        assistant(tool_calls=[{"id": "c", "function": {"arguments": ""}}]),
        "tool_calls[0].function.name",
    ),
    "call with an object": (
        assistant(tool_calls=[{"id": "c", "function": {"name": "f", "arguments": {}}}]),
        "tool_calls[0].function.arguments",
    ),
    "custom call without input": (
        assistant(tool_calls=[{"id": "c", "type": "custom", "custom": {"name": "f"}}]),
        "tool_calls[0].custom.input",
    ),
    "older call is a text": (assistant(function_call="f"), "function_call"),
    "older call without a name": (assistant(function_call={}), "function_call.name"),
    "reasoning is an object": (assistant(reasoning_items={}), "reasoning_items"),
    "reasoning is a text": (assistant(reasoning_items=["x"]), "reasoning_items[0]"),
    "another item as reasoning": (
        assistant(reasoning_items=[{"type": "message", "role": "system"}]),
        "reasoning_items[0].type",
    ),
    "answer without an id": ({"role": "tool", "content": "x"}, "tool_call_id"),
    "answer without content": ({"role": "tool", "tool_call_id": "c"}, "content"),
    "answer without a call": ({"role": "function", "name": "f", "content": "x"}, "role"),
}


@pytest.mark.parametrize(("bad", "field"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_named(bad, field):
    with pytest.raises(InvalidBodyError) as caught:
        build({"role": "user", "content": "Hi"}, bad)
    assert caught.value.param == f"messages[1].{field}"
