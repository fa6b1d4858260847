"""Requests for titles, as they go upstream."""

import json
from typing import Any

from tests.support.config_entries import build_entry
from waystation.config.schema import Endpoint
from waystation.config.schema_titles import TitleSettings
from waystation.providers.provider import CallContext
from waystation.providers.registry import provider_of
from waystation.titles.request import TitleRequest, build_request, entry_for_titles

PLAIN: dict[str, object] = {
    "model": "small",
    "user": "alice",
    "stream": False,
    "messages": [{"role": "system", "content": "P"}],
}
NATIVE: dict[str, object] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 16_384,
    "metadata": {"user_id": "alice"},
    "stream": False,
    "messages": [{"role": "user", "content": "P"}],
}


def wanted(endpoint: Endpoint, model: str, **keys: object) -> TitleRequest:
    """Return the request for a title with the prompt `P`; `keys` are title settings."""
    settings = TitleSettings.read(keys)
    ids = {"conversationId": "c1"}
    return build_request(settings, endpoint, model=model, prompt="P", conversation=ids)


def sent(
    model: str = "small",
    *,
    method: str = "completion",
    is_plainer: bool = False,
    role: str = "system",
    endpoint: Endpoint | None = None,
    **entry: Any,
) -> tuple[str, dict[str, Any]]:
    """Return the path and the body of what goes upstream; `entry` changes the minimal entry."""
    endpoint = endpoint or build_entry(**entry)
    asked = wanted(endpoint, model, titleMethod=method, titleMessageRole=role)
    request = asked.plainer if is_plainer else asked.request
    assert request is not None
    context = CallContext(
        endpoint=entry_for_titles(endpoint),
        model=model,
        user_id="alice",
        api_key="key",
        base_url="https://llm.acme.test/v1",
        headers={},
    )
    upstream = provider_of(endpoint).shape(request, context).request
    return upstream.url.removeprefix("https://llm.acme.test"), json.loads(upstream.body)


def sent_to_claude(**entry: Any) -> dict[str, Any]:
    """Return the body of what goes to an entry with `provider: anthropic`."""
    path, body = sent("claude-sonnet-4-5", **({"provider": "anthropic"} | entry))
    assert path == "/v1/messages"
    return body
