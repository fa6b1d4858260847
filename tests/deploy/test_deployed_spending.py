"""Balances, idempotency keys and usage in the deployed stack: through its API, and its operator's.

Each test has users of its own, for it counts what they spent.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.conftest import Gateway

if TYPE_CHECKING:
    from httpx2 import Response

COST = 165_026
START, GRANTED = 1_000, 500_000_000  # nano-USD; what one chat may cost is in between
CHAT = {"model": "Fake/small", "messages": [{"role": "user", "content": "Hello!"}]}


@pytest.fixture(scope="module", autouse=True)
def limited(gateway: Gateway) -> Iterator[None]:
    """Serve a file with balances to these tests, and to others none."""
    _serve(gateway, balance={"enabled": True, "startBalance": START // 1000})
    yield
    _serve(gateway)


def test_user_without_enough_is_refused_until_the_operator_grants_it(gateway: Gateway):
    key = gateway.deployment.create_key("poor")
    gateway.upstream.received.clear()

    refused = _chat(gateway, key)

    assert (refused.status_code, _code(refused)) == (402, "insufficient_balance")
    assert gateway.upstream.received == []
    assert "as g-1" in _grant(gateway, "poor")
    assert "nothing has changed" in _grant(gateway, "poor")
    answer = _chat(gateway, key)
    assert answer.status_code == 200
    record = gateway.record(answer.headers["x-request-id"], "poor")
    assert (record["state"], record["draws"], record["cost"]) == ("SETTLED", True, COST)
    told = gateway.request("GET", "/v1/balance", key=key).raise_for_status().json()
    amounts = [told[f"{name}_nanousd"] for name in ("available", "held", "spent", "granted")]
    assert amounts == [START + GRANTED - COST, 0, COST, START + GRANTED]
    assert (told["enabled"], told["in_flight"]) == (True, 0)
    shown = json.loads(gateway.deployment.waystation("balance", "show", "poor", "--json"))
    assert shown["spent_nanousd"] == COST
    assert sorted(one["id"] for one in shown["grants"]) == ["g-1", "start"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_request_with_an_idempotency_key_is_made_once(gateway: Gateway, *, stream: bool):
    user = f"careful-{stream}"
    key = _payer(gateway, user)
    gateway.upstream.received.clear()

    answers = [_chat(gateway, key, stream=stream, idempotency_key="k-1") for _ in range(2)]
    other = _chat(gateway, key, stream=stream, idempotency_key="k-1", temperature=0)

    first, again = answers
    assert first.status_code == 200
    assert (again.status_code, _code(again)) == (409, "idempotency_completed")
    assert first.headers["x-request-id"] in again.json()["error"]["message"]
    assert again.headers["x-should-retry"] == "false"
    assert (other.status_code, _code(other)) == (422, "idempotency_key_reused")
    assert len(gateway.upstream.received) == 1
    shown = gateway.deployment.waystation("balance", "show", user, "--json")
    assert json.loads(shown)["spent_nanousd"] == COST


def test_request_with_an_idempotency_key_waits_for_a_table_that_can_be_written(gateway: Gateway):
    key = _payer(gateway, "patient")
    assert _chat(gateway, key).status_code == 200  # so that the key is known for a minute
    gateway.upstream.received.clear()

    with gateway.without("ChatRole", "dynamodb:PutItem"):
        refused = _chat(gateway, key, idempotency_key="k-1")

    assert (refused.status_code, _code(refused)) == (503, "ledger_unavailable")
    assert gateway.upstream.received == []
    assert _chat(gateway, key, idempotency_key="k-1").status_code == 200


def test_usage_is_told_to_its_user_alone_and_to_admins(gateway: Gateway):
    key, admin = _payer(gateway, "user-1"), _admin(gateway)
    for stream in (False, True):
        assert _chat(gateway, key, stream=stream).status_code == 200
    assert _chat(gateway, key, model="Fake/unknown").status_code == 404

    own = _usage(gateway, "group_by=day,model", key)
    of_user = _usage(gateway, "group_by=day,model&user=user-1", admin)
    users = _usage(gateway, "group_by=user", admin)["data"]
    of_another = gateway.request("GET", "/v1/usage?user=poor", key=key)
    csv = gateway.request("GET", "/v1/usage?format=csv", key=key)

    (row,) = own["data"]
    assert (row["day"], row["model"]) == (_today(), "small")
    assert (row["requests"], row["errors"], row["cost_nanousd"]) == (2, 0, 2 * COST)
    assert row["tokens"]["input"] == 2000
    assert of_user["data"] == own["data"]
    assert {row["user"]: row["cost_nanousd"] for row in users}["user-1"] == 2 * COST
    assert (of_another.status_code, _code(of_another)) == (404, "not_found")
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.text.splitlines()[1].startswith("Fake,small,2,0,")


def test_operator_sees_usage_and_that_the_ledger_agrees_with_itself(gateway: Gateway):
    assert _chat(gateway, _payer(gateway, "user-2")).status_code == 200
    command = ("usage", "--by", "day,model", "--json", "--user", "user-2")

    told = json.loads(gateway.deployment.waystation(*command))

    assert [(row["day"], row["model"]) for row in told["data"]] == [(_today(), "small")]
    assert (told["total"]["requests"], told["total"]["cost_nanousd"]) == (1, COST)
    everybodys = gateway.deployment.waystation("usage", "--by", "day,model")
    assert "small" in everybodys
    assert gateway.deployment.waystation("reconcile") == "All agrees.\n"


def _serve(gateway: Gateway, **sections: object) -> None:
    """Have the functions serve a file at once."""
    gateway.push("small", **sections)
    for function in ("ChatFunction", "AccountFunction"):
        gateway.start_anew(function)


def _chat(gateway: Gateway, key: str, *, idempotency_key: str = "", **more: object) -> "Response":
    headers = {"idempotency_key": idempotency_key} if idempotency_key else {}
    body = CHAT | more
    return gateway.request("POST", "/v1/chat/completions", key=key, body=body, **headers)


def _payer(gateway: Gateway, user_id: str) -> str:
    """Return the key of a new user who can pay."""
    _grant(gateway, user_id)
    return gateway.deployment.create_key(user_id)


def _grant(gateway: Gateway, user_id: str) -> str:
    usd = f"{GRANTED / 10**9:.2f}"
    return gateway.deployment.waystation("balance", "grant", user_id, usd, "--id", "g-1")


def _admin(gateway: Gateway) -> str:
    made = gateway.deployment.waystation(
        "keys", "create", "--user", "boss", "--role", "admin", "--json"
    )
    key: str = json.loads(made)["key"]
    return key


def _usage(gateway: Gateway, query: str, key: str) -> dict[str, Any]:
    answer = gateway.request("GET", f"/v1/usage?{query}", key=key)
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


def _code(answer: "Response") -> object:
    return answer.json()["error"]["code"]


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
