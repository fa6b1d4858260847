"""LibreChat's names of parameters, and what becomes of each.

Sources: https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/custom_endpoint
and https://platform.openai.com/docs/api-reference/chat/create, 2026-11.
"""

from collections.abc import Mapping
from types import MappingProxyType

# LibreChat's names of fields that the chat completions API calls otherwise.
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "topP": "top_p",
        "frequencyPenalty": "frequency_penalty",
        "presencePenalty": "presence_penalty",
        "maxTokens": "max_tokens",
        "maxCompletionTokens": "max_completion_tokens",
        "stopSequences": "stop",
        "logitBias": "logit_bias",
        "topLogprobs": "top_logprobs",
        "modelName": "model",
    }
)
# These two only where the parameter set of the entry has them.
SET_ALIASES: Mapping[str, str] = MappingProxyType(
    {"topK": "top_k", "maxOutputTokens": "max_tokens"}
)
SETS_WITH_ALIASES = frozenset({"anthropic", "google"})

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")

# Settings of LibreChat's own client in addParams: its key, its patience, its retries.
CLIENT_ONLY = frozenset(
    {
        "apiKey",
        "configuration",
        "timeout",
        "maxRetries",
        "maxConcurrency",
        "verbose",
        "strict",
        "promptIndex",
        "zdrEnabled",
        "supportsStrictToolCalling",
        "__includeRawResponse",
    }
)
# The conversation itself and how it is answered: neither added nor dropped.
FIXED = frozenset({"messages", "input", "stream"})


def aliases_of(params_endpoint: str) -> Mapping[str, str]:
    """Return the names that the parameter set of an entry translates, with the fields' names."""
    if params_endpoint in SETS_WITH_ALIASES:
        return MappingProxyType({**ALIASES, **SET_ALIASES})
    return ALIASES
