"""Usage and balances with `waystation dev`, over real sockets."""

import csv
import io
from pathlib import Path

from tests.support.dev_process import DevProcess
from tests.support.fake_upstream import FakeUpstream
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import CHAT, chat_body, expect_error


def test_usage_and_balance_are_told_to_whom_they_belong(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    entry = acme | {"apiKey": "a-key"}
    config = build_config(entry, balance={"enabled": True, "startBalance": 1_000})
    alice, bob = ({"x-librechat-user-id": name} for name in ("alice", "bob"))
    with DevProcess(tmp_path, "--no-demo", config=config) as dev:
        chat = chat_body(model="acme-large", conversationId="c-1", max_tokens=10)
        answer = dev.client.post(CHAT, json=chat, headers=alice)
        own = dev.client.get("/v1/usage", params={"group_by": "conversation"}, headers=alice)
        others = dev.client.get("/v1/usage", headers=bob)
        refused = dev.client.get("/v1/usage", params={"user": "alice"}, headers=bob)
        left = dev.client.get("/v1/balance", headers=alice)
        all_users = dev.client.get("/v1/usage", params={"group_by": "user", "format": "csv"})

    cost = answer.json()["usage"]["cost_nanousd"]
    assert cost > 0
    (row,) = own.json()["data"]
    assert (row["conversation"], row["requests"], row["cost_nanousd"]) == ("c-1", 1, cost)
    assert others.json()["data"] == []
    expect_error(refused, 404, "not_found")
    assert left.json()["spent_nanousd"] == cost
    assert left.json()["available_nanousd"] == 1_000_000 - cost
    (told,) = csv.DictReader(io.StringIO(all_users.text))
    assert (told["user"], told["cost_nanousd"]) == ("alice", str(cost))
