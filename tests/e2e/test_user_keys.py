"""Users' own keys through the functions' handlers, with DynamoDB and KMS emulated."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.fake_upstream import FakeUpstream, json_reply
from tests.support.lambda_events import rest_event
from tests.support.lambda_gateway import (
    TABLE,
    Answer,
    LambdaGateway,
    build_config,
    make_gateway_key,
    put_secrets,
)
from waystation.aws.dynamo_table import DynamoTable
from waystation.identity.user import User

OPERATORS_KEY = "the-key-of-acme-5b1f7a3c"
KEY = "canary-key-of-alice-1234"
SENT = "canary-key-in-a-header-5678"


@pytest.fixture(scope="module")
def own(aws: str, acme: dict[str, object]) -> Iterator[LambdaGateway]:
    """A gateway whose one entry with a key of users' is called A/b, beside `acme` itself."""
    put_secrets({"WHOSE": "user_provided"})
    entry = acme | {"name": "A/b", "apiKey": "${WHOSE}", "models": {"default": ["own-model"]}}
    claude = entry | {"name": "Claude", "provider": "anthropic", "models": {"default": ["claude"]}}
    address = str(acme["baseURL"]).split("/")[2]
    users_url = entry | {
        "name": "Url",
        "apiKey": "${ACME_KEY}",
        "baseURL": "user_provided",
        "models": {"default": ["url-model"]},
        "headers": {"X-Team": "${ACME_KEY}"},
        "addParams": {"temperature": 0.5},
    }
    endpoints = {"allowedAddresses": [address], "custom": [acme, entry, claude, users_url]}
    config = build_config(endpoints=endpoints)
    gateway = LambdaGateway(config, key=aws)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(own: LambdaGateway, upstream: FakeUpstream) -> Iterator[LambdaGateway]:
    own.log.clear()
    yield own
    for name in ("A%2Fb", "Claude", "Url"):
        assert account(own, "DELETE", f"/v1/keys/{name}").status == 204
    assert "canary" not in own.log.text


def account(
    gateway: LambdaGateway,
    method: str,
    path: str,
    body: object = None,
    *,
    key: str | None = None,
    **query: str,
) -> Answer:
    """Ask the account function, as API Gateway does: with the path as it was sent."""
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {gateway.key if key is None else key}",
    }
    event = rest_event(method, path, headers, None if body is None else json.dumps(body).encode())
    event["queryStringParameters"] = query or None
    event["multiValueQueryStringParameters"] = {n: [v] for n, v in query.items()} or None
    answer = gateway.call("account", event)
    assert "canary" not in answer.text
    return answer


def put(gateway: LambdaGateway, name: str = "A%2Fb", **body: object) -> Answer:
    return account(gateway, "PUT", f"/v1/keys/{name}", {"apiKey": KEY, **body})


def items(user: str = "alice") -> list[dict[str, Any]]:
    table = DynamoTable(boto3.client("dynamodb"), TABLE)
    return [dict(item) for item in asyncio.run(table.query(f"U#{user}", "KEY#"))]


def keys_sent(upstream: FakeUpstream) -> list[list[str]]:
    return [one.header("authorization") for one in upstream.received]


