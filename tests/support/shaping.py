"""Requests shaped for tests, and their bodies as they go upstream."""

import json
from collections.abc import Mapping
from typing import Any

from tests.support.config_entries import build_entry
from waystation.providers.openai_compatible.shape import shape_chat
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.chat_request import ChatRequest

MESSAGES: list[dict[str, object]] = [{"role": "user", "content": "Hé\u2028"}]
BASE = {"model": "acme-large", "user": "alice", "stream": False, "messages": MESSAGES}


def shape(
    params: Mapping[str, object] | None = None,
    *,
    is_stream: bool = False,
    model: str = "acme-large",
    messages: list[dict[str, Any]] | None = None,
    base_url: str = "https://llm.acme.test/v1",
    headers: dict[str, str] | None = None,
    asks_usage: bool = True,
    **entry: Any,
) -> Shaped:
    """Shape a chat of alice's; `entry` changes the minimal entry."""
    context = CallContext(
        endpoint=build_entry(**entry),
        model=model,
        user_id="alice",
        api_key="key",
        base_url=base_url,
        headers=headers or {},
        asks_usage=asks_usage,
    )
    request = ChatRequest(model, messages or MESSAGES, is_stream, params=dict(params or {}))
    return shape_chat(request, context)


def body_of(params: Mapping[str, object] | None = None, **kwargs: Any) -> dict[str, object]:
    """Return the body of `shape` with the same arguments."""
    body: dict[str, object] = json.loads(shape(params, **kwargs).request.body)
    return body


def fields_of(params: Mapping[str, object] | None = None, **kwargs: Any) -> dict[str, object]:
    """Return the body without what every one has."""
    return {name: v for name, v in body_of(params, **kwargs).items() if name not in BASE}
