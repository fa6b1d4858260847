"""The dialects, by an entry's `provider`."""

from collections.abc import Mapping

from waystation.config.schema import Endpoint
from waystation.providers.anthropic import Anthropic
from waystation.providers.bedrock import Bedrock
from waystation.providers.openai_compatible import OpenAiCompatible
from waystation.providers.provider import Provider, TokenCounter

_ANTHROPIC = Anthropic()
_PROVIDERS: Mapping[str | None, Provider] = {
    None: OpenAiCompatible(),
    "anthropic": _ANTHROPIC,
    "bedrock": Bedrock(),
}
_COUNTERS: Mapping[str | None, TokenCounter] = {"anthropic": _ANTHROPIC}


def provider_of(endpoint: Endpoint) -> Provider:
    """Return the dialect of an entry."""
    return _PROVIDERS[endpoint.provider]


def counter_of(endpoint: Endpoint) -> TokenCounter | None:
    """Return the dialect of an entry whose upstream counts tokens, None for one that does not."""
    return _COUNTERS.get(endpoint.provider)
