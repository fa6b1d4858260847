"""`defaultParamsEndpoint: anthropic`: Anthropic's parameters on a chat completion.

LibreChat's interface thinks by default and sets the model's own limit; both only with uiDefaults.
"""

from waystation.providers import claude_models
from waystation.providers.openai_compatible.parameters import Parameters

_EFFORTS_WITH_THINKING = frozenset({"xhigh", "max"})
_SEARCH_TOOL = {"type": "web_search_20250305", "name": "web_search"}


def shape_anthropic(
    parameters: Parameters, *, model: str, user_id: str, ui_defaults: bool
) -> tuple[str, ...]:
    """Shape the fields; return the values of `anthropic-beta` that go with them."""
    fields = parameters.fields
    _identify(fields, user_id)
    if ui_defaults and parameters.limit() is None:
        fields["max_tokens"] = claude_models.output_limit(model)
    _shape_thinking(parameters, model, ui_defaults=ui_defaults)
    _shape_effort(parameters, model)
    if parameters.says("web_search"):
        tools = fields.get("tools")
        fields["tools"] = [*(tools if isinstance(tools, list) else []), dict(_SEARCH_TOOL)]
    caches = parameters.caches_prompt(ui_defaults=ui_defaults)
    return claude_models.beta_headers(
        model, caches=caches and claude_models.supports_caching(model)
    )


def _identify(fields: dict[str, object], user_id: str) -> None:
    """Name the user where Anthropic looks for it."""
    fields.pop("user", None)
    metadata = fields.get("metadata")
    fields["metadata"] = {**(metadata if isinstance(metadata, dict) else {}), "user_id": user_id}


def _shape_thinking(parameters: Parameters, model: str, *, ui_defaults: bool) -> None:
    fields, kind = parameters.fields, claude_models.default_thinking(model)
    if "thinking" not in fields and (shaped := _thinking(parameters, model, ui_defaults)):
        fields["thinking"] = shaped
    thinking = fields.get("thinking")
    thinks = isinstance(thinking, dict) and thinking.get("type") != "disabled"
    if claude_models.refuses_sampling(model):
        refused: tuple[str, ...] = ("temperature", "top_p", "top_k")
    elif kind != "none" and thinks and claude_models.forgoes_sampling_while_thinking(model):
        refused = ("top_p", "top_k")
    else:
        refused = ()
    for name in refused:
        fields.pop(name, None)


def _thinking(parameters: Parameters, model: str, ui_defaults: bool) -> dict[str, object] | None:
    wanted = parameters.steering.get("thinking")
    budget = parameters.steering.get("thinkingBudget")
    kind = claude_models.default_thinking(model)
    if wanted is None:
        wanted = ui_defaults or budget is not None
    if kind == "none":
        return None
    if not wanted:
        is_told = claude_models.must_be_told_not_to_think(model) and "thinking" in (
            parameters.steering
        )
        return {"type": "disabled"} if is_told else None
    if kind == "adaptive":
        return {"type": "adaptive", **_display(parameters, model)}
    tokens = budget if type(budget) is int else claude_models.DEFAULT_THINKING_BUDGET
    limit = parameters.limit()
    if type(limit) is int and tokens > limit:
        tokens = limit * 9 // 10
    return {"type": "enabled", "budget_tokens": tokens}


def _display(parameters: Parameters, model: str) -> dict[str, object]:
    chosen = parameters.choice("thinkingDisplay")
    if chosen in {"summarized", "omitted"}:
        return {"display": chosen}
    return {"display": "summarized"} if claude_models.hides_thinking(model) else {}


def _shape_effort(parameters: Parameters, model: str) -> None:
    effort, thinking = parameters.choice("effort"), parameters.fields.get("thinking")
    if effort is None or not claude_models.is_adaptive(model):
        return
    is_off = isinstance(thinking, dict) and thinking.get("type") == "disabled"
    if is_off and claude_models.caps_effort(model) and effort in _EFFORTS_WITH_THINKING:
        effort = "high"
    given = parameters.fields.get("output_config")
    parameters.fields["output_config"] = {
        "effort": effort,
        **(given if isinstance(given, dict) else {}),
    }
