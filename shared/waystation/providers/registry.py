"""The dialects this version serves, by an entry's `provider`."""

from collections.abc import Mapping

from waystation.config.schema import Endpoint
from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible import OpenAiCompatible
from waystation.providers.provider import Provider

_PROVIDERS: Mapping[str | None, Provider] = {None: OpenAiCompatible()}


def provider_of(endpoint: Endpoint) -> Provider:
    """Return the dialect of an entry. Raises InvalidBodyError for one that is not served."""
    provider = _PROVIDERS.get(endpoint.provider)
    if provider is None:
        raise InvalidBodyError(
            f"Endpoint '{endpoint.name}' has provider: {endpoint.provider}, "
            "which this version of the gateway does not serve.",
            param="model",
        )
    return provider
