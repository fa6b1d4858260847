"""LibreChat's names of settings that are no field of an upstream's request.

Source: https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/custom_endpoint,
2026-11.
"""

# They steer how a request is made, whoever sets them.
STEERING = frozenset(
    {
        "web_search",
        "useResponsesApi",
        "streaming",
        "disableStreaming",
        "streamUsage",
        "promptCache",
        "promptCacheTtl",
        "reasoning_effort",
        "reasoning_summary",
        "reasoning_mode",
        "reasoning_context",
    }
)
# They steer a request with Anthropic's parameters; elsewhere they mean nothing.
THINKING = frozenset({"thinking", "thinkingBudget", "thinkingLevel", "thinkingDisplay", "effort"})
# What LibreChat keeps to itself, sent by a client that is LibreChat or given a default.
INTERFACE_ONLY = frozenset(
    {
        "resendFiles",
        "promptPrefix",
        "maxContextTokens",
        "modelLabel",
        "fileTokenLimit",
        "imageDetail",
        "url_context",
        "topK",
        "maxOutputTokens",
    }
)
