"""GET /v1/balance: what is left, and to whom it is told."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.support.fakes import BrokenTable, build_snapshot_of
from tests.support.ledgers import CREATED_MS, DRAWING, HOLD, put_balance
from tests.support.usage_gateway import UsageGateway
from waystation.config.schema_balance import BalanceSettings
from waystation.config.schema_currency import Currency
from waystation.ledger.balances import BalanceRules
from waystation.ledger.ledger import TableLedger

ENABLED = BalanceSettings(enabled=True, start_balance=20_000)  # 0.02 USD
REFILLED = replace(ENABLED, auto_refill_enabled=True, refill_interval_value=1)
NOTHING: dict[str, object] = {
    "object": "balance",
    "enabled": False,
    "currency": None,
    "available_nanousd": 0,
    "available_usd": "0.000000000",
    "held_nanousd": 0,
    "held_usd": "0.000000000",
    "spent_nanousd": 0,
    "spent_usd": "0.000000000",
    "granted_nanousd": 0,
    "granted_usd": "0.000000000",
    "in_flight": 0,
    "next_refill_at": None,
}


def gateway_of(settings: BalanceSettings | None, **changes: Any) -> UsageGateway:
    return UsageGateway(snapshot=replace(build_snapshot_of(), balance=settings, **changes))


async def balance_of(gateway: UsageGateway, query: str = "", **who: Any) -> dict[str, Any]:
    answer = await gateway.ask(query, path="/v1/balance", **who)
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


async def test_without_balances_there_is_nothing():
    assert await balance_of(gateway_of(None)) == NOTHING


async def test_start_balance_counts_before_it_is_granted():
    gateway = gateway_of(ENABLED)
    expected = NOTHING | {
        "enabled": True,
        "available_nanousd": 20_000_000,
        "available_usd": "0.020000000",
        "granted_nanousd": 20_000_000,
        "granted_usd": "0.020000000",
    }
    assert await balance_of(gateway) == expected
    ledger = TableLedger(gateway.table, None, lambda: CREATED_MS)
    await ledger.reserve(DRAWING, BalanceRules(20_000_000))
    after = await balance_of(gateway)
    assert after["granted_nanousd"] == 20_000_000
    assert after["available_nanousd"] == 20_000_000 - HOLD
    assert (after["held_nanousd"], after["in_flight"]) == (HOLD, 1)


@pytest.mark.parametrize(
    ("settings", "last_refill", "expected"),
    [
        (REFILLED, 0, "1970-01-02T00:00:00.000Z"),
        (replace(REFILLED, refill_interval_unit="months"), 0, "1970-02-01T00:00:00.000Z"),
        (replace(REFILLED, refill_amount=0), 0, None),
        (ENABLED, 0, None),
    ],
)
async def test_next_refill_is_told_where_there_is_one(settings, last_refill, expected):
    gateway = gateway_of(settings)
    await put_balance(gateway.table, 5, last_refill=last_refill)
    assert (await balance_of(gateway))["next_refill_at"] == expected


async def test_refill_that_has_no_beginning_has_no_moment():
    assert (await balance_of(gateway_of(REFILLED)))["next_refill_at"] is None


async def test_what_was_overdrawn_is_below_zero():
    gateway = gateway_of(ENABLED)
    await put_balance(gateway.table, -5, spent=5, granted=0)
    found = await balance_of(gateway)
    assert (found["available_nanousd"], found["available_usd"]) == (-5, "-0.000000005")


async def test_amounts_are_shown_in_the_operators_currency_too():
    gateway = gateway_of(ENABLED, currency=Currency(code="EUR", rate=Decimal("0.5")))
    found = await balance_of(gateway)
    assert found["currency"] == {"code": "EUR", "rate": "0.5"}
    assert (found["available"], found["held"]) == ("0.010000000", "0.000000000")


async def test_a_balance_is_of_one_user_alone():
    gateway = gateway_of(ENABLED)
    await put_balance(gateway.table, 7)
    assert (await balance_of(gateway, "user=alice"))["available_nanousd"] == 7
    for query, user, headers in (
        ("user=alice", "bob", {}),
        ("user=nobody", "bob", {}),
        ("user=alice", "trusted", {"x-librechat-user-id": "bob"}),
    ):
        answer = await gateway.ask(query, path="/v1/balance", user=user, headers=headers)
        assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")
    for query, user, headers, expected in (
        ("", "bob", {"x-librechat-user-id": "alice"}, 20_000_000),
        ("", "trusted", {"x-librechat-user-id": "alice"}, 7),
        ("", "admin", {}, 20_000_000),
        ("user=alice", "admin", {}, 7),
    ):
        found = await balance_of(gateway, query, user=user, headers=headers)
        assert found["available_nanousd"] == expected


async def test_unknown_parameter_is_refused():
    answer = await gateway_of(None).ask("userId=bob", path="/v1/balance")
    assert (answer.status, answer.json["error"]["code"]) == (400, "invalid_body")


async def test_table_that_does_not_answer_is_503():
    gateway = replace(gateway_of(ENABLED), table=BrokenTable())
    answer = await gateway.ask(path="/v1/balance")
    assert (answer.status, answer.json["error"]["code"]) == (503, "ledger_unavailable")
