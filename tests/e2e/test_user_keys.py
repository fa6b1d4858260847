"""Users' own keys through the functions' handlers, with DynamoDB and KMS emulated."""

import asyncio
import json

from tests.support.emulated_aws import Watch, watched
from tests.support.fake_upstream import FakeUpstream, json_reply
from tests.support.lambda_gateway import TABLE, LambdaGateway, make_gateway_key
from tests.support.tables import open_table
from tests.support.users_keys import KEY, OPERATORS_KEY, SENT, account, items, keys_sent, put_key
from waystation.identity.user import User


def test_a_stored_key_is_what_the_upstream_sees(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    missing = users_gateway.chat(model="own-model")
    stored = put_key(users_gateway)
    answer = users_gateway.chat(model="own-model")
    account(users_gateway, "DELETE", "/v1/keys/A%2Fb")
    gone = users_gateway.chat(model="own-model")

    assert (missing.status, missing.error["code"]) == (400, "missing_user_key")
    assert (stored.status, stored.json["apiKey"], stored.json["endpoint"]) == (200, "…1234", "A/b")
    assert answer.status == 200
    assert (gone.status, gone.error["code"]) == (400, "missing_user_key")
    assert keys_sent(upstream) == [[f"Bearer {KEY}"]]


def test_the_table_holds_a_ciphertext_bound_to_its_place(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put_key(users_gateway)
    put_key(users_gateway, "Claude", apiKey=f"{KEY}-2")
    (first, second) = items()

    assert "canary" not in json.dumps([first, second])
    table = open_table(TABLE)
    asyncio.run(table.put({**first, "ciphertext": second["ciphertext"]}))
    swapped = users_gateway.chat(model="own-model")
    make_gateway_key("key-of-mallory", User("mallory"))
    asyncio.run(table.put({**first, "PK": "U#mallory"}))
    stolen = users_gateway.chat(model="own-model", key="key-of-mallory")
    asyncio.run(table.delete("U#mallory", first["SK"]))

    assert [one.error["code"] for one in (swapped, stolen)] == ["invalid_user_key"] * 2
    assert upstream.received == []


def test_kms_that_is_down_is_no_error_of_the_users(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put_key(users_gateway)
    with watched(_failing_on("kms:Decrypt")):
        chat = users_gateway.chat(model="own-model")
    with watched(_failing_on("kms:Encrypt")):
        again = put_key(users_gateway)

    assert [one.error["code"] for one in (chat, again)] == ["secret_unavailable"] * 2
    assert [one.status for one in (chat, again)] == [503, 503]
    assert "canary" not in chat.text
    assert upstream.received == []


def _failing_on(action: str) -> Watch:
    return lambda request: "KMSInternalException" if request.action == action else None


def test_a_key_that_has_expired_is_told_as_such(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put_key(users_gateway, expiresAt="2999-01-01T00:00:00Z")
    table = open_table(TABLE)
    asyncio.run(table.update("U#alice", "KEY#A%2Fb", {"expires_at": 1_700_000_000_000}))
    stored = users_gateway.chat(model="own-model")
    shown = account(users_gateway, "GET", "/v1/keys/A%2Fb")
    put_key(users_gateway)
    told = users_gateway.chat(model="own-model")

    assert (stored.status, stored.error["code"]) == (400, "expired_user_key")
    assert shown.json["expiresAt"] == "2023-11-14T22:13:20.000Z"
    assert told.status == 200


def test_librechats_own_word_that_a_key_has_expired_is_taken(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put_key(users_gateway)
    body = {"model": "own-model", "messages": [{"role": "user", "content": "Hi!"}]}
    for key in ("2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z", "never"):
        users_gateway.post(json.dumps(body | {"key": key}).encode())
    users_gateway.post(json.dumps(body | {"model": "acme-large", "key": "2020-01-01"}).encode())

    assert [line.get("error_code") for line in users_gateway.log.lines() if "route" in line][
        1:
    ] == [
        "expired_user_key",
        None,
        None,
        None,
    ]
    assert all("key" not in one.json for one in upstream.received)


def test_a_request_may_bring_its_own_which_is_kept_nowhere(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    headers = {"x-endpoint-api-key": SENT}
    first = users_gateway.chat(model="own-model", headers=headers)
    put_key(users_gateway)
    second = users_gateway.chat(model="own-model", headers=headers)
    third = users_gateway.chat(model="own-model")

    assert [one.status for one in (first, second, third)] == [200] * 3
    assert keys_sent(upstream) == [[f"Bearer {SENT}"], [f"Bearer {SENT}"], [f"Bearer {KEY}"]]
    assert all(SENT not in str(one.headers[1:]) for one in upstream.received[2:])
    assert all(not one.header("x-endpoint-api-key") for one in upstream.received)
    assert SENT not in json.dumps(items())


def test_a_header_never_takes_the_place_of_the_operators(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    for name, model in (
        ("x-endpoint-api-key", "acme-large"),
        ("x-endpoint-base-url", "acme-large"),
        ("x-endpoint-base-url", "own-model"),
    ):
        answer = users_gateway.chat(model=model, headers={name: f"https://{SENT}.test"})
        assert (answer.status, answer.error["param"]) == (400, name)
    assert upstream.received == []


def test_nothing_of_the_operators_reaches_a_users_url(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    refused = put_key(users_gateway, "Url", baseURL="http://127.0.0.1:1/v1")
    stored = put_key(users_gateway, "Url", baseURL=upstream.url)
    answer = users_gateway.chat(model="url-model")
    elsewhere = {"x-endpoint-api-key": SENT, "x-endpoint-base-url": "https://10.0.0.5/v1"}
    private = users_gateway.chat(model="url-model", headers=elsewhere)

    assert (refused.status, refused.error["code"]) == (400, "invalid_base_url")
    assert stored.json["baseURL"] == upstream.address
    assert answer.status == 200
    assert (private.status, private.error["code"]) == (400, "invalid_base_url")
    (request,) = upstream.received
    assert request.header("authorization") == [f"Bearer {KEY}"]
    assert OPERATORS_KEY.encode() not in request.raw
    assert request.json["temperature"] == 0.5


def test_messages_and_counts_take_a_users_key(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    put_key(users_gateway, "Claude")
    upstream.answer(json_reply({"input_tokens": 3}))
    body = {"model": "claude", "messages": [{"role": "user", "content": "Hi!"}], "key": "never"}

    counted = users_gateway.post(json.dumps(body).encode(), path="/v1/messages/count_tokens")
    sent = users_gateway.post(
        json.dumps(body).encode(),
        path="/v1/messages/count_tokens",
        headers={"x-endpoint-api-key": SENT},
    )

    assert (counted.json, sent.json) == ({"input_tokens": 3}, {"input_tokens": 3})
    assert [one.header("x-api-key") for one in upstream.received] == [[KEY], [SENT]]
    assert all("key" not in one.json for one in upstream.received)


def test_librechats_routes_are_served(users_gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    value = json.dumps({"apiKey": KEY, "baseURL": ""})
    body = {"name": "A/b", "value": value, "expiresAt": "2999-01-01T00:00:00.000Z"}
    created = account(users_gateway, "PUT", "/api/keys", body)
    expiry = account(users_gateway, "GET", "/api/keys", name="A/b")
    users_gateway.chat(model="own-model")
    refused = account(users_gateway, "DELETE", "/api/keys")
    deleted = account(users_gateway, "DELETE", "/api/keys", all="true")

    assert (created.status, created.text) == (201, "")
    assert expiry.json == {"expiresAt": "2999-01-01T00:00:00.000Z"}
    assert keys_sent(upstream) == [[f"Bearer {KEY}"]]
    assert (refused.status, deleted.status) == (400, 204)
    assert items() == []
