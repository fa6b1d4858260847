"""Cache points that `promptCache` asks for."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.converse_shaping import (
    CLAUDE,
    HI,
    NOVA,
    OLDER,
    body_of,
    call,
    said,
    text,
    tool,
)

POINT = {"cachePoint": {"type": "default"}}
FOR_AN_HOUR = {"cachePoint": {"type": "default", "ttl": "1h"}}
SYSTEM = said("S", role="system")
LATER = [*HI, said("Hello", role="assistant"), said("And?")]
MISTRAL = "mistral.mistral-large-2407-v1:0"


def points_of(
    params: Mapping[str, object] | None = None, *, point: object = POINT, **kwargs: Any
) -> list[int]:
    """Return how many points there are in tools, instructions and messages, each at an end."""
    body = body_of({"promptCache": True, **(params or {})}, **kwargs)
    places = [body.get("toolConfig", {}).get("tools", []), body.get("system", [])]
    places += [message["content"] for message in body["messages"]]
    found = [place.count(point) for place in places]
    assert all(not count or place[-1] == point for count, place in zip(found, places, strict=True))
    return found


@pytest.mark.parametrize(
    ("messages", "points"),
    [
        (HI, [0, 0, 1]),
        ([SYSTEM, *HI], [0, 1, 0]),
        ([SYSTEM, *LATER], [0, 1, 0, 0, 1]),
        (LATER, [0, 0, 0, 0, 1]),
    ],
    ids=["one message", "instructions and one message", "instructions and more", "more"],
)
def test_places(messages, points):
    assert points_of(messages=messages, model=CLAUDE) == points


def test_tools_of_claude_are_marked_and_those_of_nova_are_not():
    params = {"tools": [tool()]}
    assert points_of(params, model=CLAUDE) == [1, 0, 1]
    assert points_of(params, model=NOVA) == [0, 0, 1]


def test_an_hour_is_for_claude_alone():
    params = {"promptCacheTtl": "1h"}
    assert points_of(params, point=FOR_AN_HOUR, model=CLAUDE) == [0, 0, 1]
    assert points_of(params, model=NOVA) == [0, 0, 1]
    assert points_of({"promptCacheTtl": "5m"}, model=CLAUDE) == [0, 0, 1]


@pytest.mark.parametrize(
    "kwargs",
    [
        {"params": {"promptCache": False}},
        {"model": OLDER.replace("3-5-sonnet", "2")},
        {"model": MISTRAL},
        {"dropParams": ["promptCache"]},
    ],
    ids=["off", "older", "other", "dropped"],
)
def test_nothing_is_marked(kwargs):
    assert points_of(**{"model": CLAUDE} | kwargs) == [0, 0, 0]


def test_points_are_librechats_default():
    assert points_of({"promptCache": None}, model=CLAUDE, ui=True) == [0, 0, 1]
    assert points_of({"promptCache": None}, model=CLAUDE) == [0, 0, 0]


def test_a_clients_own_marks_rule_the_others_out():
    marked = said(text("Hi", cache_control={"type": "ephemeral"}))
    assert points_of(messages=[SYSTEM, marked], model=CLAUDE) == [0, 0, 1]


def test_a_clients_own_marks_are_dropped_with_the_cache():
    mark: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
    asked = said(None, role="assistant", tool_calls=[call('{"cachePoint": 1}', **mark)])
    answered = {"role": "tool", "tool_call_id": "c1", "content": [text("sunny", **mark)]}
    messages = [said(text("S", **mark), role="system"), said("Hi", **mark), asked, answered]
    params = {"tools": [tool() | mark]}
    dropped = body_of(params, messages=messages, model=CLAUDE, dropParams=["promptCache"])
    assert body_of(params, messages=messages, model=CLAUDE) != dropped
    bare = [
        said("S", role="system"),
        said("Hi"),
        {**asked, "tool_calls": [call('{"cachePoint": 1}')]},
    ]
    unmarked = [*bare, {**answered, "content": "sunny"}]
    assert dropped == body_of({"tools": [tool()]}, messages=unmarked, model=CLAUDE)


def test_names_and_inputs_are_no_marks():
    asked = said(None, role="assistant", tool_calls=[call('{"cachePoint": 1}')])
    answered = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
    params = {"tools": [tool()]}
    messages = [SYSTEM, *HI, asked, answered]
    assert points_of(params, messages=messages, model=CLAUDE) == [1, 1, 0, 0, 1]


def test_no_point_follows_reasoning():
    signed = {"type": "thinking", "thinking": "t", "signature": "s"}
    begun = said(None, role="assistant", thinking_blocks=[signed]) | {"content": ""}
    assert points_of(messages=[*HI, begun], model=CLAUDE) == [0, 0, 0, 0]
