"""Whether and how a model thinks, and what of the sampling goes with it."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.messages_shaping import ADAPTIVE, HI, MODEL, OLDER, STRICT, body_of, fields_of
from waystation.errors import InvalidBodyError

SEVEN = "claude-3-7-sonnet-20250219"
ENABLED = {"type": "enabled", "budget_tokens": 2000}
ADAPTS = {"type": "adaptive"}
SHOWN = {"type": "adaptive", "display": "summarized"}
OFF = {"type": "disabled"}
OWN = {"type": "enabled", "budget_tokens": 1500}
TOOL = {"type": "function", "function": {"name": "f"}}
SIGNED = {"type": "thinking", "thinking": "t", "signature": "s"}


def thinking_of(params: Mapping[str, object] | None = None, **kwargs: Any) -> object:
    return body_of(params, **kwargs).get("thinking")


def budget(tokens: int) -> dict[str, object]:
    return {"type": "enabled", "budget_tokens": tokens}


PLAIN = {
    "nothing": ({}, MODEL, None),
    "on": ({"thinking": True}, MODEL, ENABLED),
    "on, adaptive": ({"thinking": True}, ADAPTIVE, ADAPTS),
    "on, and shown": ({"thinking": True}, STRICT, SHOWN),
    "on, hidden": (
        {"thinking": True, "thinkingDisplay": "omitted"},
        STRICT,
        {"type": "adaptive", "display": "omitted"},
    ),
    "on, where there is none": ({"thinking": True}, OLDER, None),
    "off": ({"thinking": False}, MODEL, None),
    "off, where it must be said": ({"thinking": False}, STRICT, OFF),
    "a budget": ({"thinkingBudget": 4000}, MODEL, budget(4000)),
    "a budget, but off": ({"thinking": False, "thinkingBudget": 4000}, MODEL, None),
    "a budget above the limit": (
        {"thinkingBudget": 5000, "max_tokens": 2000},
        MODEL,
        budget(1800),
    ),
    "the API's own object": ({"thinking": OWN}, MODEL, OWN),
    "its own object on any model": ({"thinking": OWN}, "my-alias", OWN),
    "beside sampling": ({"thinking": OWN, "temperature": 0.5, "top_p": 0.5}, MODEL, OWN),
    "asked for, beside a prefill": ({"thinking": True}, MODEL, ENABLED),
    "an effort": ({"effort": "high"}, ADAPTIVE, None),
}


@pytest.mark.parametrize(("params", "model", "thinking"), PLAIN.values(), ids=PLAIN)
def test_a_plain_client_gets_what_it_asks_for(params, model, thinking):
    assert thinking_of(params, model=model) == thinking


EFFORTS = {
    "minimal": 1024,
    "low": 1024,
    "medium": 2048,
    "high": 4096,
    "xhigh": 8192,
    "max": 16_384,
}


@pytest.mark.parametrize(("effort", "tokens"), EFFORTS.items())
def test_openais_effort_is_a_budget(effort, tokens):
    assert fields_of({"reasoning_effort": effort}) == {"thinking": budget(tokens)}


@pytest.mark.parametrize("effort", EFFORTS)
def test_openais_effort_is_an_effort_where_the_model_has_them(effort):
    told = "low" if effort == "minimal" else effort
    assert fields_of({"reasoning_effort": effort}, model=ADAPTIVE)["output_config"] == {
        "effort": told
    }
    assert thinking_of({"reasoning_effort": effort}, model=ADAPTIVE) == ADAPTS


HINTS = {
    "none": ({"reasoning_effort": "none"}, MODEL, None),
    "none, where it must be said": ({"reasoning_effort": "none"}, STRICT, OFF),
    "none, where there is none": ({"reasoning_effort": "none"}, OLDER, None),
    "beside a budget": ({"reasoning_effort": "low", "thinkingBudget": 3000}, MODEL, budget(3000)),
    "beside a switch": ({"reasoning_effort": "high", "thinking": False}, MODEL, None),
    "a limit below it": ({"reasoning_effort": "high", "max_tokens": 2000}, MODEL, budget(1800)),
    "a limit close to it": ({"reasoning_effort": "low", "max_tokens": 1025}, MODEL, budget(1024)),
    "a limit that is too small": ({"reasoning_effort": "low", "max_tokens": 1024}, MODEL, None),
}


@pytest.mark.parametrize(("params", "model", "thinking"), HINTS.values(), ids=HINTS)
def test_openais_effort_is_a_hint(params, model, thinking):
    assert thinking_of(params, model=model) == thinking


@pytest.mark.parametrize("effort", ["huge", 5, True])
def test_efforts_that_are_none(effort):
    with pytest.raises(InvalidBodyError, match="reasoning_effort must be one of") as caught:
        body_of({"reasoning_effort": effort})
    assert caught.value.param == "reasoning_effort"


def test_an_effort_for_a_model_without_is_refused():
    with pytest.raises(InvalidBodyError, match="for the model my-alias") as caught:
        body_of({"reasoning_effort": "low"}, model="my-alias")
    assert caught.value.param == "reasoning_effort"
    assert fields_of({"reasoning_effort": "low"}, model="my-alias", ui=True) == {}


OWN_EFFORTS = {
    "adaptive": ({"effort": "max"}, ADAPTIVE, {"effort": "max"}),
    "another model": ({"effort": "max"}, MODEL, None),
    "beside OpenAI's": ({"effort": "max", "reasoning_effort": "low"}, ADAPTIVE, {"effort": "max"}),
    "capped without thinking": ({"effort": "max", "thinking": False}, STRICT, {"effort": "high"}),
    "capped with OpenAI's none": (
        {"effort": "xhigh", "reasoning_effort": "none"},
        STRICT,
        {"effort": "high"},
    ),
    "beside the API's own": (
        {"effort": "low", "output_config": {"effort": "max"}},
        ADAPTIVE,
        {"effort": "max"},
    ),
}


@pytest.mark.parametrize(("params", "model", "config"), OWN_EFFORTS.values(), ids=OWN_EFFORTS)
def test_efforts(params, model, config):
    assert body_of(params, model=model).get("output_config") == config


INTERFACE = {
    "default": ({}, MODEL, ENABLED),
    "default, adaptive": ({}, ADAPTIVE, ADAPTS),
    "default, shown": ({}, STRICT, SHOWN),
    "none": ({}, OLDER, None),
    "off": ({"thinking": False}, MODEL, None),
    "off, where it must be said": ({"thinking": False}, STRICT, OFF),
    "an object is a switch": ({"thinking": OWN}, MODEL, ENABLED),
    "an object that is off": ({"thinking": OFF}, MODEL, None),
    "an object tells the display": (
        {"thinking": {"type": "adaptive", "display": "omitted"}},
        STRICT,
        {"type": "adaptive", "display": "omitted"},
    ),
    "a small limit of the client's": ({"maxOutputTokens": 88}, MODEL, budget(79)),
    "a budget as large as the limit": (
        {"thinkingBudget": 2000, "maxOutputTokens": 2000},
        MODEL,
        ENABLED,
    ),
    "OpenAI's effort is another API's": ({"reasoning_effort": "high"}, MODEL, ENABLED),
}


@pytest.mark.parametrize(("params", "model", "thinking"), INTERFACE.values(), ids=INTERFACE)
def test_librechats_interface_thinks(params, model, thinking):
    assert thinking_of(params, model=model, ui=True) == thinking


@pytest.mark.parametrize("added", [{"max_tokens": 1024}, {"maxTokens": 321}])
def test_a_limit_of_the_operators_that_is_too_small_switches_it_off(added):
    assert thinking_of(ui=True, addParams=added) is None
    assert thinking_of(ui=True, model=ADAPTIVE, addParams=added) == ADAPTS
    assert thinking_of(ui=True, addParams={"max_tokens": 1100}) == budget(990)


#        params, model, thinking, sampling that is sent
SAMPLING = {
    "a temperature": ({"temperature": 0.3}, MODEL, None, {"temperature": 0.3}),
    "of zero": ({"temperature": 0}, MODEL, None, {"temperature": 0}),
    "of one": ({"temperature": 1.0}, MODEL, ENABLED, {}),
    "beside thinking that is on": (
        {"temperature": 0.3, "thinking": True},
        MODEL,
        None,
        {"temperature": 0.3},
    ),
    "adaptive": (
        {"temperature": 0.3, "topP": 0.5},
        ADAPTIVE,
        None,
        {"temperature": 0.3, "top_p": 0.5},
    ),
    "top_p": ({"topP": 0.5}, MODEL, None, {"top_p": 0.5}),
    "top_p and a temperature of one": (
        {"topP": 0.5, "temperature": 1},
        MODEL,
        None,
        {"top_p": 0.5},
    ),
    "top_p, adaptive": ({"topP": 0.5, "topK": 5}, ADAPTIVE, ADAPTS, {}),
    "top_p, 3.7": ({"topP": 0.5}, SEVEN, ENABLED, {}),
    "the API's own name": ({"top_p": 0.5}, ADAPTIVE, None, {"top_p": 0.5}),
    "both": ({"top_p": 0.5, "topK": 5}, ADAPTIVE, None, {"top_p": 0.5, "top_k": 5}),
    "the API's own name, thinking on": (
        {"top_p": 0.5, "thinking": True},
        MODEL,
        ENABLED,
        {"top_p": 0.5},
    ),
    "thinking off": ({"topP": 0.5, "thinking": False}, ADAPTIVE, None, {"top_p": 0.5}),
    "refused by the model": ({"temperature": 0.3, "top_p": 0.5, "topK": 5}, STRICT, SHOWN, {}),
}


@pytest.mark.parametrize(
    ("params", "model", "thinking", "sampling"), SAMPLING.values(), ids=SAMPLING
)
def test_sampling_and_default_thinking(params, model, thinking, sampling):
    body = body_of(params, model=model, ui=True)
    assert body.get("thinking") == thinking
    assert {
        name: body[name] for name in ("temperature", "top_p", "top_k") if name in body
    } == sampling


@pytest.mark.parametrize("added", [{"topP": 0.3}, {"top_p": 0.3}])
@pytest.mark.parametrize("model", [MODEL, ADAPTIVE])
@pytest.mark.parametrize("params", [{}, {"thinkingBudget": 3000}])
def test_sampling_of_the_operators_wins(added, model, params):
    body = body_of(params, model=model, ui=True, addParams=added)
    assert "thinking" not in body
    assert body["top_p"] == 0.3


def test_sampling_that_is_dropped_does_not_count():
    assert thinking_of({"temperature": 0.5}, ui=True, dropParams=["temperature"]) == ENABLED


def loop(*thinking: object) -> list[object]:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    return [
        *HI,
        {"role": "assistant", "tool_calls": [call], "thinking_blocks": [*thinking]},
        {"role": "tool", "tool_call_id": "c", "content": "4"},
    ]


NO_ROOM = {
    "a tool turn without thinking": ({}, loop()),
    "a prefill": ({}, [*HI, {"role": "assistant", "content": "{"}]),
    "a tool that is forced": ({"tools": [TOOL], "tool_choice": "required"}, HI),
    "a named tool": (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        HI,
    ),
}


@pytest.mark.parametrize(("params", "messages"), NO_ROOM.values(), ids=NO_ROOM)
def test_what_was_not_asked_for_in_as_many_words_gives_way(params, messages):
    hinted = {"reasoning_effort": "low"} | params
    assert thinking_of(params, messages=messages, ui=True) is None
    assert thinking_of(hinted, messages=messages) is None
    assert thinking_of({"thinking": True} | params, messages=messages) == ENABLED


def test_where_thinking_must_be_switched_off_it_is():
    params = {"tools": [TOOL], "tool_choice": "required"}
    assert thinking_of(params, model=STRICT, ui=True) == OFF


def test_there_is_room_in_a_tool_turn_that_began_with_thinking():
    assert thinking_of(messages=loop(SIGNED), ui=True) == ENABLED
    assert thinking_of(messages=loop(), ui=True, model=ADAPTIVE) == ADAPTS


def test_the_operators_own_object_stands():
    added = {"addParams": {"thinking": OWN}}
    assert thinking_of({"temperature": 0.5, "thinking": False}, ui=True, **added) == OWN


@pytest.mark.parametrize("ui", [True, False])
def test_dropped_thinking_is_not_sent(ui):
    for params in ({"thinking": OWN}, {"thinkingBudget": 3000}, {"thinking": False}, {}):
        assert thinking_of(params, model=STRICT, ui=ui, dropParams=["thinking"]) is None


@pytest.mark.parametrize(("name", "value"), [("thinking", "on"), ("thinkingBudget", 1.5)])
@pytest.mark.parametrize("ui", [True, False])
def test_wrong_values_are_named(name, value, ui):
    with pytest.raises(InvalidBodyError) as caught:
        body_of({name: value}, ui=ui)
    assert caught.value.param == name
