"""The official SDKs, told everything: nothing of the environment reaches a request.

They are imported when one is needed, which takes a second.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from waystation.providers.anthropic.target import key_of
from waystation.providers.provider import CallContext
from waystation_cli.probing.exchange import Exchange
from waystation_cli.probing.plan import Api

if TYPE_CHECKING:
    from anthropic import Anthropic
    from openai import OpenAI

_AMBIENT = ("ANTHROPIC_", "OPENAI_")


def exchange_of(context: CallContext, timeout_s: float) -> Exchange:
    """Return the HTTP of a direct call."""
    is_fixed = context.endpoint.direct_endpoint and context.endpoint.provider is None
    return Exchange(
        timeout_s,
        headers=context.headers,
        url=context.base_url if is_fixed else None,
        query=urlsplit(context.base_url).query,
        has_key=bool(context.api_key),
    )


def openai_client(base_url: str, key: str, exchange: Exchange) -> "OpenAI":
    """Return OpenAI's client for the API at `base_url`, whose query is the exchange's matter."""
    with _without_ambient_settings():
        from openai import OpenAI  # noqa: PLC0415 (slow)

        return OpenAI(
            api_key=key or "none",  # it takes no empty one
            base_url=_without_query(base_url),
            max_retries=0,
            timeout=exchange.timeouts,
            http_client=exchange.client(),
        )


def anthropic_client(context: CallContext, exchange: Exchange) -> "Anthropic":
    """Return Anthropic's client. Raises EndpointMisconfiguredError for a key that is none."""
    with _without_ambient_settings():
        from anthropic import Anthropic  # noqa: PLC0415 (slow)

        url = _without_query(context.base_url).rstrip("/")
        return Anthropic(
            api_key=key_of(context),
            base_url=url.removesuffix("/v1"),  # the SDK adds it
            max_retries=0,
            timeout=exchange.timeouts,
            http_client=exchange.client(),
            open_telemetry=False,
        )


def sdk_error(api: Api) -> type[Exception]:
    """Return the base of what an API's SDK raises."""
    if api == "messages":
        from anthropic import AnthropicError  # noqa: PLC0415 (slow)

        return AnthropicError
    from openai import OpenAIError  # noqa: PLC0415 (slow)

    return OpenAIError


def _without_query(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(query="", fragment=""))


@contextmanager
def _without_ambient_settings() -> Iterator[None]:
    """Hide the variables by which the SDKs take keys, headers, URLs and log levels."""
    ambient = {n: value for n, value in os.environ.items() if n.startswith(_AMBIENT)}
    for name in ambient:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(ambient)
