"""What OpenRouter reads beyond chat completions: its `reasoning` object, plugins, cache marks.

Source: https://openrouter.ai/docs/features, 2026-11. That models reason and prompts are cached
unasked are defaults of LibreChat's interface, applied only with uiDefaults.
"""

from waystation.providers.claude import models as claude_models
from waystation.providers.openai_compatible.parameters import Parameters
from waystation.providers.openai_compatible.reasoning_request import chosen_members
from waystation.wire.checks import list_at

_WEB = {"id": "web"}
_VERBOSITY_OF_EFFORT = {"minimal": "low", "xhigh": "max"}


def shape_openrouter(
    parameters: Parameters, *, model: str, ui_defaults: bool, may_reason: bool
) -> None:
    """Shape web search and reasoning; `may_reason` is false with reasoningFormat: disabled."""
    fields = parameters.fields
    if parameters.says("web_search"):
        plugins = list_at(fields.get("plugins", []), "plugins")
        fields["plugins"] = [*plugins, dict(_WEB)]
    if not may_reason:
        fields.pop("reasoning", None)
        fields.pop("include_reasoning", None)
    else:
        _shape_reasoning(parameters, model, ui_defaults=ui_defaults)


def _shape_reasoning(parameters: Parameters, model: str, *, ui_defaults: bool) -> None:
    fields, effort = parameters.fields, chosen_members(parameters).get("effort")
    given = fields.get("reasoning")
    if given is not None:  # a whole object goes as it is; what it leaves open was chosen
        if effort is not None and isinstance(given, dict):
            fields["reasoning"] = {"effort": effort, **given}
    elif isinstance(effort, str) and effort != "none" and _is_adaptive_claude(model):
        fields["reasoning"] = {"enabled": True}  # such a model takes its effort as verbosity
        if "verbosity" not in parameters.added:
            fields["verbosity"] = _VERBOSITY_OF_EFFORT.get(effort, effort)
    elif effort is not None:
        fields["reasoning"] = {"effort": effort}
    elif ui_defaults:
        fields["reasoning"] = {"enabled": True}


def _is_adaptive_claude(model: str) -> bool:
    vendor, _, name = model.partition("/")
    return vendor == "anthropic" and claude_models.is_adaptive(name)
