"""How a model is told to think."""

import pytest

from waystation.providers.claude.thinking import accepted_effort, thinking_off, thinking_on

ON = {
    "a budget": ("claude-sonnet-4-5", {"budget": 3000}, {"budget_tokens": 3000}),
    "the default": ("claude-sonnet-4-5", {}, {"budget_tokens": 2000}),
    "a budget that is none": ("claude-sonnet-4-5", {"budget": "x"}, {"budget_tokens": 2000}),
    "above the limit": ("claude-sonnet-4-5", {"limit": 100}, {"budget_tokens": 90}),
    "at the limit": ("claude-sonnet-4-5", {"limit": 2000}, {"budget_tokens": 2000}),
    "a limit that is none": ("claude-sonnet-4-5", {"limit": "x"}, {"budget_tokens": 2000}),
}


@pytest.mark.parametrize(("model", "given", "told"), ON.values(), ids=ON)
def test_budgets(model, given, told):
    assert thinking_on(model, **given) == {"type": "enabled"} | told


@pytest.mark.parametrize("display", ["summarized", "omitted"])
def test_displays(display):
    told = {"type": "adaptive", "display": display}
    assert thinking_on("claude-opus-4-6", display=display) == told
    assert thinking_on("claude-opus-4-7", display=display) == told


@pytest.mark.parametrize("display", [None, "auto", ["omitted"]])
def test_thinking_that_is_hidden_is_shown_unless_told_otherwise(display):
    shown = {"type": "adaptive", "display": "summarized"}
    assert thinking_on("claude-opus-4-7", display=display) == shown
    assert thinking_on("claude-opus-4-6", display=display) == {"type": "adaptive"}


def test_some_models_do_not_think_and_some_must_be_told_not_to():
    assert thinking_on("claude-3-opus-20240229") is None
    assert thinking_off("claude-opus-4-7") is None
    assert thinking_off("claude-opus-5") == {"type": "disabled"}


@pytest.mark.parametrize(
    ("model", "thinking", "effort"),
    [
        ("claude-opus-5", {"type": "disabled"}, "high"),
        ("claude-opus-5", {"type": "adaptive"}, "max"),
        ("claude-opus-5", None, "max"),
        ("claude-sonnet-5", {"type": "disabled"}, "max"),
    ],
)
def test_efforts_beyond_high_need_thinking_with_some(model, thinking, effort):
    assert accepted_effort(model, "max", thinking) == effort
