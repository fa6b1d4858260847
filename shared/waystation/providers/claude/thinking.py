"""How Claude models are told to think, and how hard.

Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking and
https://platform.claude.com/docs/en/build-with-claude/effort, 2026-11.
"""

from waystation.providers.claude import models as claude_models

_EFFORTS_WITH_THINKING = frozenset({"xhigh", "max"})
_DISPLAYS = frozenset({"summarized", "omitted"})


def thinking_on(
    model: str, *, budget: object = None, limit: object = None, display: object = None
) -> dict[str, object] | None:
    """Return the `thinking` object that has a model think, None if it cannot.

    `budget` is in tokens and counts where the model takes one: LibreChat's default in its place,
    nine tenths of `limit` if it exceeds that. `display` is summarized, omitted, or whatever else
    for what shows the thinking.
    """
    kind = claude_models.default_thinking(model)
    if kind == "none":
        return None
    if kind == "adaptive":
        return {"type": "adaptive", **_display(model, display)}
    tokens = budget if type(budget) is int else claude_models.DEFAULT_THINKING_BUDGET
    if type(limit) is int and tokens > limit:
        tokens = limit * 9 // 10
    return {"type": "enabled", "budget_tokens": tokens}


def thinking_off(model: str) -> dict[str, object] | None:
    """Return the `thinking` object that keeps a model from thinking, None if it needs none."""
    return {"type": "disabled"} if claude_models.must_be_told_not_to_think(model) else None


def accepted_effort(model: str, effort: str, thinking: object) -> str:
    """Return the effort that a model accepts beside `thinking`."""
    is_off = isinstance(thinking, dict) and thinking.get("type") == "disabled"
    if is_off and claude_models.caps_effort(model) and effort in _EFFORTS_WITH_THINKING:
        return "high"
    return effort


def _display(model: str, display: object) -> dict[str, object]:
    if isinstance(display, str) and display in _DISPLAYS:
        return {"display": display}
    return {"display": "summarized"} if claude_models.hides_thinking(model) else {}
