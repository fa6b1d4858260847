"""Decides whether and how a model thinks, and what of the sampling goes with it.

LibreChat's interface thinks by default (uiDefaults); a plain client asks for it, by LibreChat's
names, by the API's own object, or by OpenAI's `reasoning_effort`. What was not asked for in as many
words gives way where the request leaves no room for it.

Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking, 2026-11.
"""

from collections.abc import Mapping
from types import MappingProxyType

from waystation.errors import InvalidBodyError
from waystation.providers.claude import models as claude_models
from waystation.providers.claude.thinking import accepted_effort, thinking_off, thinking_on
from waystation.providers.claude.turns import ends_with_answer, lacks_signed_thinking
from waystation.providers.messages_parameters import Parameters

Body = dict[str, object]

_SAMPLING = ("temperature", "top_p", "top_k")
# Source of the first three: https://docs.litellm.ai/docs/providers/anthropic, 2026-11.
_BUDGETS: Mapping[str, int] = MappingProxyType(
    {
        "minimal": 1024,
        "low": 1024,
        "medium": 2048,
        "high": 4096,
        "xhigh": 8192,
        "max": 16_384,
    }
)
_NO_EFFORT = "none"


def shape_thinking(body: Body, parameters: Parameters, *, model: str, ui_defaults: bool) -> None:
    """Put `thinking` and the effort into a body, and take out sampling that does not go with them.

    `model` is the one whose name tells what it takes. Raises InvalidBodyError for values that are
    none, and for an effort that the model does not know.
    """
    if claude_models.refuses_sampling(model):
        for name in _SAMPLING:
            body.pop(name, None)
    wish = _Wish(parameters, ui_defaults=ui_defaults)
    if "thinking" not in parameters.verbatim and "thinking" not in parameters.dropped:
        thinking = wish.thinking(body, model)
        if thinking is not None:
            body["thinking"] = thinking
    if wish.effort and claude_models.is_adaptive(model):
        given = body.get("output_config")
        body["output_config"] = {
            "effort": accepted_effort(model, wish.effort, body.get("thinking")),
            **(given if isinstance(given, dict) else {}),
        }


class _Wish:
    """What was asked of a model's thinking, and how firmly. Raises InvalidBodyError."""

    def __init__(self, parameters: Parameters, *, ui_defaults: bool) -> None:
        self._parameters = parameters
        self._ui_defaults = ui_defaults
        self._object = parameters.fields.get("thinking")
        self._budget = parameters.steering.get("thinkingBudget")
        if self._budget is not None and type(self._budget) is not int:
            raise InvalidBodyError("thinkingBudget must be a whole number.", param="thinkingBudget")
        self._hint = None if ui_defaults else _hint_of(parameters)
        hinted = "low" if self._hint == "minimal" else self._hint
        own = parameters.choice("effort")
        self.effort = own or (hinted if hinted != _NO_EFFORT else None)

    def thinking(self, body: Body, model: str) -> object:
        """Return the `thinking` of the body, None for none."""
        if isinstance(self._object, dict) and not self._ui_defaults:
            return self._object
        flag = self._flag()
        is_hint = self._is_unsaid() and not self._ui_defaults
        wanted = flag if flag is not None else self._is_wanted_unsaid()
        if not wanted:
            is_said = flag is False or self._hint == _NO_EFFORT
            return thinking_off(model) if is_said else None
        limit = body.get("max_tokens")
        on = thinking_on(
            model,
            budget=_hinted_budget(self._hint, limit) if self._hint and is_hint else self._budget,
            limit=limit,
            display=self._display(),
        )
        if on is None:
            if is_hint:
                raise InvalidBodyError(
                    f"reasoning_effort cannot be expressed for the model {model}.",
                    param="reasoning_effort",
                )
            return None
        if (is_hint or self._ui_defaults) and self._gives_way(body, model, on, is_hint=is_hint):
            return thinking_off(model)
        return on

    def _flag(self) -> bool | None:
        """Return whether thinking was switched on or off, None if nobody said."""
        if isinstance(self._object, dict):  # LibreChat reads it as a switch
            return self._object.get("type") != "disabled"
        flag = self._parameters.steering.get("thinking")
        if flag is None or isinstance(flag, bool):
            return flag
        raise InvalidBodyError("thinking must be true, false or an object.", param="thinking")

    def _is_unsaid(self) -> bool:
        return self._flag() is None and self._budget is None

    def _is_wanted_unsaid(self) -> bool:
        hints = self._hint is not None and self._hint != _NO_EFFORT
        return self._ui_defaults or self._budget is not None or hints

    def _display(self) -> object:
        told = self._object.get("display") if isinstance(self._object, dict) else None
        return self._parameters.choice("thinkingDisplay") or told

    def _gives_way(self, body: Body, model: str, on: Body, *, is_hint: bool) -> bool:
        """Tell whether a request leaves no room for thinking that is no firm wish."""
        if self._ui_defaults and self._sampling_wins(body, model):
            return True
        if _forces_a_tool(body) or ends_with_answer(body["messages"]):
            return True
        if on["type"] != "enabled":
            return False
        is_cut = is_hint or "max_tokens" in self._parameters.verbatim
        limit = body.get("max_tokens")
        is_small = type(limit) is int and limit <= claude_models.MIN_THINKING_BUDGET
        return (is_cut and is_small) or lacks_signed_thinking(body["messages"])

    def _sampling_wins(self, body: Body, model: str) -> bool:
        """Tell whether sampling was chosen that excludes thinking.

        A temperature of 1 is what thinking has anyway. A client's top_p and top_k by LibreChat's
        names are left out as LibreChat does, where the model is one that it leaves them out for;
        beside thinking that was asked for, the upstream judges those by the API's own names.
        """
        if body.get("temperature") == 1:
            del body["temperature"]
        chosen = {"top_p", "top_k"} & body.keys()
        renamed = chosen & self._parameters.renamed
        if "temperature" in body or not chosen:
            return "temperature" in body
        if renamed == chosen and claude_models.forgoes_sampling_while_thinking(model):
            for name in chosen:
                del body[name]
            return False
        return bool(renamed or chosen & self._parameters.verbatim.keys()) or self._is_unsaid()


def _hint_of(parameters: Parameters) -> str | None:
    hint = parameters.steering.get("reasoning_effort")
    if hint is None:
        return None
    if not isinstance(hint, str) or (hint not in _BUDGETS and hint != _NO_EFFORT):
        raise InvalidBodyError(
            f"reasoning_effort must be one of {', '.join([_NO_EFFORT, *_BUDGETS])}.",
            param="reasoning_effort",
        )
    return hint


def _hinted_budget(hint: str, limit: object) -> int:
    budget = _BUDGETS[hint]
    if type(limit) is int and budget >= limit:
        return max(claude_models.MIN_THINKING_BUDGET, limit * 9 // 10)
    return budget


def _forces_a_tool(body: Body) -> bool:
    choice = body.get("tool_choice")
    return isinstance(choice, dict) and choice.get("type") in ("any", "tool")
