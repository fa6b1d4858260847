"""Messages requests shaped for tests, and their bodies as they go upstream."""

import json
from collections.abc import Mapping
from typing import Any

from tests.support.config_entries import build_entry
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.providers.anthropic.shape import shape_messages
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.chat_request import ChatRequest

HI: list[dict[str, object]] = [{"role": "user", "content": "Hi"}]
MODEL = "claude-sonnet-4-5"  # thinks when told to, with a budget
ADAPTIVE = "claude-opus-4-6"  # decides itself how long it thinks
STRICT = "claude-opus-5"  # thinks unless told not to, and takes no sampling
OLDER = "claude-3-5-haiku-20241022"  # does not think
BASE = {
    "model": MODEL,
    "max_tokens": 64_000,
    "metadata": {"user_id": "alice"},
    "stream": False,
    "messages": HI,
}


def shape(
    params: Mapping[str, object] | None = None,
    *,
    is_stream: bool = False,
    model: str = MODEL,
    messages: list[Any] | None = None,
    base_url: str = "https://claude.acme.test",
    api_key: str = "key",
    headers: dict[str, str] | None = None,
    ui: bool = False,
    **entry: Any,
) -> Shaped:
    """Shape a chat of alice's; `entry` changes the minimal entry, `ui` sets uiDefaults."""
    context = CallContext(
        endpoint=build_entry(**{"provider": "anthropic", "waystation": {"uiDefaults": ui}} | entry),
        model=model,
        user_id="alice",
        api_key=api_key,
        base_url=base_url,
        headers=headers or {},
    )
    request = ChatRequest(model, messages or HI, is_stream, params=dict(params or {}))
    return shape_messages(request, context, AnthropicAnswerReader())


def body_of(params: Mapping[str, object] | None = None, **kwargs: Any) -> dict[str, Any]:
    """Return the body of `shape` with the same arguments."""
    body: dict[str, Any] = json.loads(shape(params, **kwargs).request.body)
    return body


def fields_of(params: Mapping[str, object] | None = None, **kwargs: Any) -> dict[str, Any]:
    """Return the body without what every one has."""
    return {name: v for name, v in body_of(params, **kwargs).items() if name not in BASE}
