"""The deployed stack while one permission is missing: a 503 that says what, and a line in the log.

Afterwards it works again, without a new deployment.
"""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.deploy.conftest import UPSTREAM_KEY, Gateway, within

if TYPE_CHECKING:
    from httpx2 import Response

MENDED_WITHIN_S = 20
KEY = "/v1/keys/openAI"
ROLES = {
    "ChatRole": ("POST", "/v1/chat/completions"),
    "TitleRole": ("GET", "/v1/titles/none"),
    "ModelsRole": ("GET", "/v1/models"),
    "AccountRole": ("GET", KEY),
}


def test_nobody_is_known_without_the_table(gateway: Gateway):
    unseen = gateway.deployment.create_key("eve")

    with ExitStack() as taken:
        for role in ROLES:
            taken.enter_context(gateway.without(role, "dynamodb:"))
        refused = [gateway.request(*route, key=unseen, body={}) for route in ROLES.values()]
    mended = [gateway.request(*route, key=unseen, body={}).status_code for route in ROLES.values()]

    for answer in refused:
        _expect(answer, "ledger_unavailable")
    assert mended == [400, 404, 200, 404]


def test_answer_is_not_spoiled_where_its_record_cannot_be_written(gateway: Gateway, tmp_path: Path):
    assert gateway.chat("Late/late").status_code == 200  # so that the key is known for a minute

    with (
        gateway.without("ChatRole", "dynamodb:PutItem"),
        gateway.without("ChatRole", "sqs:SendMessage"),
    ):
        answer = gateway.chat("Late/late")

    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Good day."
    lines = gateway.logged("ChatLogs").splitlines()
    unwritten = [json.loads(line) for line in lines if '"ledger_settle_unwritten"' in line]
    records = [json.loads(line["record"]) for line in unwritten]
    assert f"REQ#{answer.headers['x-request-id']}" in [record["SK"] for record in records]
    assert "AccessDenied" in unwritten[-1]["cause"]

    log = tmp_path / "lost.log"
    log.write_text("\n".join(lines), encoding="utf-8")
    for _ in range(2):
        gateway.deployment.waystation("reconcile", "--replay", log)
    assert gateway.record(answer.headers["x-request-id"])["state"] == "SETTLED"
    assert gateway.deployment.waystation("reconcile", "--user", "ann") == "All agrees.\n"


def test_key_of_a_user_is_not_kept_without_its_encryption(gateway: Gateway):
    body = {"apiKey": "sk-of-a-user-that-is-not-kept"}

    with gateway.without("AccountRole", "kms:Encrypt"):
        refused = gateway.request("PUT", KEY, body=body)

    _expect(refused, "secret_unavailable")
    assert gateway.request("GET", KEY).status_code == 404
    assert body["apiKey"] not in gateway.logged("AccountLogs")


def test_key_of_a_user_is_not_found_without_the_table(gateway: Gateway):
    assert gateway.request("GET", KEY).status_code == 404  # so that the caller is known

    with gateway.without("AccountRole", "dynamodb:"):
        refused = gateway.request("GET", KEY)

    _expect(refused, "secret_unavailable")


def test_key_of_a_user_is_not_used_without_its_decryption(gateway: Gateway):
    assert gateway.request("PUT", KEY, body={"apiKey": "sk-of-a-user-1"}).status_code == 200
    gateway.upstream.received.clear()

    with gateway.without("ChatRole", "kms:Decrypt"):
        refused = gateway.chat("any", endpoint="openAI")

    _expect(refused, "secret_unavailable")
    assert gateway.upstream.received == []
    assert gateway.chat("any", endpoint="openAI").status_code == 200
    assert gateway.request("DELETE", KEY).status_code == 204


def test_endpoint_fails_without_its_secret_and_no_other(gateway: Gateway):
    """The secrets of the file's entries are fetched at the start, those of built-in ones not."""
    fake = gateway.model_ids()[0]
    assert gateway.request("PUT", KEY, body={"apiKey": "sk-of-a-user-1"}).status_code == 200
    gateway.start_anew("ChatFunction")
    assert gateway.chat(fake).status_code == 200

    with gateway.without_secrets("ChatRole"):
        refused = gateway.chat("any", endpoint="openAI")
        other = gateway.chat(fake)

    _expect(refused, "secret_unavailable")
    assert other.status_code == 200
    assert gateway.upstream.last.header("authorization") == [f"Bearer {UPSTREAM_KEY}"]
    assert gateway.chat("any", endpoint="openAI").status_code == 200
    assert gateway.request("DELETE", KEY).status_code == 204


def test_nobody_is_known_without_the_pepper_of_the_keys(gateway: Gateway):
    with gateway.without_secrets("TitleRole"):
        gateway.start_anew("TitleFunction")
        refused = gateway.request("GET", "/v1/titles/none")

    _expect(refused, "secret_unavailable")
    assert gateway.request("GET", "/v1/titles/none").status_code == 404


def test_warm_function_goes_on_with_the_file_it_has_and_a_cold_one_waits_for_it(gateway: Gateway):
    assert gateway.request("GET", KEY).status_code == 404

    with gateway.without_config("AccountRole"):
        warm = gateway.request("GET", KEY)
        gateway.start_anew("AccountFunction")
        cold = gateway.request("GET", KEY)

    assert warm.status_code == 404
    _expect(cold, "config_unavailable")
    assert int(cold.headers["retry-after"]) > 0
    assert within(MENDED_WITHIN_S, lambda: gateway.request("GET", KEY).status_code == 404)


def _expect(answer: "Response", code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["error"].get("code")) == (503, code), body
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    assert body["error"]["type"] == "service_unavailable"
    assert answer.headers["x-request-id"]
