"""What the name of a model tells about the request it takes.

Sources: https://platform.openai.com/docs/guides/reasoning and LibreChat's behaviour, 2026-11.
"""

import re

from waystation.providers.openai_compatible.parameters import Parameters

_SAMPLING_FREE = re.compile(r"\b(?:o[13]|gpt-5)(?!\.|-chat)(?:-|$)")
_SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias", "n")
_NEVER_SPARED = frozenset({"temperature", "n", "logprobs"})
_SEARCHES = re.compile(r"gpt-4o.*search")
_REFUSED_IN_SEARCH = (
    "frequency_penalty",
    "presence_penalty",
    "reasoning",
    "reasoning_effort",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "logit_bias",
    "seed",
    "response_format",
    "n",
    "logprobs",
    "user",
)
_COMPLETION_LIMIT = re.compile(r"\bgpt-[5-9](?:\.\d+)?\b|^o\d", re.IGNORECASE)
_DEVELOPER = re.compile(r"o\d|gpt-5(?!-chat)")
_REPLAYS_REASONING = re.compile(r"deepseek(?:[-/]|$)", re.IGNORECASE)


def drop_refused(parameters: Parameters, model: str) -> None:
    """Take out what a model is known to refuse.

    A reasoning model gets what addParams gives by the field's own name, as LibreChat sends it.
    """
    spared: set[str] = set()
    if _SAMPLING_FREE.search(model):
        refused: tuple[str, ...] = (*_SAMPLING, "logprobs", "top_logprobs")
        spared = parameters.verbatim - _NEVER_SPARED
    elif _SEARCHES.search(model):
        refused = _REFUSED_IN_SEARCH
    else:
        return
    for name in refused:
        if name not in spared:
            parameters.fields.pop(name, None)


def name_limit(parameters: Parameters, model: str) -> None:
    """Give the limit of output tokens the name that a model wants."""
    if "max_tokens" in parameters.fields and _COMPLETION_LIMIT.search(model):
        parameters.set_limit("max_completion_tokens", parameters.fields["max_tokens"])


def system_role(model: str) -> str:
    """Return the role of instructions: reasoning models of OpenAI's call it developer."""
    return "developer" if _DEVELOPER.match(model) else "system"


def replays_reasoning(model: str) -> bool:
    """Tell whether a model wants its reasoning back on turns that called tools."""
    return _REPLAYS_REASONING.match(model) is not None
