"""Where an upstream tells which models it has."""

import re
from urllib.parse import quote, urlsplit, urlunsplit

from waystation.providers.addressing import url_below

# Parts of a path that a gateway puts between its own `/v1` and the API of a provider.
# Source: https://developers.cloudflare.com/ai-gateway/usage/providers, 2026-11.
_PROVIDERS = (
    "openai",
    "aws-bedrock",
    "anthropic",
    "cohere",
    "deepseek",
    "google-ai-studio",
    "google-vertex-ai",
    "grok",
    "groq",
    "mistral",
    "openrouter",
    "perplexity-ai",
    "replicate",
    "huggingface",
    "workers-ai",
)
_VERSION = "/v1"
_AZURE = "/azure-openai/"  # resource and deployment follow
_CHATS = re.compile(r"/(?:chat|completion)")


def list_url(base_url: str, *, is_direct: bool, user_id: str | None) -> str:
    """Return the URL of the list below a base URL.

    The URL of a direct endpoint is that of its chats, so it is cut behind the first `/v1`, or
    behind the provider's name that follows there; without a `/v1` it is taken as it is. `user_id`
    is added to the query as `user`.
    """
    url = url_below(_api_of(base_url) if is_direct else base_url, "/models")
    if user_id is None:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}user={quote(user_id, safe='')}"


def tags_url(base_url: str) -> str:
    """Return where an Ollama server lists its models, whatever the path of the base URL is."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/api/tags"


def _api_of(base_url: str) -> str:
    parts = urlsplit(base_url)
    before, version, rest = parts.path.partition(_VERSION)
    if not version:
        return base_url
    if _AZURE in rest:
        return urlunsplit(parts._replace(path=_CHATS.split(parts.path)[0], query=""))
    provider = next((name for name in _PROVIDERS if f"/{name}" in rest), None)
    if provider is not None:
        version += rest[: rest.index(f"/{provider}") + len(provider) + 1]
    return urlunsplit(parts._replace(path=before + version, query=""))
