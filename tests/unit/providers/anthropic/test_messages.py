"""A chat's messages as instructions and alternating turns."""

from typing import Any

import pytest

from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.messages import build_conversation, render_system

HI: dict[str, object] = {"role": "user", "content": "Hi"}
MARK = {"type": "ephemeral"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
USE = {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}
THINKING = {"type": "thinking", "thinking": "t", "signature": "s"}


def text(value: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": value, **more}


def turns(*messages: Any) -> list[Any]:
    return build_conversation([*messages]).messages


def system(*messages: Any) -> object:
    return render_system(build_conversation([*messages, HI]).system)


def said(**message: object) -> object:
    """Return what an assistant's message becomes, between two of the user's."""
    messages = turns(HI, {"role": "assistant", **message}, HI)
    return messages[1]["content"] if len(messages) > 1 else None


def test_texts_stay_as_they_are():
    answer = {"role": "assistant", "content": "Hello"}
    assert turns(HI, answer, HI) == [HI, answer, HI]


SYSTEMS = {
    "one": ([{"role": "system", "content": "S"}], "S"),
    "of a developer": ([{"role": "developer", "content": "S"}], "S"),
    "several, wherever they stand": (
        [{"role": "system", "content": "A"}, HI, {"role": "developer", "content": [text("B")]}],
        "A\n\nB",
    ),
    "blank": ([{"role": "system", "content": " "}, {"role": "system", "content": []}], ""),
    "parts": ([{"role": "system", "content": [text("A"), text(""), text("B")]}], "A\n\nB"),
    "a marked part": (
        [{"role": "system", "content": [text("A", cache_control=MARK)]}],
        [text("A", cache_control=MARK)],
    ),
    "a marked message": (
        [
            {"role": "system", "content": "A", "cache_control": MARK},
            {"role": "system", "content": "B"},
        ],
        [text("A", cache_control=MARK), text("B")],
    ),
}


@pytest.mark.parametrize(("messages", "rendered"), SYSTEMS.values(), ids=SYSTEMS)
def test_instructions_go_before_the_conversation(messages, rendered):
    assert system(*messages) == rendered


def test_instructions_alone_are_asked():
    conversation = build_conversation(
        [{"role": "system", "content": "A"}, {"role": "system", "content": "B"}]
    )
    assert render_system(conversation.system) == "A"
    assert conversation.messages == [{"role": "user", "content": [text("B")]}]


@pytest.mark.parametrize("content", ["", "\n", [], [text("")]])
def test_a_chat_of_nothing_is_refused(content):
    with pytest.raises(InvalidBodyError, match="messages hold no text") as caught:
        turns({"role": "user", "content": content})
    assert caught.value.param == "messages"


def test_neighbours_become_one_message():
    more = {"role": "user", "content": [text("more", cache_control=MARK)], "odd": 1}
    one, two = {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}
    assert turns(HI, more, one, two, HI) == [
        {"role": "user", "content": [text("Hi"), text("more", cache_control=MARK)], "odd": 1},
        {"role": "assistant", "content": [text("a"), text("b")]},
        HI,
    ]


def test_an_empty_answer_between_them_makes_them_neighbours():
    assert turns(HI, {"role": "assistant", "content": ""}, HI) == [
        {"role": "user", "content": [text("Hi"), text("Hi")]}
    ]


def test_a_prefill_stays_last():
    prefill = {"role": "assistant", "content": "{"}
    assert turns(HI, prefill) == [HI, prefill]


def test_a_message_marked_as_a_whole_is_marked_at_its_end():
    marked = {"role": "user", "content": "Hi", "cache_control": MARK}
    parts = {"role": "user", "content": [text("a"), text("b")], "cache_control": MARK}
    assert turns(marked) == [{"role": "user", "content": [text("Hi", cache_control=MARK)]}]
    assert turns(parts)[0]["content"] == [text("a"), text("b", cache_control=MARK)]


ANSWERS = {
    "a call": ({"content": None, "tool_calls": [CALL]}, [USE]),
    "text and a call": ({"content": "ok", "tool_calls": [CALL]}, [text("ok"), USE]),
    "thinking first": (
        {"content": "ok", "tool_calls": [CALL], "thinking_blocks": [THINKING]},
        [THINKING, text("ok"), USE],
    ),
    "then the upstream's own tools": (
        {
            "content": "ok",
            "server_tool_blocks": [{"type": "server_tool_use", "id": "s", "index": 0}],
            "thinking_blocks": [THINKING],
        },
        [THINKING, {"type": "server_tool_use", "id": "s"}, text("ok")],
    ),
    "reasoning without a signature": ({"content": "ok", "reasoning_content": "r"}, "ok"),
    "told to clients only": (
        {"content": "ok", "annotations": [{}], "reasoning": "r", "reasoning_items": []},
        "ok",
    ),
    "a refusal": ({"content": None, "refusal": "No."}, [text("No.")]),
    "a refusal among parts": (
        {"content": [text("a"), {"type": "refusal", "refusal": "No."}]},
        [text("a"), text("No.")],
    ),
    "a call of the older way": (
        {"content": None, "function_call": {"name": "f", "arguments": ""}},
        [{"type": "tool_use", "id": "call_function_1", "name": "f", "input": {}}],
    ),
    "nothing": ({"content": None}, None),
}


@pytest.mark.parametrize(("message", "content"), ANSWERS.values(), ids=ANSWERS)
def test_what_an_assistant_said(message, content):
    assert said(**message) == content


def test_results_of_tools_are_one_message_with_what_the_user_adds():
    results = [{"role": "tool", "tool_call_id": name, "content": name} for name in ("c1", "c2")]
    calls = {"role": "assistant", "tool_calls": [CALL, CALL | {"id": "c2"}]}
    assert turns(HI, calls, results[0], HI, results[1])[2:] == [
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "c1"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "c2"},
                text("Hi"),
            ],
        }
    ]


