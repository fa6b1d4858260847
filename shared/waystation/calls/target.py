"""Resolves where a call goes and with which credentials: `${NAME}` and placeholders filled in.

Messages name the endpoint, and the variable, header or key at fault; never a value.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from waystation.calls.call import Call
from waystation.config.schema import USER_PROVIDED, Endpoint
from waystation.config.templates import (
    UnknownPlaceholderError,
    UnresolvedVariableError,
    VariableResolver,
    expand_variables,
    fill_placeholders,
    find_variables,
    header_value,
)
from waystation.credentials.own import (
    KEY_HEADER,
    URL_HEADER,
    OwnCredentials,
    OwnCredentialsSource,
    keep_out_of_log,
)
from waystation.egress.blocked import check_user_url
from waystation.errors import (
    EndpointMisconfiguredError,
    ExpiredUserKeyError,
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


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where an entry's requests go, and with what: every reference filled in.

    `is_users_url` tells that a user has brought the URL; then nothing of the operator's is here.
    `secrets` is every value that no message may show.
    """

    api_key: str = field(repr=False)
    base_url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    is_users_key: bool = False
    is_users_url: bool = False
    aws: AwsCredentials | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom an entry is resolved.

    `own` is what the request itself brings: it takes the place of all that the user has stored.
    `own_has_expired` is what the client says of the key that is stored. `allowed_addresses` are
    the `host:port` pairs that a user's URL may name beyond the rules.
    """

    user_id: str
    placeholders: Mapping[str, str] = field(repr=False)
    own: OwnCredentials | None = None
    own_has_expired: bool = False
    allowed_addresses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UsersPart:
    """What each user brings to an endpoint: a key; with a URL, always a key too."""

    key: bool
    url: bool


async def resolve_target(
    call: Call, secrets: VariableResolver, user_keys: OwnCredentialsSource
) -> CallContext:
    """Fill in everything the entry of a call refers to. Raises what `resolve_entry` does."""
    asker = Asker(
        call.user_id, call.placeholders, call.own, call.own_has_expired, call.allowed_addresses
    )
    resolved = await resolve_entry(call.endpoint, asker, secrets, user_keys)
    return CallContext(
        endpoint=call.endpoint,
        model=call.model,
        user_id=call.user_id,
        api_key=resolved.api_key,
        base_url=resolved.base_url,
        headers=resolved.headers,
        aws=resolved.aws,
        secrets=resolved.secrets,
        is_users_key=resolved.is_users_key,
        is_users_url=resolved.is_users_url,
    )


def variables_of(endpoint: Endpoint) -> set[str]:
    """Return the names of all that an entry refers to."""
    texts = (endpoint.api_key, endpoint.base_url, *endpoint.headers.values())
    names = {name for text in texts for name in find_variables(text)}
    if endpoint.provider == _BEDROCK:
        names |= {_ACCESS_KEY_ID, _SECRET_ACCESS_KEY, _SESSION_TOKEN}
    return names


async def users_part(endpoint: Endpoint, secrets: VariableResolver) -> UsersPart:
    """Return what an entry leaves to each user, its variables filled in.

    Raises EndpointMisconfiguredError, SecretUnavailableError.
    """
    names = {*find_variables(endpoint.api_key), *find_variables(endpoint.base_url)}
    values = await secrets.resolve(names) if names else {}
    return _users_part(_api_key(endpoint, values), _base_url(endpoint, values))


def _users_part(api_key: str, base_url: str) -> UsersPart:
    is_users_url = base_url == USER_PROVIDED
    return UsersPart(key=is_users_url or api_key == USER_PROVIDED, url=is_users_url)


async def resolve_entry(
    endpoint: Endpoint, asker: Asker, secrets: VariableResolver, user_keys: OwnCredentialsSource
) -> Resolved:
    """Fill in everything an entry refers to.

    With a user's own URL, only the user's own key goes there: none of the operator's headers.

    Raises EndpointMisconfiguredError, MissingUserKeyError, MissingUserBaseUrlError,
    ExpiredUserKeyError, InvalidUserKeyError, InvalidBaseUrlError, InvalidHeaderValueError,
    SecretUnavailableError.
    """
    names = variables_of(endpoint)
    values = await secrets.resolve(names) if names else {}
    api_key, base_url = _api_key(endpoint, values), _base_url(endpoint, values)
    users = _users_part(api_key, base_url)
    _refuse_unwanted(endpoint, users, asker.own)
    if users.key:
        own = await _own(endpoint, asker, user_keys)
        api_key = _own_key(endpoint, own)
        base_url = _own_url(endpoint, own, asker) if users.url else base_url
    configured = {} if users.url else endpoint.headers
    headers = {name: _header(endpoint, name, values, asker.placeholders) for name in configured}
    if sum(map(len, headers.values())) > MAX_HEADERS_LENGTH:
        raise InvalidHeaderValueError(
            f"The headers of endpoint '{endpoint.name}' are too long with your values."
        )
    # Taken out of what a user's upstream says, the operator's values would confirm guesses.
    operators = () if users.url else (*headers.values(), *values.values())
    return Resolved(
        api_key=api_key,
        base_url=base_url,
        headers=headers,
        secrets=tuple(filter(None, (*_told_by(api_key), *operators))),
        is_users_key=users.key,
        is_users_url=users.url,
        aws=_aws_of(endpoint, values),
    )


def _aws_of(endpoint: Endpoint, values: Mapping[str, str]) -> AwsCredentials | None:
    """Return the operator's own credentials; without them, calls are signed by the role."""
    key_id, secret = values.get(_ACCESS_KEY_ID), values.get(_SECRET_ACCESS_KEY)
    if not key_id or not secret:
        return None
    if USER_PROVIDED in {key_id, secret}:
        raise EndpointMisconfiguredError(
            f"Endpoint '{endpoint.name}' cannot be called with users' own AWS credentials."
        )
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
    try:
        return header_value(key)
    except ValueError:
        raise EndpointMisconfiguredError(
            f"Endpoint '{endpoint.name}': apiKey cannot be sent in a header."
        ) from None


