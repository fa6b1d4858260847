"""What each user brings to an endpoint, and what of it goes where."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.support.calls import build_call
from tests.support.config_entries import build_entry
from tests.support.fakes import StaticSecrets, StaticUserKeys, built_ins
from waystation.calls.target import UsersPart, resolve_target, users_part
from waystation.credentials.own import OwnCredentials
from waystation.errors import (
    EndpointMisconfiguredError,
    ExpiredUserKeyError,
    GatewayError,
    InvalidBaseUrlError,
    InvalidHeaderValueError,
    MissingUserBaseUrlError,
    MissingUserKeyError,
    SecretUnavailableError,
)
from waystation.providers.provider import CallContext

SECRET = "the-key-of-acme-5b1f7a3c"
STORED = OwnCredentials("key-of-alice-stored", "https://stored.user.test/v1")
SENT = OwnCredentials("key-of-alice-sent", "https://sent.user.test/v1")
OWN_KEY = {"apiKey": "user_provided"}
OWN_URL = {"baseURL": "user_provided", "headers": {"X-Team": "${TEAM}", "X-Other": "plain"}}


async def resolve(
    entry: Mapping[str, object],
    stored: OwnCredentials | Exception | None = STORED,
    sent: OwnCredentials | None = None,
    **changes: Any,
) -> CallContext:
    endpoint = build_entry(**entry)
    call = replace(build_call(entry=endpoint), own=sent, **changes)
    secrets = StaticSecrets(ACME_KEY=SECRET, TEAM="the-team-secret", OWN="user_provided")
    return await resolve_target(call, secrets, StaticUserKeys(stored))


@pytest.mark.parametrize("entry", [OWN_KEY, {"apiKey": "${OWN}"}, {"apiKey": " ${OWN} "}])
async def test_users_key_goes_to_the_operators_url_with_the_operators_headers(entry):
    context = await resolve({**entry, "headers": {"X-Team": "${TEAM}"}})
    assert (context.api_key, context.base_url) == (STORED.api_key, "https://llm.acme.test/v1")
    assert context.headers == {"X-Team": "the-team-secret"}
    assert (context.is_users_key, context.is_users_url) == (True, False)
    assert STORED.api_key in context.secrets


@pytest.mark.parametrize("api_key", ["${ACME_KEY}", "user_provided", "plain-key-of-the-operator"])
@pytest.mark.parametrize("base_url", ["user_provided", "${OWN}"])
async def test_nothing_of_the_operators_goes_to_a_users_url(api_key, base_url):
    context = await resolve({**OWN_URL, "apiKey": api_key, "baseURL": base_url})
    assert (context.api_key, context.base_url) == (STORED.api_key, STORED.base_url)
    assert context.headers == {}
    assert (context.is_users_key, context.is_users_url) == (True, True)


async def test_redaction_confirms_to_a_users_upstream_no_guess_at_the_operators_values():
    entry = {**OWN_URL, "apiKey": "${ACME_KEY}"}
    context = await resolve(entry)
    assert context.secrets == (STORED.api_key,)
    assert {SECRET, "the-team-secret"} <= {
        *(await resolve({"headers": OWN_URL["headers"]})).secrets
    }


async def test_operators_entry_asks_for_nothing_that_is_stored():
    keys = StaticUserKeys(AssertionError("asked"))
    secrets = StaticSecrets(ACME_KEY=SECRET)
    context = await resolve_target(build_call(entry=build_entry()), secrets, keys)
    assert (context.api_key, context.is_users_key, context.is_users_url) == (SECRET, False, False)
    assert keys.asked == []


async def test_stored_key_is_looked_for_by_user_and_endpoint():
    keys = StaticUserKeys(STORED)
    await resolve_target(build_call(entry=build_entry(**OWN_KEY)), StaticSecrets(), keys)
    assert keys.asked == [("alice", "Acme")]


async def test_what_is_sent_takes_the_place_of_all_that_is_stored():
    context = await resolve(OWN_URL, sent=SENT)
    assert (context.api_key, context.base_url) == (SENT.api_key, SENT.base_url)
    with pytest.raises(MissingUserBaseUrlError):
        await resolve(OWN_URL, sent=OwnCredentials("only-a-key"))
    with pytest.raises(MissingUserKeyError):
        await resolve(OWN_URL, sent=OwnCredentials(None, SENT.base_url))


@pytest.mark.parametrize(
    ("entry", "sent", "param"),
    [
        ({}, OwnCredentials("k"), "x-endpoint-api-key"),
        ({}, OwnCredentials(None, "https://a.test"), "x-endpoint-base-url"),
        (OWN_KEY, OwnCredentials("k", "https://a.test"), "x-endpoint-base-url"),
    ],
)
async def test_nothing_takes_the_place_of_the_operators(entry, sent, param):
    with pytest.raises(InvalidHeaderValueError, match="Endpoint 'Acme' takes no") as caught:
        await resolve(entry, sent=sent)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("entry", "stored", "raised"),
    [
        (OWN_KEY, None, MissingUserKeyError),
        (OWN_KEY, OwnCredentials(None, "https://a.test"), MissingUserKeyError),
        (OWN_KEY, OwnCredentials("", None), MissingUserKeyError),
        (OWN_KEY, OwnCredentials("a\r\nb"), InvalidHeaderValueError),
        (OWN_KEY, SecretUnavailableError("down"), SecretUnavailableError),
        (OWN_URL, None, MissingUserKeyError),
        (OWN_URL, OwnCredentials("k"), MissingUserBaseUrlError),
        (OWN_URL, OwnCredentials("k", "http://127.0.0.1/v1"), InvalidBaseUrlError),
        (OWN_URL, OwnCredentials("k", "https://u:p@a.test/v1"), InvalidBaseUrlError),
    ],
)
async def test_what_is_missing_or_cannot_be_used_is_told(entry, stored, raised):
    with pytest.raises(GatewayError) as caught:
        await resolve(entry, stored)
    assert type(caught.value) is raised


async def test_operator_may_allow_a_users_address():
    own = OwnCredentials("k", "http://127.0.0.1:9/v1")
    allowed = frozenset({"127.0.0.1:9"})
    context = await resolve(OWN_URL, own, allowed_addresses=allowed)
    assert context.base_url == own.base_url


async def test_key_that_has_expired_for_the_client_is_not_used():
    with pytest.raises(ExpiredUserKeyError):
        await resolve(OWN_KEY, own_has_expired=True)
    assert (await resolve({}, own_has_expired=True)).api_key == SECRET


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        ({}, UsersPart(key=False, url=False)),
        (OWN_KEY, UsersPart(key=True, url=False)),
        ({"apiKey": "${OWN}"}, UsersPart(key=True, url=False)),
        (OWN_URL, UsersPart(key=True, url=True)),
        ({"apiKey": "User_provided"}, UsersPart(key=False, url=False)),
    ],
)
async def test_entry_says_what_users_bring(entry, part):
    secrets = StaticSecrets(ACME_KEY=SECRET, OWN="user_provided")
    assert await users_part(build_entry(**entry), secrets) == part


async def test_built_in_endpoints_take_keys_and_urls_of_users():
    values = {"OPENAI_API_KEY": "user_provided", "OPENAI_REVERSE_PROXY": "user_provided"}
    (endpoint,) = await built_ins(**values).find(["openAI"])
    assert await users_part(endpoint, StaticSecrets(**values)) == UsersPart(key=True, url=True)


@pytest.mark.parametrize("name", ["BEDROCK_AWS_ACCESS_KEY_ID", "BEDROCK_AWS_SECRET_ACCESS_KEY"])
async def test_bedrock_takes_no_credentials_of_users(name):
    values = {
        "BEDROCK_AWS_DEFAULT_REGION": "eu-central-1",
        "BEDROCK_AWS_ACCESS_KEY_ID": "AKIA",
        "BEDROCK_AWS_SECRET_ACCESS_KEY": "x",
        name: "user_provided",
    }
    (endpoint,) = await built_ins(**values).find(["bedrock"])
    with pytest.raises(EndpointMisconfiguredError, match="users' own AWS credentials"):
        await resolve_target(
            build_call(entry=endpoint), StaticSecrets(**values), StaticUserKeys(STORED)
        )
