"""How reasoning is asked for, by the entry's format."""

import pytest

from tests.support.shaping import fields_of

HIGH = {"reasoning_effort": "high"}
ALL = {
    "reasoning_effort": "high",
    "reasoning_summary": "auto",
    "reasoning_mode": "pro",
    "reasoning_context": "auto",
}
OBJECT = {"reasoning": {"effort": "high", "summary": "auto", "mode": "pro", "context": "auto"}}
SHAPES = {
    "one field": (ALL, "reasoning_effort", {}, HIGH),
    "one field unless the entry says": (ALL, None, {}, HIGH),
    "no effort, no field": ({"reasoning_summary": "auto"}, None, {}, {}),
    "an object": (ALL, "reasoning_object", {}, OBJECT),
    "an object of what is set": (
        {"reasoning_effort": "", "reasoning_summary": "auto"},
        "reasoning_object",
        {},
        {"reasoning": {"summary": "auto"}},
    ),
    "no empty object": ({"reasoning_effort": ""}, "reasoning_object", {}, {}),
    "disabled": (ALL, "disabled", {}, {}),
    "disabled beats addParams": ({}, "disabled", {"addParams": {"reasoning_effort": "low"}}, {}),
    "disabled beats an added object": (
        {},
        "disabled",
        {"addParams": {"reasoning": {"effort": "low"}}},
        {},
    ),
    "disabled beats the client's object": ({"reasoning": {"effort": "low"}}, "disabled", {}, {}),
    "addParams beat the client": (
        HIGH,
        None,
        {"addParams": {"reasoning_effort": "low"}},
        {"reasoning_effort": "low"},
    ),
    "null in addParams clears": (HIGH, None, {"addParams": {"reasoning_effort": None}}, {}),
    "an added object stands alone": (
        HIGH,
        None,
        {"addParams": {"reasoning": {"effort": "low", "exclude": True}}},
        {"reasoning": {"effort": "low", "exclude": True}},
    ),
    "a client's object goes as it is": (
        {"reasoning": {"max_tokens": 9}},
        None,
        {},
        {"reasoning": {"max_tokens": 9}},
    ),
    "a member dropped": (
        {"reasoning_effort": "high", "reasoning_summary": "auto"},
        "reasoning_object",
        {"dropParams": ["reasoning_summary"]},
        {"reasoning": {"effort": "high"}},
    ),
    "the object dropped": (ALL, "reasoning_object", {"dropParams": ["reasoning"]}, {}),
}


@pytest.mark.parametrize(
    ("params", "reasoning_format", "entry", "fields"), SHAPES.values(), ids=SHAPES
)
def test_reasoning_takes_the_shape_of_the_entry(params, reasoning_format, entry, fields):
    custom = {"reasoningFormat": reasoning_format} if reasoning_format else {}
    assert fields_of(params, customParams=custom, **entry) == fields


VERCEL = {
    "by name": {"name": "My Vercel"},
    "by URL": {"base_url": "https://ai-gateway.vercel.sh/v1"},
}


@pytest.mark.parametrize("where", VERCEL.values(), ids=VERCEL)
def test_vercel_takes_an_object_unless_the_entry_says(where):
    assert fields_of(HIGH, **where) == {"reasoning": {"effort": "high"}}
    custom = {"reasoningFormat": "reasoning_effort"}
    assert fields_of(HIGH, customParams=custom, **where) == HIGH
