"""Users' own keys with `waystation dev`, over real sockets."""

import json
from pathlib import Path

from tests.support.dev_process import DevProcess
from tests.support.fake_upstream import FakeUpstream
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import CHAT, chat_body, expect_error

KEY = "canary-key-of-the-user-1234"


def test_key_and_url_are_put_used_and_deleted(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    entry = acme | {"name": "My own/1", "apiKey": "user_provided", "baseURL": "user_provided"}
    endpoints = {"allowedAddresses": [upstream.address], "custom": [entry]}
    path = "/v1/keys/My%20own%2F1"
    chat = chat_body(model="acme-large", endpoint="My own/1")
    user = {"x-librechat-user-id": "alice"}

    with DevProcess(tmp_path, "--no-demo", config=build_config(endpoints=endpoints)) as dev:
        missing = dev.client.post(CHAT, json=chat, headers=user)
        body = {"apiKey": KEY, "baseURL": upstream.url}
        put = dev.client.put(path, json=body, headers=user)
        answer = dev.client.post(CHAT, json=chat, headers=user)
        another = dev.client.post(CHAT, json=chat)
        got = dev.client.get(path, headers=user)
        deleted = dev.client.delete(path, headers=user)
        gone = dev.client.post(CHAT, json=chat, headers=user)
        printed = dev.output.read_text()

    expect_error(missing, 400, "missing_user_key")
    shown = {"endpoint": "My own/1", "apiKey": "…1234", "baseURL": upstream.address}
    assert (put.status_code, put.json()) == (200, {**shown, "expiresAt": None})
    assert (answer.status_code, got.json()) == (200, put.json())
    expect_error(another, 400, "missing_user_key")
    assert deleted.status_code == 204
    expect_error(gone, 400, "missing_user_key")
    assert [one.header("authorization") for one in upstream.received] == [[f"Bearer {KEY}"]]
    assert "canary" not in printed


def test_built_in_endpoint_takes_a_users_key_and_url(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    variables = {"OPENAI_API_KEY": "user_provided", "OPENAI_REVERSE_PROXY": "user_provided"}
    endpoints = {"allowedAddresses": [upstream.address], "custom": [acme | {"apiKey": "a-key"}]}
    config = build_config(endpoints=endpoints)
    with DevProcess(tmp_path, "--no-demo", config=config, environment=variables) as dev:
        value = json.dumps({"apiKey": KEY, "baseURL": upstream.url})
        put = dev.client.put("/api/keys", json={"name": "openAI", "value": value})
        answer = dev.client.post(CHAT, json=chat_body(model="gpt-4o", endpoint="openAI"))

    assert (put.status_code, answer.status_code) == (201, 200)
    assert upstream.last.header("authorization") == [f"Bearer {KEY}"]
