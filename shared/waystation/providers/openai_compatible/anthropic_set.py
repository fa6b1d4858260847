"""`defaultParamsEndpoint: anthropic`: Anthropic's parameters on a chat completion.

LibreChat's interface thinks by default and sets the model's own limit; both only with uiDefaults.
"""

from waystation.providers.claude import models as claude_models
from waystation.providers.claude.thinking import accepted_effort, thinking_off, thinking_on
from waystation.providers.openai_compatible.parameters import Parameters


def shape_anthropic(
    parameters: Parameters, *, model: str, user_id: str, ui_defaults: bool
) -> tuple[str, ...]:
    """Shape the fields; return the values of `anthropic-beta` that go with them."""
    fields = parameters.fields
    _identify(parameters, user_id)
    if ui_defaults and parameters.limit() is None:
        fields["max_tokens"] = claude_models.output_limit(model)
    _shape_thinking(parameters, model, ui_defaults=ui_defaults)
    _shape_effort(parameters, model)
    if parameters.says("web_search"):
        parameters.add_search_tool(claude_models.SEARCH_TOOL)
    caches = parameters.caches_prompt(ui_defaults=ui_defaults)
    return claude_models.beta_headers(
        model, caches=caches and claude_models.supports_caching(model)
    )


def _identify(parameters: Parameters, user_id: str) -> None:
    """Name the user where Anthropic looks for it; what addParams says stands."""
    fields = parameters.fields
    if "user" not in parameters.added:
        fields.pop("user", None)
    if "metadata" not in parameters.added:
        given = fields.get("metadata")
        fields["metadata"] = {**(given if isinstance(given, dict) else {}), "user_id": user_id}


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
    if wanted is None:
        wanted = ui_defaults or budget is not None
    if not wanted:
        return thinking_off(model) if "thinking" in parameters.steering else None
    return thinking_on(
        model,
        budget=budget,
        limit=parameters.limit(),
        display=parameters.choice("thinkingDisplay"),
    )


def _shape_effort(parameters: Parameters, model: str) -> None:
    effort = parameters.choice("effort")
    if effort is None or not claude_models.is_adaptive(model):
        return
    given = parameters.fields.get("output_config")
    parameters.fields["output_config"] = {
        "effort": accepted_effort(model, effort, parameters.fields.get("thinking")),
        **(given if isinstance(given, dict) else {}),
    }
