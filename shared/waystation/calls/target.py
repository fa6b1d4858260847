"""Resolves where a call goes and with which credentials: `${NAME}` and placeholders filled in.

Messages name the endpoint, and the variable, header or key at fault; never a value.
"""

import json
import re
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from waystation.calls.call import Call
from waystation.config.schema import USER_PROVIDED, Endpoint
from waystation.config.templates import (
    UnknownPlaceholderError,
    UnresolvedVariableError,
    expand_variables,
    fill_placeholders,
    find_variables,
    header_value,
)
from waystation.errors import (
    EndpointMisconfiguredError,
    InvalidHeaderValueError,
    MissingUserBaseUrlError,
    MissingUserKeyError,
)
from waystation.providers.provider import CallContext
from waystation.wire.upstream_request import AwsCredentials

MAX_HEADERS_LENGTH = 32 * 1024

_BEDROCK = "bedrock"
_REGION = re.compile(r"bedrock:[a-z]{2}(?:-[a-z0-9]+)+")
# LibreChat's names. Source: https://www.librechat.ai/docs/configuration/dotenv, 2026-11.
_ACCESS_KEY_ID = "BEDROCK_AWS_ACCESS_KEY_ID"
_SECRET_ACCESS_KEY = "BEDROCK_AWS_SECRET_ACCESS_KEY"  # noqa: S105 (a name)
_SESSION_TOKEN = "BEDROCK_AWS_SESSION_TOKEN"  # noqa: S105 (a name)


class VariableResolver(Protocol):
    async def resolve(self, names: set[str], /) -> Mapping[str, str]:
        """Return the values of the names that have one. Raises SecretUnavailableError."""


async def resolve_target(call: Call, secrets: VariableResolver) -> CallContext:
    """Fill in everything the entry refers to.

    Raises EndpointMisconfiguredError, MissingUserKeyError, MissingUserBaseUrlError,
    InvalidHeaderValueError, SecretUnavailableError.
    """
    endpoint = call.endpoint
    texts = (endpoint.api_key, endpoint.base_url, *endpoint.headers.values())
    names = {name for text in texts for name in find_variables(text)}
    if endpoint.provider == _BEDROCK:
        names |= {_ACCESS_KEY_ID, _SECRET_ACCESS_KEY, _SESSION_TOKEN}
    values = await secrets.resolve(names) if names else {}
    api_key = _api_key(endpoint, values)
    headers = {
        name: _header(endpoint, name, values, call.placeholders) for name in endpoint.headers
    }
    if sum(map(len, headers.values())) > MAX_HEADERS_LENGTH:
        raise InvalidHeaderValueError(
            f"The headers of endpoint '{endpoint.name}' are too long with your values."
        )
    return CallContext(
        endpoint=endpoint,
        model=call.model,
        user_id=call.user_id,
        api_key=api_key,
        base_url=_base_url(endpoint, values),
        headers=headers,
        aws=_aws_of(values),
        secrets=tuple(filter(None, (*_told_by(api_key), *headers.values(), *values.values()))),
    )


def _aws_of(values: Mapping[str, str]) -> AwsCredentials | None:
    """Return the operator's own credentials; without them, calls are signed by the role."""
    key_id, secret = values.get(_ACCESS_KEY_ID), values.get(_SECRET_ACCESS_KEY)
    if not key_id or not secret:
        return None
    return AwsCredentials(key_id, secret, values.get(_SESSION_TOKEN))


def _told_by(api_key: str) -> list[str]:
    """Return a key, and the texts in it if it is a JSON object."""
    try:
        members = json.loads(api_key)
    except (ValueError, RecursionError):
        return [api_key]
    texts = members.values() if isinstance(members, dict) else ()
    return [api_key, *(text for text in texts if isinstance(text, str))]


def _expand(endpoint: Endpoint, key: str, text: str, values: Mapping[str, str]) -> str:
    try:
        return expand_variables(text, values)
    except UnresolvedVariableError as error:
        raise EndpointMisconfiguredError(
            f"Endpoint '{endpoint.name}': the variable {error.name} in {key} is not set."
        ) from None


def _api_key(endpoint: Endpoint, values: Mapping[str, str]) -> str:
    key = _expand(endpoint, "apiKey", endpoint.api_key, values)
    if key == USER_PROVIDED:
        raise MissingUserKeyError(
            f"Endpoint '{endpoint.name}' needs a key of your own, "
            "and this version of the gateway cannot store one."
        )
    try:
        return header_value(key)
    except ValueError:
        raise EndpointMisconfiguredError(
            f"Endpoint '{endpoint.name}': apiKey cannot be sent in a header."
        ) from None


def _base_url(endpoint: Endpoint, values: Mapping[str, str]) -> str:
    url = _expand(endpoint, "baseURL", endpoint.base_url, values)
    if url == USER_PROVIDED:
        raise MissingUserBaseUrlError(
            f"Endpoint '{endpoint.name}' needs a URL of your own, "
            "and this version of the gateway cannot store one."
        )
    if endpoint.provider == _BEDROCK and _REGION.fullmatch(url):
        return url
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or any(character <= " " for character in url):
        raise EndpointMisconfiguredError(
            f"Endpoint '{endpoint.name}': baseURL is not an http or https URL."
        )
    return url


def _header(
    endpoint: Endpoint, name: str, values: Mapping[str, str], placeholders: Mapping[str, str]
) -> str:
    text = _expand(endpoint, f"headers.{name}", endpoint.headers[name], values)
    try:
        filled = fill_placeholders(text, placeholders)
    except UnknownPlaceholderError as error:
        raise EndpointMisconfiguredError(
            f"Endpoint '{endpoint.name}': headers.{name} has the unknown placeholder {error.name}."
        ) from None
    try:
        return header_value(filled)
    except ValueError:
        if filled != text:
            raise InvalidHeaderValueError(
                f"Your values cannot be sent in the header {name} of endpoint '{endpoint.name}'.",
                param=name,
            ) from None
        raise EndpointMisconfiguredError(
            f"Endpoint '{endpoint.name}': headers.{name} cannot be sent in a header."
        ) from None
