"""Decides whether and how hard a model reasons, in the fields of its own that say so.

Claude models are told as the Messages API tells them; other families have names of their own.

Sources, 2026-11: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html,
https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html, and LibreChat for
`reasoning_config`.
"""

import re
from collections.abc import Mapping

from waystation.errors import InvalidBodyError
from waystation.providers.bedrock.fields import Fields, is_nova, without_names
from waystation.providers.claude import models as claude_models
from waystation.providers.claude.thinking_choice import shape_thinking
from waystation.providers.messages_parameters import Parameters

# Another limit than Anthropic's own.
_SONNET_4_6 = re.compile(r"claude-(?:sonnet-4[-.]6|4[-.]6-sonnet)(?!\d)")
_SONNET_4_6_LIMIT = 64_000
_EFFORTS = ("low", "medium", "high")
_NO_EFFORT = "none"
_FORCED = ("any", "tool")
# Fields by which a client could say what `reasoning_effort` says.
EFFORT_FIELDS = ("reasoning_effort", "reasoning_config", "reasoningConfig")
# Source: LibreChat, which sends them for Bedrock.
_LONG_OUTPUT = "output-128k-2025-02-19"
_FINE_GRAINED_TOOLS = "fine-grained-tool-streaming-2025-05-14"
_CLAUDE_3_7 = re.compile(r"claude-3[-.]7")
_CLAUDE_4 = re.compile(
    r"claude-(?:[4-9](?:[.-]\d+)?-(?:sonnet|opus|haiku)|(?:sonnet|opus|haiku)-[4-9])"
)
_OPUS_5_5 = re.compile(r"claude-(?:opus-5[-.]5|5[-.]5-opus)")


def is_claude(model: str) -> bool:
    """Tell whether a model is one of Anthropic's, by its id or the profile that names it."""
    return "claude" in model


def shape_reasoning(
    fields: Fields,
    parameters: Parameters,
    converse: Mapping[str, object],
    *,
    model: str,
    ui_defaults: bool,
) -> Fields:
    """Return the fields with those that make a model reason, and without what they rule out.

    `converse` holds the messages and tools of the request. Raises InvalidBodyError for values that
    are none.
    """
    if is_claude(model):
        return _shape_claude(fields, parameters, converse, model=model, ui_defaults=ui_defaults)
    effort = parameters.steering.get("reasoning_effort")
    if effort is None or effort == _NO_EFFORT:
        return fields
    if effort not in _EFFORTS:
        if ui_defaults:
            return fields
        raise InvalidBodyError(
            "reasoning_effort must be one of none, low, medium, high.", param="reasoning_effort"
        )
    added = {name: v for name, v in parameters.verbatim.items() if name in EFFORT_FIELDS}
    return {**fields, **_effort_of(model, effort), **added}


def _effort_of(model: str, effort: object) -> Fields:
    if "gpt-oss" in model:
        return {"reasoning_effort": effort}
    if is_nova(model):
        return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}
    return {"reasoning_config": effort}


def _shape_claude(
    fields: Fields,
    parameters: Parameters,
    converse: Mapping[str, object],
    *,
    model: str,
    ui_defaults: bool,
) -> Fields:
    body: Fields = {
        "max_tokens": _limit(model),
        **fields,
        "messages": _turns(converse["messages"]),
        "tool_choice": _choice(converse.get("toolConfig")),
    }
    if "thinking" not in parameters.verbatim:
        body.pop("thinking", None)
    shape_thinking(body, parameters, model=model, ui_defaults=ui_defaults)
    thinking = body.get("thinking")
    thinks = isinstance(thinking, dict) and thinking.get("type") != "disabled"
    gone = ["messages", "tool_choice"]
    if "max_tokens" not in fields and not thinks:
        gone.append("max_tokens")  # the API knows the model's own limit
    shaped = without_names(body, gone)
    betas = [*_given_betas(shaped.get("anthropic_beta")), *_betas(model)]
    return {**shaped, "anthropic_beta": list(dict.fromkeys(betas))} if betas else shaped


def _limit(model: str) -> int:
    return _SONNET_4_6_LIMIT if _SONNET_4_6.search(model) else claude_models.output_limit(model)


def _turns(messages: object) -> list[dict[str, object]]:
    """Return as much of the conversation, in the Messages API's words, as thinking depends on."""
    turns = messages if isinstance(messages, list) else []
    return [
        {"role": turn["role"], "content": [{"type": _kind(block)} for block in turn["content"]]}
        for turn in turns
    ]


def _kind(block: Mapping[str, object]) -> str:
    if "reasoningContent" in block:
        return "thinking"
    return "tool_result" if "toolResult" in block else "other"


def _choice(tool_config: object) -> dict[str, object]:
    choice = tool_config.get("toolChoice", {}) if isinstance(tool_config, dict) else {}
    return {"type": next((name for name in _FORCED if name in choice), "auto")}


def _given_betas(given: object) -> list[str]:
    values = given if isinstance(given, list) else [given]
    texts = [text for value in values if isinstance(value, str) for text in value.split(",")]
    return [name for text in texts if (name := text.strip())]


def _betas(model: str) -> list[str]:
    if _OPUS_5_5.search(model):
        return []
    if _CLAUDE_4.search(model):
        return [_LONG_OUTPUT, _FINE_GRAINED_TOOLS]
    return [_LONG_OUTPUT] if _CLAUDE_3_7.search(model) else []