def _base_url(endpoint: Endpoint, values: Mapping[str, str]) -> str:
    url = _expand(endpoint, "baseURL", endpoint.base_url, values)
    if url == USER_PROVIDED:
        return url
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


def _refuse_unwanted(endpoint: Endpoint, users: UsersPart, own: OwnCredentials | None) -> None:
    """Refuse headers that would take the place of what the operator has configured."""
    if own is not None and own.api_key and not users.key:
        raise InvalidHeaderValueError(
            f"Endpoint '{endpoint.name}' takes no key of your own.", param=KEY_HEADER
        )
    if own is not None and own.base_url and not users.url:
        raise InvalidHeaderValueError(
            f"Endpoint '{endpoint.name}' takes no URL of your own.", param=URL_HEADER
        )


async def _own(
    endpoint: Endpoint, asker: Asker, user_keys: OwnCredentialsSource
) -> OwnCredentials | None:
    if asker.own_has_expired:
        raise ExpiredUserKeyError(f"Your key for endpoint '{endpoint.name}' has expired.")
    own = asker.own or await user_keys.find(asker.user_id, endpoint.name)
    if own is not None:
        keep_out_of_log(own)
    return own


def _own_key(endpoint: Endpoint, own: OwnCredentials | None) -> str:
    if own is None or not own.api_key:
        raise MissingUserKeyError(
            f"Endpoint '{endpoint.name}' needs a key of your own: store one by "
            f"PUT /v1/keys/{{endpoint}}, or send it in {KEY_HEADER}."
        )
    try:
        return header_value(own.api_key)
    except ValueError:
        raise InvalidHeaderValueError("Your key cannot be sent in a header.") from None


def _own_url(endpoint: Endpoint, own: OwnCredentials | None, asker: Asker) -> str:
    if own is None or not own.base_url:
        raise MissingUserBaseUrlError(
            f"Endpoint '{endpoint.name}' needs a URL of your own: store one by "
            f"PUT /v1/keys/{{endpoint}}, or send it in {URL_HEADER}."
        )
    return check_user_url(own.base_url, asker.allowed_addresses)


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
