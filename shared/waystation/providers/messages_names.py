"""The names a Messages request is asked with, OpenAI's, LibreChat's and the API's own.

Sources, 2026-11: https://platform.claude.com/docs/en/api/messages and
https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/custom_endpoint
"""

from collections.abc import Mapping
from types import MappingProxyType

# The limit of output tokens: of several names that a client gives, the first counts.
LIMITS = (
    "maxOutputTokens",
    "max_completion_tokens",
    "maxCompletionTokens",
    "max_output_tokens",
    "max_tokens",
    "maxTokens",
)
ADDED_LIMITS = ("max_tokens", "maxTokens", "maxOutputTokens")

# LibreChat's names of fields, and of OpenAI's fields the other spelling.
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "topP": "top_p",
        "topK": "top_k",
        "stop": "stop_sequences",
        "stopSequences": "stop_sequences",
        "modelName": "model",
        "frequencyPenalty": "frequency_penalty",
        "presencePenalty": "presence_penalty",
        "logitBias": "logit_bias",
        "topLogprobs": "top_logprobs",
    }
)
DROPPED_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        **ALIASES,
        **dict.fromkeys(LIMITS, "max_tokens"),
        "user": "metadata",
        "user_id": "metadata",
    }
)
# Settings of LibreChat's own client in addParams: its key, its URL, its patience.
CLIENT_ONLY = frozenset({"apiKey", "anthropicApiUrl", "defaultHeaders", "timeout", "maxRetries"})
# LibreChat's settings for other APIs, which mean nothing to this one.
OTHER_APIS = frozenset({"frequency_penalty", "presence_penalty", "verbosity"})
# The conversation itself, and how it is answered.
FIXED = frozenset({"messages", "stream"})
