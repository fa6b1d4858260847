"""Builds the request for a title: which entry it is made of, and what it says.

A title is a plain answer of one message. What shapes a chat's answer has no place in it: limits of
tokens, thinking, tools, cache marks. All else of the entry holds as it does for a chat.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from waystation.config.schema import Endpoint, Extension
from waystation.config.schema_titles import CURRENT_MODEL, TitleSettings
from waystation.titles.models import anthropic_limit, takes_schema
from waystation.wire.chat_request import LIMITS, ChatRequest

_SKIPPED = frozenset(
    {
        *LIMITS,
        "stream",
        "streaming",
        "stream_options",
        "thinking",
        "thinkingBudget",
        "thinkingLevel",
        "thinkingDisplay",
        "promptCache",
        "promptCacheTtl",
        "web_search",
        "web_search_options",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "functions",
        "function_call",
        "n",
    }
)
# What makes a model of Anthropic's API think, where other APIs take it for less.
_HINTS_TO_THINK = frozenset({"reasoning_effort"})
_ANTHROPIC = "anthropic"
_SETS_WITH_OWN_SEARCH = frozenset({_ANTHROPIC, "google"})
_GOOGLE = "google"
_NAME = "extract"
_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "language": {
            "type": "string",
            "description": "The detected language of the conversation",
        },
        "title": {
            "type": "string",
            "description": "A concise title for the conversation in 5 words or less, "
            "without punctuation or quotation",
        },
    },
    "required": ["language", "title"],
}
_BY_SCHEMA = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": _NAME, "schema": _SCHEMA},
    }
}
_BY_TOOL = {
    "tools": [
        {
            "type": "function",
            "function": {"name": _NAME, "description": "", "parameters": _SCHEMA},
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": _NAME}},
}


@dataclass(frozen=True, slots=True)
class TitleRequest:
    """`plainer` asks for the same by a tool, where `request` asks for an answer by a schema."""

    request: ChatRequest
    plainer: ChatRequest | None
    is_structured: bool


def title_model(settings: TitleSettings, conversation_model: str) -> str:
    """Return the model that is asked for the title."""
    return conversation_model if settings.title_model == CURRENT_MODEL else settings.title_model


def entry_for_titles(endpoint: Endpoint) -> Endpoint:
    """Return the entry as it counts for titles."""
    searches = endpoint.add_params.get("web_search", endpoint.param_defaults.get("web_search"))
    by_responses = (
        searches is True
        and "web_search" not in endpoint.drop_params
        and endpoint.provider is None
        and endpoint.params_endpoint not in _SETS_WITH_OWN_SEARCH
    )
    # Web search is a tool of the Responses API: without the tool, it is still that API.
    added = {"useResponsesApi": True} if by_responses else {}
    is_native = endpoint.provider == _ANTHROPIC
    skipped = _SKIPPED | _HINTS_TO_THINK if is_native else _SKIPPED
    entry = endpoint.without_params(skipped, **added)
    plain = Extension(think_tags="keep")  # titles are cleaned in one place
    return entry.replaced(waystation=plain)


def build_request(
    settings: TitleSettings,
    endpoint: Endpoint,
    *,
    model: str,
    prompt: str,
    conversation: Mapping[str, str],
) -> TitleRequest:
    """Return the request for a title to an endpoint."""
    is_native = endpoint.provider == _ANTHROPIC
    limit: dict[str, object] = {"max_tokens": anthropic_limit(model)} if is_native else {}

    def ask(params: Mapping[str, object]) -> ChatRequest:
        return ChatRequest(
            model=model,
            messages=[{"role": _role(settings, endpoint), "content": prompt}],
            stream=False,
            params={**limit, **params},
            conversation=conversation,
        )

    if settings.title_method == "completion":
        return TitleRequest(ask({}), None, is_structured=False)
    if endpoint.provider is None and takes_schema(model):
        return TitleRequest(ask(_BY_SCHEMA), ask(_BY_TOOL), is_structured=True)
    return TitleRequest(ask(_BY_TOOL), None, is_structured=True)


def _role(settings: TitleSettings, endpoint: Endpoint) -> str:
    """Return the role of the message: APIs that take no system message alone get a user's."""
    needs_user = endpoint.provider is not None or endpoint.name == _GOOGLE
    return "user" if needs_user else settings.title_message_role
