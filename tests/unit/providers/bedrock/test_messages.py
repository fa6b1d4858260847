"""Messages of a chat as the turns of a Converse request."""

from typing import Any

import pytest

from tests.support.converse_shaping import HI, body_of, call, image, said, text, tool, turns_of
from waystation.errors import InvalidBodyError

Block = dict[str, Any]

SIGNED = {"type": "thinking", "thinking": "Hm.", "signature": "s", "index": 0}
REDACTED = {"type": "redacted_thinking", "data": "ZGF0YQ=="}
POINT = {"cachePoint": {"type": "default"}}
MARK = {"type": "ephemeral"}
TOOLS = {"tools": [tool()]}


def use(call_id: str = "c1", **given: object) -> Block:
    return {"toolUse": {"toolUseId": call_id, "name": "weather", "input": given}}


def result(*content: Block, call_id: str = "c1", **more: object) -> Block:
    return {"toolResult": {"toolUseId": call_id, "content": [*content], **more}}


def answered(content: object, call_id: str = "c1", **more: object) -> Block:
    return {"role": "tool", "tool_call_id": call_id, "content": content, **more}


def with_tools(*messages: object) -> Any:
    return turns_of(*messages, params=TOOLS)


def test_instructions_go_before_the_conversation():
    body = body_of(
        messages=[
            said("A", role="system"),
            *HI,
            said(text("B", cache_control=MARK), text("C"), role="developer"),
        ]
    )
    assert body["system"] == [{"text": "A"}, {"text": "B"}, POINT, {"text": "C"}]
    assert body["messages"] == [{"role": "user", "content": [{"text": "Hi"}]}]


def test_instructions_alone_are_asked():
    body = body_of(messages=[said("A", role="system"), said("B", role="system")])
    assert body["system"] == [{"text": "A"}]
    assert body["messages"] == [{"role": "user", "content": [{"text": "B"}]}]


def test_neighbours_of_one_role_become_one_turn():
    assert turns_of(said("a"), said("b"), said("c", role="assistant"), said(" ")) == [
        ("user", [{"text": "a"}, {"text": "b"}]),
        ("assistant", [{"text": "c"}]),
    ]


def test_a_tool_loop():
    assert with_tools(
        *HI,
        said(
            "Let me see.",
            role="assistant",
            reasoning_content="Hm.",
            thinking_blocks=[SIGNED, REDACTED, {"type": "thinking", "thinking": "x"}],
            tool_calls=[call('{"city": "Paris"}'), call("", "c2", index=1)],
        ),
        answered("sunny"),
        answered([text("rain"), image("data:image/png;base64,iVBO")], "c2", is_error=True),
        said("And now?"),
    ) == [
        ("user", [{"text": "Hi"}]),
        (
            "assistant",
            [
                {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}},
                {"reasoningContent": {"redactedContent": "ZGF0YQ=="}},
                {"text": "Let me see."},
                use(city="Paris"),
                use("c2"),
            ],
        ),
        (
            "user",
            [
                result({"text": "sunny"}),
                result(
                    {"text": "rain"},
                    {"image": {"format": "png", "source": {"bytes": "iVBO"}}},
                    call_id="c2",
                    status="error",
                ),
                {"text": "And now?"},
            ],
        ),
    ]


def test_results_come_first_in_their_turn():
    asked = said(None, role="assistant", tool_calls=[call()])
    ((_, _), (_, blocks)) = with_tools(asked, said("Well?"), answered("sunny"))
    assert blocks == [result({"text": "sunny"}), {"text": "Well?"}]


def test_results_may_be_objects_and_may_be_nothing():
    asked = said(None, role="assistant", tool_calls=[call()])
    (_, (_, blocks)) = with_tools(
        asked, answered([{"type": "json", "json": {"sky": "blue"}}]), answered("")
    )
    assert blocks == [result({"json": {"sky": "blue"}}), result({"json": {}})]


