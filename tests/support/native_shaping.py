"""Messages requests that go on as they came, shaped for tests, and their bodies."""

import json
from collections.abc import Mapping
from typing import Any

from tests.support.config_entries import build_entry
from tests.support.messages_shaping import HI, MODEL
from waystation.providers.anthropic import Anthropic
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.anthropic_request import parse_messages_request


def context_of(
    *, model: str, api_key: str = "key", headers: Mapping[str, str] | None = None, **entry: Any
) -> CallContext:
    """Return a call of alice's; `entry` changes the minimal entry."""
    return CallContext(
        endpoint=build_entry(**{"provider": "anthropic"} | entry),
        model=model,
        user_id="alice",
        api_key=api_key,
        base_url="https://claude.acme.test/v1?x=1",
        headers=headers or {},
    )


def shape(
    *,
    client: Mapping[str, str] | None = None,
    model: str = MODEL,
    body: Mapping[str, object] | None = None,
    **entry: Any,
) -> Shaped:
    """Shape a request; `body` adds to its fields, `client` is its headers."""
    asked = {"model": "m", "max_tokens": 9, "messages": HI} | dict(body or {})
    request = parse_messages_request(asked, client or {})
    return Anthropic().shape(request, context_of(model=model, **entry))


def body_of(**kwargs: Any) -> dict[str, Any]:
    """Return the body of `shape` with the same arguments."""
    body: dict[str, Any] = json.loads(shape(**kwargs).request.body)
    return body