def test_a_stored_key_is_what_the_upstream_sees(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    missing = gateway.chat(model="own-model")
    stored = put(gateway)
    answer = gateway.chat(model="own-model")
    account(gateway, "DELETE", "/v1/keys/A%2Fb")
    gone = gateway.chat(model="own-model")

    assert (missing.status, missing.error["code"]) == (400, "missing_user_key")
    assert (stored.status, stored.json["apiKey"], stored.json["endpoint"]) == (200, "…1234", "A/b")
    assert answer.status == 200
    assert (gone.status, gone.error["code"]) == (400, "missing_user_key")
    assert keys_sent(upstream) == [[f"Bearer {KEY}"]]


def test_the_table_holds_a_ciphertext_bound_to_its_place(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put(gateway)
    put(gateway, "Claude", apiKey=f"{KEY}-2")
    (first, second) = items()

    assert "canary" not in json.dumps([first, second])
    table = DynamoTable(boto3.client("dynamodb"), TABLE)
    asyncio.run(table.put({**first, "ciphertext": second["ciphertext"]}))
    swapped = gateway.chat(model="own-model")
    make_gateway_key("key-of-mallory", User("mallory"))
    asyncio.run(table.put({**first, "PK": "U#mallory"}))
    stolen = gateway.chat(model="own-model", key="key-of-mallory")
    asyncio.run(table.delete("U#mallory", first["SK"]))

    assert [one.error["code"] for one in (swapped, stolen)] == ["invalid_user_key"] * 2
    assert upstream.received == []


def test_kms_that_is_down_is_no_error_of_the_users(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put(gateway)
    error = ClientError({"Error": {"Code": "KMSInternalException", "Message": KEY}}, "Decrypt")
    with patch("botocore.client.BaseClient._make_api_call", _failing_on("Decrypt", error)):
        chat = gateway.chat(model="own-model")
    with patch("botocore.client.BaseClient._make_api_call", _failing_on("Encrypt", error)):
        again = put(gateway)

    assert [one.error["code"] for one in (chat, again)] == ["secret_unavailable"] * 2
    assert [one.status for one in (chat, again)] == [503, 503]
    assert "canary" not in chat.text
    assert upstream.received == []


def _failing_on(operation: str, error: ClientError) -> Any:
    from botocore.client import BaseClient

    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: BaseClient, name: str, arguments: Mapping[str, object]) -> object:
        if name == operation:
            raise error
        return real(self, name, arguments)

    return call


def test_a_key_that_has_expired_is_told_as_such(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put(gateway, expiresAt="2999-01-01T00:00:00Z")
    table = DynamoTable(boto3.client("dynamodb"), TABLE)
    asyncio.run(table.update("U#alice", "KEY#A%2Fb", {"expires_at": 1_700_000_000_000}))
    stored = gateway.chat(model="own-model")
    shown = account(gateway, "GET", "/v1/keys/A%2Fb")
    put(gateway)
    told = gateway.chat(model="own-model")

    assert (stored.status, stored.error["code"]) == (400, "expired_user_key")
    assert shown.json["expiresAt"] == "2023-11-14T22:13:20.000Z"
    assert told.status == 200


def test_librechats_own_word_that_a_key_has_expired_is_taken(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put(gateway)
    body = {"model": "own-model", "messages": [{"role": "user", "content": "Hi!"}]}
    for key in ("2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z", "never"):
        gateway.post(json.dumps(body | {"key": key}).encode())
    gateway.post(json.dumps(body | {"model": "acme-large", "key": "2020-01-01"}).encode())

    assert [line.get("error_code") for line in gateway.log.lines() if "route" in line][1:] == [
        "expired_user_key",
        None,
        None,
        None,
    ]
    assert all("key" not in one.json for one in upstream.received)


def test_a_request_may_bring_its_own_which_is_kept_nowhere(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    headers = {"x-endpoint-api-key": SENT}
    first = gateway.chat(model="own-model", headers=headers)
    put(gateway)
    second = gateway.chat(model="own-model", headers=headers)
    third = gateway.chat(model="own-model")

    assert [one.status for one in (first, second, third)] == [200] * 3
    assert keys_sent(upstream) == [[f"Bearer {SENT}"], [f"Bearer {SENT}"], [f"Bearer {KEY}"]]
    assert all(SENT not in str(one.headers[1:]) for one in upstream.received[2:])
    assert all(not one.header("x-endpoint-api-key") for one in upstream.received)
    assert SENT not in json.dumps(items())


def test_a_header_never_takes_the_place_of_the_operators(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    for name, model in (
        ("x-endpoint-api-key", "acme-large"),
        ("x-endpoint-base-url", "acme-large"),
        ("x-endpoint-base-url", "own-model"),
    ):
        answer = gateway.chat(model=model, headers={name: f"https://{SENT}.test"})
        assert (answer.status, answer.error["param"]) == (400, name)
    assert upstream.received == []


def test_nothing_of_the_operators_reaches_a_users_url(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    refused = put(gateway, "Url", baseURL="http://127.0.0.1:1/v1")
    stored = put(gateway, "Url", baseURL=upstream.url)
    answer = gateway.chat(model="url-model")
    elsewhere = {"x-endpoint-api-key": SENT, "x-endpoint-base-url": "https://10.0.0.5/v1"}
    private = gateway.chat(model="url-model", headers=elsewhere)

    assert (refused.status, refused.error["code"]) == (400, "invalid_base_url")
    assert stored.json["baseURL"] == upstream.address
    assert answer.status == 200
    assert (private.status, private.error["code"]) == (400, "invalid_base_url")
    (request,) = upstream.received
    assert request.header("authorization") == [f"Bearer {KEY}"]
    assert OPERATORS_KEY.encode() not in request.raw
    assert request.json["temperature"] == 0.5


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("stream", [False, True])
def test_a_key_that_the_upstream_refuses_is_told_to_the_user(
    gateway: LambdaGateway, upstream: FakeUpstream, *, status: int, stream: bool
) -> None:
    put(gateway)
    upstream.answer(json_reply({"error": {"message": f"Wrong: {KEY}"}}, status=status))

    answer = gateway.chat(model="own-model", stream=stream)

    assert (answer.status, answer.error["type"]) == (401, "authentication_error")
    assert answer.error["code"] == "user_key_rejected"
    assert answer.headers["x-should-retry"] == "false"
    assert "canary" not in answer.text
    assert gateway.record_of(answer)["state"] == "RELEASED"


def test_messages_and_counts_take_a_users_key(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put(gateway, "Claude")
    upstream.answer(json_reply({"input_tokens": 3}))
    body = {"model": "claude", "messages": [{"role": "user", "content": "Hi!"}], "key": "never"}

    counted = gateway.post(json.dumps(body).encode(), path="/v1/messages/count_tokens")
    sent = gateway.post(
        json.dumps(body).encode(),
        path="/v1/messages/count_tokens",
        headers={"x-endpoint-api-key": SENT},
    )

    assert (counted.json, sent.json) == ({"input_tokens": 3}, {"input_tokens": 3})
    assert [one.header("x-api-key") for one in upstream.received] == [[KEY], [SENT]]
    assert all("key" not in one.json for one in upstream.received)


def test_librechats_routes_are_served(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    value = json.dumps({"apiKey": KEY, "baseURL": ""})
    body = {"name": "A/b", "value": value, "expiresAt": "2999-01-01T00:00:00.000Z"}
    created = account(gateway, "PUT", "/api/keys", body)
    expiry = account(gateway, "GET", "/api/keys", name="A/b")
    gateway.chat(model="own-model")
    refused = account(gateway, "DELETE", "/api/keys")
    deleted = account(gateway, "DELETE", "/api/keys", all="true")

    assert (created.status, created.text) == (201, "")
    assert expiry.json == {"expiresAt": "2999-01-01T00:00:00.000Z"}
    assert keys_sent(upstream) == [[f"Bearer {KEY}"]]
    assert (refused.status, deleted.status) == (400, 204)
    assert items() == []


def test_a_key_in_a_field_of_the_log_is_redacted(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    trusted = make_gateway_key("key-of-librechat", User("librechat"), is_trusted=True)
    for user, sent in ((SENT, SENT), (KEY, None)):
        named = {"x-librechat-user-id": user}
        if sent is None:
            event_headers = {
                **named,
                "Content-Type": "application/json",
                "Authorization": f"Bearer {trusted}",
            }
            body = json.dumps({"apiKey": KEY}).encode()
            gateway.call("account", rest_event("PUT", "/v1/keys/A%2Fb", event_headers, body))
        headers = {**named, **({"x-endpoint-api-key": sent} if sent else {})}
        answer = gateway.chat(model="own-model", key=trusted, headers=headers)
        assert answer.status == 200

    assert {line["user_id"] for line in gateway.log.lines() if "user_id" in line} == {"[REDACTED]"}
    table = DynamoTable(boto3.client("dynamodb"), TABLE)
    asyncio.run(table.delete(f"U#{KEY}", "KEY#A%2Fb"))