def test_functions_of_the_older_way_answer_the_last_call():
    call = {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}
    answer = {"role": "function", "name": "f", "content": "4"}
    ids = [message["content"][0] for message in turns(HI, call, answer, call, answer)[1:]]
    assert [block.get("id") or block["tool_use_id"] for block in ids] == [
        "call_function_1",
        "call_function_1",
        "call_function_2",
        "call_function_2",
    ]


WRONG = {
    "a role": ({"role": "narrator", "content": "x"}, "messages[0].role"),
    "no role": ({"content": "x"}, "messages[0].role"),
    "a role that is none": ({"role": ["user"], "content": "x"}, "messages[0].role"),
    "no message": ("Hi", "messages[0]"),
    "no content": ({"role": "user"}, "messages[0].content"),
    "a number": ({"role": "user", "content": 5}, "messages[0].content"),
    "a name": ({"role": "user", "content": "x", "name": "Al"}, "messages[0].name"),
    "an assistant's name": ({"role": "assistant", "content": "x", "name": "B"}, "messages[0].name"),
    "a system's name": ({"role": "system", "content": "x", "name": "B"}, "messages[0].name"),
    "an image in instructions": (
        {"role": "system", "content": [{"type": "image_url", "image_url": "https://a.test/i"}]},
        "messages[0].content[0].type",
    ),
    "sound": ({"role": "assistant", "audio": {"id": "a"}}, "messages[0].audio"),
    "a result of nothing": ({"role": "tool", "content": "x"}, "messages[0].tool_call_id"),
    "a function without a call": (
        {"role": "function", "name": "f", "content": "x"},
        "messages[0].role",
    ),
    "calls": ({"role": "assistant", "tool_calls": {}}, "messages[0].tool_calls"),
}


@pytest.mark.parametrize(("message", "param"), WRONG.values(), ids=WRONG)
def test_wrong_messages_are_named(message, param):
    with pytest.raises(InvalidBodyError) as caught:
        turns(message, HI)
    assert caught.value.param == param


def test_a_name_on_a_result_says_nothing_new():
    call = {"role": "assistant", "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "4"}
    assert turns(HI, call, result)[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "c1", "content": "4"}
    ]


def test_a_clients_messages_are_not_changed():
    message: Any = {
        "role": "user",
        "content": [text("a", cache_control=None)],
        "cache_control": MARK,
    }
    before = {**message, "content": [dict(part) for part in message["content"]]}
    turns(message, HI)
    assert message == before
