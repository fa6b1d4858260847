"""The dialects, by an entry's `provider`.

All but the one that most entries speak are imported when an entry first needs them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from waystation.config.schema import Endpoint
from waystation.providers.openai_compatible import OpenAiCompatible
from waystation.providers.provider import Provider, TokenCounter

if TYPE_CHECKING:
    from waystation.providers.anthropic import Anthropic


def provider_of(endpoint: Endpoint) -> Provider:
    """Return the dialect of an entry."""
    return _PROVIDERS[endpoint.provider]()


def counter_of(endpoint: Endpoint) -> TokenCounter | None:
    """Return the dialect of an entry whose upstream counts tokens, None for one that does not."""
    return _anthropic() if endpoint.provider == "anthropic" else None


@cache
def _anthropic() -> "Anthropic":
    from waystation.providers.anthropic import Anthropic  # noqa: PLC0415 (spares other chats 10 ms)

    return Anthropic()


@cache
def _bedrock() -> Provider:
    from waystation.providers.bedrock import Bedrock  # noqa: PLC0415 (spares other chats 5 ms)

    return Bedrock()


_OPENAI_COMPATIBLE = OpenAiCompatible()
_PROVIDERS: Mapping[str | None, Callable[[], Provider]] = {
    None: lambda: _OPENAI_COMPATIBLE,
    "anthropic": _anthropic,
    "bedrock": _bedrock,
}
