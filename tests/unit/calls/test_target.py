"""Where a call goes and with which credentials."""

import json
from typing import Any

import pytest

from tests.support.calls import build_call
from tests.support.config_entries import build_entry
from tests.support.fakes import StaticSecrets, StaticUserKeys, built_ins
from waystation.calls.target import resolve_target
from waystation.credentials.own import OwnCredentials
from waystation.errors import (
    EndpointMisconfiguredError,
    GatewayError,
    InvalidHeaderValueError,
    MissingUserKeyError,
)
from waystation.providers.provider import CallContext
from waystation.wire.upstream_request import AwsCredentials

SECRET = "the-key-of-acme-5b1f7a3c"


async def resolve(
    *, secrets: dict[str, str] | None = None, own: OwnCredentials | None = None, **entry: object
) -> CallContext:
    call = build_call(entry=build_entry(**entry))
    values = {"ACME_KEY": SECRET} if secrets is None else secrets
    return await resolve_target(call, StaticSecrets(**values), StaticUserKeys(own))


async def test_entry_is_filled_in():
    entry: dict[str, Any] = {
        "baseURL": "https://${HOST}/v1",
        "headers": {
            "X-Key": "k=${ACME_KEY} ",
            "X-User": "{{LIBRECHAT_USER_ID}}/{{LIBRECHAT_BODY_MESSAGEID}}",
            "X-Plain": "é",
        },
    }
    context = await resolve(secrets={"ACME_KEY": SECRET, "HOST": "llm.test"}, **entry)
    assert context == CallContext(
        endpoint=build_entry(**entry),
        model="acme-large",
        user_id="alice",
        api_key=SECRET,
        base_url="https://llm.test/v1",
        headers={"X-Key": f"k={SECRET}", "X-User": "alice/", "X-Plain": "é"},
        secrets=context.secrets,
    )
    assert set(context.secrets) == {SECRET, f"k={SECRET}", "alice/", "é", "llm.test"}


async def test_plain_texts_need_no_secrets():
    class NoSecrets(StaticSecrets):
        async def resolve(self, names):
            raise AssertionError("asked")

    call = build_call(entry=build_entry(apiKey="plain"))
    assert (await resolve_target(call, NoSecrets(), StaticUserKeys())).api_key == "plain"


async def test_value_is_not_expanded_again():
    context = await resolve(
        secrets={"ACME_KEY": "${OTHER}{{LIBRECHAT_USER_ID}}", "OTHER": "x"},
    )
    assert context.api_key == "${OTHER}{{LIBRECHAT_USER_ID}}"


async def test_user_text_is_not_expanded():
    call = build_call(
        entry=build_entry(headers={"X": "{{LIBRECHAT_USER_NAME}}"}),
        placeholders={"USER_NAME": "${ACME_KEY} {{LIBRECHAT_USER_ID}}", "USER_ID": "alice"},
    )
    context = await resolve_target(call, StaticSecrets(ACME_KEY=SECRET), StaticUserKeys())
    assert context.headers == {"X": "${ACME_KEY} {{LIBRECHAT_USER_ID}}"}


FAULTS = {
    "variable of apiKey": (
        {"apiKey": "${OTHER_KEY}"},
        {},
        EndpointMisconfiguredError,
        "Endpoint 'Acme': the variable OTHER_KEY in apiKey is not set.",
    ),
    "variable of baseURL": (
        {"baseURL": "https://${HOST}/v1"},
        {},
        EndpointMisconfiguredError,
        "Endpoint 'Acme': the variable HOST in baseURL is not set.",
    ),
    "variable of a header": (
        {"headers": {"X-Team": "a ${TEAM}"}},
        {},
        EndpointMisconfiguredError,
        "Endpoint 'Acme': the variable TEAM in headers.X-Team is not set.",
    ),
    "key with a line break": (
        {},
        {"ACME_KEY": f"{SECRET}\n{SECRET}"},
        EndpointMisconfiguredError,
        "Endpoint 'Acme': apiKey cannot be sent in a header.",
    ),
    "key beyond Latin-1": (
        {},
        {"ACME_KEY": "名前"},
        EndpointMisconfiguredError,
        "Endpoint 'Acme': apiKey cannot be sent in a header.",
    ),
    "key of the user": (
        {"apiKey": "user_provided"},
        {},
        MissingUserKeyError,
        "Endpoint 'Acme' needs a key of your own: store one by PUT /v1/keys/{endpoint}, "
        "or send it in x-endpoint-api-key.",
    ),
    "key for a URL of the user": (
        {"baseURL": "user_provided"},
        {},
        MissingUserKeyError,
        "Endpoint 'Acme' needs a key of your own: store one by PUT /v1/keys/{endpoint}, "
        "or send it in x-endpoint-api-key.",
    ),
    "value of a header": (
        {"headers": {"X-Team": "${TEAM}"}},
        {"TEAM": "a\rb"},
        EndpointMisconfiguredError,
        "Endpoint 'Acme': headers.X-Team cannot be sent in a header.",
    ),
    "placeholder in a value": (
        {"headers": {"X-Team": "${TEAM}"}},
        {"TEAM": "{{LIBRECHAT_USER_PASSWORD}}"},
        EndpointMisconfiguredError,
        "Endpoint 'Acme': headers.X-Team has the unknown placeholder LIBRECHAT_USER_PASSWORD.",
    ),
    **{
        f"URL {url!r}": (
            {"baseURL": "${URL}"},
            {"URL": url},
            EndpointMisconfiguredError,
            "Endpoint 'Acme': baseURL is not an http or https URL.",
        )
        for url in (
            "llm.acme.test/v1",
            "ftp://a.test",
            "https://",
            "https://a.test:0/",
            "https://a.test:x/",
            "https://[::1",
            "https://a.test/a b",
            "https://a.test/\n",
        )
    },
}


