"""What users may spend: nothing is asked of an upstream that the balance cannot pay."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.support.fake_upstream import FakeUpstream, completion, json_reply, streamed
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import MESSAGES, ServedGateway, expect_error, expect_released
from waystation.ledger.balances import Balance, grant, read_balance

Serve: TypeAlias = Callable[..., ServedGateway]

COST = 10 * 2000 + 5 * 6000
HOLD_OF_OUTPUT = 100 * 6000
ONE = {"max_tokens": 100}
either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def serve(acme: dict[str, object], tmp_path: Path) -> Iterator[Serve]:
    """Make a gateway with a balance of so many credits at the start."""
    gateways: list[ServedGateway] = []

    def build(credits_: float, *others: dict[str, object], **settings: object) -> ServedGateway:
        balance = {"enabled": True, "startBalance": credits_, **settings}
        config = build_config(acme, *others, balance=balance)
        gateway = ServedGateway(config, tmp_path, ACME_KEY="key-of-acme")
        gateways.append(gateway)
        return gateway.__enter__()

    yield build
    for gateway in gateways:
        gateway.__exit__()


def balance_of(served: ServedGateway) -> Balance:
    return served.run(read_balance(served.table, "alice"))


def change_balance(served: ServedGateway, **changes: int) -> None:
    item = served.run(served.table.get("U#alice", "BAL"))
    assert item is not None
    served.run(served.table.put({**item, **changes}))


def give(served: ServedGateway, nanousd: int, grant_id: str) -> None:
    served.run(
        grant(
            served.table,
            "alice",
            nanousd,
            grant_id=grant_id,
            actor="bob",
            reason="gift",
            now_ms=0,
        )
    )


@either_way
def test_request_is_charged_what_it_cost_and_no_more_is_held(
    serve: Serve, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer(streamed("Hello!") if stream else json_reply(completion()))
    served = serve(1000)
    answer = served.chat(stream=stream, **ONE)
    assert answer.status_code == 200
    record = served.record_of(answer)
    assert (record["state"], record["cost"], record["draws"]) == ("SETTLED", COST, True)
    assert isinstance(hold := record["hold"], int)
    assert HOLD_OF_OUTPUT < hold < HOLD_OF_OUTPUT + 300 * 2500
    assert balance_of(served) == Balance(
        avail=1_000_000 - COST,
        spent=COST,
        granted=1_000_000,
        started=True,
        last_refill_ms=balance_of(served).last_refill_ms,
    )


@either_way
@pytest.mark.parametrize("path", ["/v1/chat/completions", MESSAGES])
def test_too_little_is_a_402_and_no_upstream_is_asked(
    serve: Serve, upstream: FakeUpstream, path: str, *, stream: bool
) -> None:
    served = serve(1)
    body: dict[str, Any] = {"model": "Acme/acme-large", "max_tokens": 100, "stream": stream}
    answer = served.client.post(
        path, json=body | {"messages": [{"role": "user", "content": "Hi!"}]}
    )
    assert answer.status_code == 402
    assert answer.json()["error"]["type"] == "billing_error"
    assert upstream.received == []
    assert served.records() == []
    give(served, 2_000_000, "g1")
    assert served.chat(**ONE).status_code == 200


def test_refill_comes_by_itself_when_it_is_time(serve: Serve, upstream: FakeUpstream) -> None:
    refill = {"refillAmount": 2000, "refillIntervalValue": 1, "refillIntervalUnit": "hours"}
    served = serve(1, autoRefillEnabled=True, **refill)
    expect_error(served.chat(**ONE), 402, "insufficient_balance")
    change_balance(served, last_refill=(balance_of(served).last_refill_ms or 0) - 3_600_000)
    assert served.chat(**ONE).status_code == 200
    assert balance_of(served).granted == 2_001_000


def test_model_without_a_price_is_a_400(serve: Serve, upstream: FakeUpstream) -> None:
    served = serve(1000)
    expect_error(served.chat(model="Acme/acme-free"), 400, "model_not_priced")
    assert upstream.received == []


def test_upstream_that_refuses_costs_nothing(serve: Serve, upstream: FakeUpstream) -> None:
    upstream.answer(json_reply({"error": {"message": "No"}}, status=500))
    served = serve(1000)
    expect_released(served, served.chat(**ONE), "upstream_error")
    balance = balance_of(served)
    assert (balance.avail, balance.held, balance.spent, balance.inflight) == (1_000_000, 0, 0, 0)


def test_of_many_at_once_only_as_many_go_as_can_be_paid(
    serve: Serve, upstream: FakeUpstream
) -> None:
    served = serve(3 * HOLD_OF_OUTPUT / 1000 + 1500)  # three holds, and not four
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: served.chat(**ONE), range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 402}
    assert len(upstream.received) == statuses.count(200) >= 3
    balance = balance_of(served)
    assert balance.spent == COST * statuses.count(200)
    assert (balance.held, balance.inflight) == (0, 0)
    assert balance.granted == balance.avail + balance.spent


def test_more_than_a_users_share_at_once_is_a_429(serve: Serve, upstream: FakeUpstream) -> None:
    served = serve(1_000_000)
    served.chat(**ONE)
    change_balance(served, inflight=20)
    answer = served.chat(**ONE)
    expect_error(answer, 429, "rate_limited")
    assert answer.headers["retry-after"] == "1"
    assert len(upstream.received) == 1


def test_table_that_is_down_is_a_503_and_no_upstream_is_asked(
    serve: Serve, upstream: FakeUpstream
) -> None:
    served = serve(1000)
    served.chat(**ONE)  # from now on the caller's key is known
    served.table.is_down = True
    expect_error(served.chat(**ONE), 503, "ledger_unavailable")
    assert len(upstream.received) == 1


def test_chat_that_cannot_be_paid_begins_no_title(serve: Serve, upstream: FakeUpstream) -> None:
    titled = {
        "name": "Titled",
        "apiKey": "k",
        "baseURL": upstream.url,
        "models": {"default": ["m"]},
        "titleConvo": True,
        "tokenConfig": {"m": {"prompt": 0.001, "completion": 0, "context": 9}},
    }
    served = serve(0.0001, titled)
    body = {"model": "Titled/m", "conversationId": "c1"}
    expect_error(served.chat(**body), 402, "insufficient_balance")
    assert upstream.received == []
    assert served.records("TITLE#") == []


def test_title_that_cannot_be_paid_leaves_its_chat_alone(
    serve: Serve, upstream: FakeUpstream, titles: FakeUpstream
) -> None:
    titled = {
        "name": "Titled",
        "apiKey": "k",
        "baseURL": upstream.url,
        "models": {"default": ["m"]},
        "titleConvo": True,
        "titleModel": "dear",
        "titleEndpoint": "Dear",
        "titleTiming": "final",
        "tokenConfig": {"m": {"prompt": 2, "completion": 6, "context": 9}},
    }
    dear = titled | {
        "name": "Dear",
        "baseURL": titles.url,
        "models": {"default": ["dear"]},
        "titleEndpoint": "Dear",
        "tokenConfig": {"dear": {"prompt": 900, "completion": 900, "context": 9}},
    }
    served = serve(2000, titled, dear)
    answer = served.chat(model="Titled/m", conversationId="c1", **ONE)
    assert answer.status_code == 200
    until = time.monotonic() + 5
    while [one["state"] for one in served.records("TITLE#")] != ["FAILED"]:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert titles.received == []
    assert [record["kind"] for record in served.records()] == ["chat"]
    assert balance_of(served).spent == COST
