"""Where marks for the cache are set."""

from typing import Any

import pytest

from tests.support.messages_shaping import HI, OLDER, body_of
from waystation.providers.anthropic.caching import mark_for_caching

HOUR = {"type": "ephemeral", "ttl": "1h"}
MINUTES = {"type": "ephemeral"}
TURNS = [*HI, {"role": "assistant", "content": "Two"}, {"role": "user", "content": "Three"}]
SYSTEM = {"role": "system", "content": "S"}


def text(value: str, mark: object = None) -> dict[str, object]:
    return {"type": "text", "text": value} | ({"cache_control": mark} if mark else {})


def marked(ttl: str | None = None, **body: Any) -> dict[str, Any]:
    mark_for_caching(body, ttl)
    return body


BODIES = {
    "one message": (
        {"messages": HI},
        {"messages": [{"role": "user", "content": [text("Hi", HOUR)]}]},
    ),
    "instructions and one message": (
        {"system": "S", "messages": HI},
        {"system": [text("S", HOUR)], "messages": HI},
    ),
    "instructions and several": (
        {"system": "S", "messages": TURNS},
        {
            "system": [text("S", HOUR)],
            "messages": [*TURNS[:2], {"role": "user", "content": [text("Three", HOUR)]}],
        },
    ),
    "blocks": (
        {
            "system": [text("A"), text("B")],
            "messages": [*HI, {"role": "user", "content": [text("a"), {"type": "image"}]}],
        },
        {
            "system": [text("A"), text("B", HOUR)],
            "messages": [
                *HI,
                {"role": "user", "content": [text("a"), {"type": "image", "cache_control": HOUR}]},
            ],
        },
    ),
    "thinking takes no marks": (
        {"messages": [{"role": "assistant", "content": [text("a"), {"type": "thinking"}]}]},
        {"messages": [{"role": "assistant", "content": [text("a", HOUR), {"type": "thinking"}]}]},
    ),
    "nothing that takes one": (
        {"messages": [{"role": "assistant", "content": [{"type": "thinking"}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "thinking"}]}]},
    ),
    "tools": (
        {"system": "S", "messages": HI, "tools": [{"name": "f"}, {"name": "g"}]},
        {
            "system": [text("S", HOUR)],
            "messages": HI,
            "tools": [{"name": "f"}, {"name": "g", "cache_control": HOUR}],
        },
    ),
    "tools that are loaded later": (
        {"system": "S", "messages": HI, "tools": [{"name": "f"}, {"defer_loading": True}]},
        {
            "system": [text("S", HOUR)],
            "messages": HI,
            "tools": [{"name": "f", "cache_control": HOUR}, {"defer_loading": True}],
        },
    ),
    "only tools that are loaded later": (
        {"system": "S", "messages": HI, "tools": [{"defer_loading": True}]},
        {"system": [text("S", HOUR)], "messages": HI, "tools": [{"defer_loading": True}]},
    ),
    "what an operator added as it is": (
        {"system": 5, "messages": [5], "tools": "f"},
        {"system": 5, "messages": [5], "tools": "f"},
    ),
    "messages that an operator added as they are": ({"messages": [5]}, {"messages": [5]}),
    "messages without content": (
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [{"role": "user", "content": 5}]},
    ),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES)
def test_marks(body, expected):
    assert marked(**body) == expected


OWN = {
    "on a message": {"messages": [*HI, {"role": "user", "content": [text("a", MINUTES)]}]},
    "within a result": {
        "messages": [{"content": [{"type": "tool_result", "content": [text("a", MINUTES)]}]}]
    },
    "on instructions": {"system": [text("S", MINUTES)], "messages": HI},
    "on a tool": {"messages": HI, "tools": [{"name": "f", "cache_control": MINUTES}]},
    "on all of it": {"messages": HI, "cache_control": MINUTES},
}


@pytest.mark.parametrize("body", OWN.values(), ids=OWN)
def test_a_clients_own_marks_stay_alone(body):
    assert marked(**body) == body


def test_what_a_tool_is_called_with_is_no_mark():
    call = {"type": "tool_use", "input": {"cache_control": 1, "content": [{"cache_control": 1}]}}
    body: Any = {"messages": [{"role": "assistant", "content": [call]}]}
    assert marked(**body)["messages"][0]["content"] == [call | {"cache_control": HOUR}]


@pytest.mark.parametrize(("ttl", "mark"), [("5m", MINUTES), ("1h", HOUR), (None, HOUR)])
def test_how_long_a_mark_lasts(ttl, mark):
    assert marked(ttl, system="S", messages=HI)["system"] == [text("S", mark)]


ASKED = {
    "nobody": ({}, {}, None),
    "a client": ({"promptCache": True}, {}, HOUR),
    "for five minutes": ({"promptCache": True, "promptCacheTtl": "5m"}, {}, MINUTES),
    "the operator": ({}, {"addParams": {"promptCache": True}}, HOUR),
    "the interface": ({}, {"ui": True}, HOUR),
    "not the client": ({"promptCache": False}, {"ui": True}, None),
    "dropped": ({"promptCache": True}, {"dropParams": ["promptCache"]}, None),
    "an older model": ({"promptCache": True}, {"model": "claude-2.1"}, None),
    "another model": ({"promptCache": True}, {"model": OLDER}, HOUR),
    "only true counts": ({"promptCache": "yes"}, {"ui": True}, None),
}


@pytest.mark.parametrize(("params", "entry", "mark"), ASKED.values(), ids=ASKED)
def test_who_asks_for_marks(params, entry, mark):
    system = body_of(params, messages=[SYSTEM, *HI], **entry)["system"]
    assert system == ([text("S", mark)] if mark else "S")


def test_a_clients_own_marks_are_dropped_with_the_cache():
    message = {"role": "user", "content": [text("a", MINUTES)], "cache_control": HOUR}
    tool = {"name": "f", "input_schema": {"type": "object"}}
    params = {"tools": [{**tool, "cache_control": HOUR}], "cache_control": MINUTES}
    body = body_of(params, messages=[message], dropParams=["promptCache"])
    assert body["messages"] == [{"role": "user", "content": [text("a")]}]
    assert body["tools"] == [tool]
    assert "cache_control" not in body


def test_there_are_never_more_than_four():
    messages = [SYSTEM, *TURNS]
    tools = [{"type": "function", "function": {"name": name}} for name in "abcdef"]
    body = body_of({"promptCache": True, "tools": tools}, messages=messages)
    assert str(body).count("cache_control") == 3