@pytest.mark.parametrize(("entry", "secrets", "kind", "message"), FAULTS.values(), ids=FAULTS)
async def test_fault_names_the_endpoint_and_the_key_and_no_value(entry, secrets, kind, message):
    if entry.get("baseURL") == "user_provided":
        entry = {**entry, "apiKey": "plain"}
    with pytest.raises(GatewayError) as caught:
        await resolve(secrets={"ACME_KEY": SECRET, **secrets}, **entry)
    assert (type(caught.value), caught.value.message) == (kind, message)
    assert caught.value.__cause__ is None


async def test_user_whose_values_cannot_be_sent_is_told_which_header():
    call = build_call(
        entry=build_entry(headers={"X-Name": "{{LIBRECHAT_USER_NAME}}"}),
        placeholders={"USER_NAME": "a\r\nX-Evil: 1"},
    )
    with pytest.raises(InvalidHeaderValueError) as caught:
        await resolve_target(call, StaticSecrets(ACME_KEY=SECRET), StaticUserKeys())
    assert caught.value.to_envelope()["error"] == {
        "message": "Your values cannot be sent in the header X-Name of endpoint 'Acme'.",
        "type": "invalid_request_error",
        "param": "X-Name",
        "code": "invalid_header_value",
    }


async def test_value_inside_a_header_or_url_is_a_secret_of_its_own():
    context = await resolve(
        secrets={"ACME_KEY": SECRET},
        baseURL="https://llm.test/v1?key=${ACME_KEY}",
        headers={"X-Auth": "Token ${ACME_KEY}"},
    )
    assert SECRET in context.secrets


async def test_headers_that_grow_too_long_are_refused():
    with pytest.raises(InvalidHeaderValueError):
        await resolve(headers={f"X-{n}": "x" * 8000 for n in range(5)})


async def resolve_bedrock(region: str = "eu-central-1", **values: str) -> CallContext:
    values = {"BEDROCK_AWS_DEFAULT_REGION": region, **values}
    (endpoint,) = await built_ins(**values).find(["bedrock"])
    call = build_call(entry=endpoint)
    return await resolve_target(call, StaticSecrets(**values), StaticUserKeys())


async def test_bedrock_is_called_with_the_operators_credentials():
    own = {
        "BEDROCK_AWS_ACCESS_KEY_ID": "AKIA",
        "BEDROCK_AWS_SECRET_ACCESS_KEY": SECRET,
        "BEDROCK_AWS_SESSION_TOKEN": "session",
    }
    context = await resolve_bedrock(**own)
    assert (context.base_url, context.api_key) == ("bedrock:eu-central-1", "")
    assert context.aws == AwsCredentials("AKIA", SECRET, "session")
    assert set(own.values()) <= set(context.secrets)
    assert SECRET not in repr(context)


@pytest.mark.parametrize("name", ["BEDROCK_AWS_ACCESS_KEY_ID", "BEDROCK_AWS_SECRET_ACCESS_KEY"])
async def test_bedrock_is_called_with_the_role_otherwise(name):
    assert (await resolve_bedrock(**{name: "half"})).aws is None


@pytest.mark.parametrize("region", ["", "nowhere/../x", "http://upstream.test", "EU"])
async def test_bedrock_needs_a_region(region):
    with pytest.raises((EndpointMisconfiguredError, ValueError)):
        await resolve_bedrock(region)


async def test_the_texts_in_a_json_key_are_secrets():
    key = json.dumps({"ANTHROPIC_API_KEY": SECRET, "other": 1})
    context = await resolve(secrets={"ACME_KEY": key})
    assert set(context.secrets) == {key, SECRET}
