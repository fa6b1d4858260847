"""How models are told to reason, each family by its own names."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.converse_shaping import (
    ADAPTIVE,
    CLAUDE,
    HI,
    NOVA,
    OLDER,
    STRICT,
    call,
    fields_of,
    model_fields_of,
    said,
    tool,
)
from waystation.errors import InvalidBodyError

BETAS = ["output-128k-2025-02-19", "fine-grained-tool-streaming-2025-05-14"]
LLAMA = "meta.llama3-3-70b-instruct-v1:0"
KIMI = "moonshot.kimi-k2-thinking"
GPT_OSS = "openai.gpt-oss-120b-1:0"


def thinking_of(params: Mapping[str, object] | None = None, **kwargs: Any) -> Any:
    return model_fields_of(params, **kwargs).get("thinking")


@pytest.mark.parametrize(
    ("params", "model", "thinking"),
    [
        ({}, CLAUDE, None),
        ({"thinking": True}, CLAUDE, {"type": "enabled", "budget_tokens": 2000}),
        ({"thinkingBudget": 5000}, CLAUDE, {"type": "enabled", "budget_tokens": 5000}),
        ({"thinking": True}, ADAPTIVE, {"type": "adaptive"}),
        ({"thinking": True}, STRICT, {"type": "adaptive", "display": "summarized"}),
        ({"thinking": False}, CLAUDE, None),
        ({"thinking": False}, STRICT, {"type": "disabled"}),
        ({"thinking": True}, OLDER, None),
        ({"thinking": True}, NOVA, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, CLAUDE, ...),
        ({"additionalModelRequestFields": {"thinking": {"type": "x"}}}, CLAUDE, {"type": "x"}),
        ({"reasoning_effort": "low"}, CLAUDE, {"type": "enabled", "budget_tokens": 1024}),
        ({"reasoning_effort": "low"}, ADAPTIVE, {"type": "adaptive"}),
    ],
    ids=str,
)
def test_claude_thinks_when_it_is_asked_to(params, model, thinking):
    expected = params["thinking"] if thinking is ... else thinking
    assert thinking_of(params, model=model) == expected


def test_claude_thinks_by_default_for_librechats_interface():
    assert thinking_of(model=CLAUDE, ui=True) == {"type": "enabled", "budget_tokens": 2000}
    assert thinking_of({"thinking": False}, model=CLAUDE, ui=True) is None


def test_efforts_of_claude():
    fields = model_fields_of({"effort": "max"}, model=ADAPTIVE)
    assert fields == {"output_config": {"effort": "max"}, "anthropic_beta": BETAS}


@pytest.mark.parametrize(
    ("model", "params", "limit"),
    [
        (CLAUDE, {"thinking": True}, {"maxTokens": 64_000}),
        (ADAPTIVE, {"thinking": True}, {"maxTokens": 128_000}),
        ("anthropic.claude-sonnet-4-6", {"thinking": True}, {"maxTokens": 64_000}),
        (CLAUDE, {"thinking": True, "max_tokens": 3000}, {"maxTokens": 3000}),
        (STRICT, {"thinking": False}, None),
        (CLAUDE, {}, None),
    ],
    ids=str,
)
def test_a_limit_goes_with_thinking(model, params, limit):
    assert fields_of(params, model=model).get("inferenceConfig") == limit


def test_sampling_that_a_model_refuses_is_left_out():
    asked = {"temperature": 0.5, "top_p": 0.5, "top_k": 5}
    assert fields_of(asked, model=STRICT) == {
        "additionalModelRequestFields": {"anthropic_beta": BETAS}
    }


def test_default_thinking_gives_way_to_a_forced_tool_and_to_a_beginning():
    forced = {"tools": [tool()], "tool_choice": "required"}
    assert thinking_of(forced, model=CLAUDE, ui=True) is None
    begun = [*HI, said("Well", role="assistant")]
    assert thinking_of(model=CLAUDE, ui=True, messages=begun) is None


def test_default_thinking_gives_way_to_a_turn_that_began_without():
    unsigned = said(None, role="assistant", tool_calls=[call()])
    signed = unsigned | {
        "thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "s"}]
    }
    answered = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
    tools = {"tools": [tool()]}
    for turn, is_given in ((unsigned, False), (signed, True)):
        messages = [*HI, turn, answered]
        given = thinking_of(tools, model=CLAUDE, ui=True, messages=messages)
        assert (given is not None) == is_given


@pytest.mark.parametrize(
    ("model", "betas"),
    [
        (CLAUDE, BETAS),
        ("anthropic.claude-4-6-sonnet", BETAS),
        ("anthropic.claude-opus-5-5-v1", None),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", BETAS[:1]),
        (OLDER, None),
        (NOVA, None),
    ],
    ids=str,
)
def test_betas(model, betas):
    assert model_fields_of(model=model).get("anthropic_beta") == betas


@pytest.mark.parametrize("given", [["a", BETAS[1], 5], f"a, {BETAS[1]}"], ids=str)
def test_betas_that_are_asked_for_come_first(given):
    fields = model_fields_of({"anthropic_beta": given}, model=CLAUDE)
    assert fields == {"anthropic_beta": ["a", BETAS[1], BETAS[0]]}


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (GPT_OSS, {"reasoning_effort": "low"}),
        (NOVA, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        (KIMI, {"reasoning_config": "low"}),
    ],
)
def test_efforts_of_others(model, fields):
    assert model_fields_of({"reasoning_effort": "low"}, model=model) == fields
    assert model_fields_of({"reasoning_effort": "none"}, model=model) == {}


def test_an_effort_that_is_none_is_refused():
    with pytest.raises(InvalidBodyError) as caught:
        fields_of({"reasoning_effort": "xhigh"}, model=KIMI)
    assert caught.value.param == "reasoning_effort"
    assert fields_of({"reasoning_effort": "xhigh"}, model=KIMI, ui=True) == {}


def test_top_k_of_nova_has_a_place_of_its_own():
    assert model_fields_of({"top_k": 5}) == {"inferenceConfig": {"topK": 5}}
    assert model_fields_of({"top_k": 5}, model=LLAMA) == {"top_k": 5}