def test_ids_are_written_in_the_letters_of_the_api():
    asked = said(None, role="assistant", tool_calls=[call(call_id="a b/" + "x" * 70)])
    (_, blocks), *_ = with_tools(asked)
    assert blocks == [use("x" * 64)]
    (_, blocks), *_ = with_tools(said(None, role="assistant", tool_calls=[call(call_id="a b/é.")]))
    assert blocks == [use("a_b__.")]


def test_older_calls_of_functions():
    older = {"role": "assistant", "content": None, "function_call": call("{}")["function"]}
    turns = with_tools(*HI, older, {"role": "function", "name": "weather", "content": "sunny"})
    assert turns[1:] == [
        ("assistant", [use("call_function_1")]),
        ("user", [result({"text": "sunny"}, call_id="call_function_1")]),
    ]


def test_marks_of_messages_calls_and_results():
    assert with_tools(
        said("a", cache_control=MARK),
        said("b", role="assistant", tool_calls=[call(cache_control=MARK)], cache_control=MARK),
        answered([text("c", cache_control=MARK), text("d")]),
        answered("e", cache_control=MARK),
    ) == [
        ("user", [{"text": "a"}, POINT]),
        ("assistant", [{"text": "b"}, use(), POINT]),
        (
            "user",
            [result({"text": "c"}, {"text": "d"}), POINT, result({"text": "e"}), POINT],
        ),
    ]


def test_without_tools_calls_and_results_are_told_in_words():
    turns = turns_of(
        said("a"),
        said(None, role="assistant", tool_calls=[call('{"city": "Paris"}')]),
        answered("sunny"),
        answered([{"type": "json", "json": {"sky": "blue"}}]),
        params={"tools": [tool()], "tool_choice": "none"},
    )
    assert turns == [
        ("user", [{"text": "a"}]),
        ("assistant", [{"text": '[Called the tool weather: {"city":"Paris"}]'}]),
        ("user", [{"text": "sunny"}, {"text": '[The tool answered: {"sky":"blue"}]'}]),
    ]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        (said("a", role="narrator"), "role"),
        (said("a", name="Bob"), "name"),
        (said("a", mood="good"), "mood"),
        (said("a", cache_control=1), "cache_control"),
        (said(image("data:image/png;base64,iVBO"), role="system"), "content"),
        (said("a", role="assistant", server_tool_blocks=[]), "server_tool_blocks"),
        (said("a", role="assistant", audio={}), "audio"),
        (said("a", role="assistant", refusal=1), "refusal"),
        (
            said("a", role="assistant", thinking_blocks=[{"type": "x"}]),
            "thinking_blocks[0].type",
        ),
        (
            said("a", role="assistant", thinking_blocks=[REDACTED | {"data": "!"}]),
            "thinking_blocks[0].data",
        ),
        (said("a", role="assistant", tool_calls={}), "tool_calls"),
        (said("a", role="assistant", tool_calls=[call("[]")]), "tool_calls[0].function.arguments"),
        (said("a", role="assistant", tool_calls=[call("{")]), "tool_calls[0].function.arguments"),
        (
            said("a", role="assistant", tool_calls=[call() | {"type": "custom"}]),
            "tool_calls[0].type",
        ),
        (said("a", role="assistant", tool_calls=[call(caller={})]), "tool_calls[0].caller"),
        (said("a", role="tool"), "tool_call_id"),
        (answered("a", status="ok"), "status"),
        (answered([{"type": "input_audio"}]), "content[0].type"),
        ({"role": "function", "content": "a"}, "role"),
    ],
    ids=str,
)
def test_what_cannot_be_expressed_is_named(message, param):
    with pytest.raises(InvalidBodyError) as caught:
        body_of(messages=[message])
    assert caught.value.param == f"messages[0].{param}"


def test_messages_must_say_something():
    with pytest.raises(InvalidBodyError) as caught:
        body_of(messages=[said(" ")])
    assert caught.value.param == "messages"
