"""Where a request goes: which API of which kind of upstream, under which URL, with what headers."""

from collections.abc import Iterable

from waystation.providers.addressing import merge_headers, url_below
from waystation.providers.provider import CallContext

_CHAT_PATH, _RESPONSES_PATH = "/chat/completions", "/responses"
_OWN_SETS = frozenset({"anthropic", "google"})  # they are shaped their own way, wherever they go


def is_openrouter(context: CallContext) -> bool:
    """Tell whether an upstream is OpenRouter, or one that speaks as it does."""
    chosen = context.endpoint.params_endpoint
    if chosen in _OWN_SETS:
        return False
    looks = (
        "openrouter" in context.endpoint.name.lower() or "openrouter" in context.base_url.lower()
    )
    return looks or chosen == "openrouter"


def default_reasoning_format(context: CallContext) -> str:
    """Return how reasoning is asked for where the entry does not say."""
    name, url = context.endpoint.name.lower(), context.base_url.lower()
    is_vercel = "vercel" in name or "ai-gateway.vercel.sh" in url
    if is_vercel and context.endpoint.params_endpoint not in _OWN_SETS:
        return "reasoning_object"
    return "reasoning_effort"


def url_of(context: CallContext, *, is_responses: bool) -> str:
    """Return the URL of a call: the path goes before a query; a directEndpoint is used as it is."""
    if context.endpoint.direct_endpoint:
        return context.base_url
    return url_below(context.base_url, _RESPONSES_PATH if is_responses else _CHAT_PATH)


def headers_of(
    context: CallContext, *, is_stream: bool, betas: Iterable[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Return the headers of a call, the configured ones among them."""
    # Some keys go in a configured header.
    own = {"authorization": f"Bearer {context.api_key}"} if context.api_key else {}
    own["accept"] = "text/event-stream" if is_stream else "application/json"
    return merge_headers(own, context.headers, betas=betas)
