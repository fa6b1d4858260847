"""`waystation balance`: grants that count once, and what is shown."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from tests.support.cli import TABLE, emulated_account, refuse, scan, succeed, table
from tests.support.ledgers import DRAWING, put_balance
from waystation.ledger.balances import BalanceRules
from waystation.ledger.ledger import TableLedger

CONFIG = b"endpoints: {custom: []}\ninterface: {currency: {code: EUR, rate: 0.92}}\n"


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with emulated_account():
        yield


def balance_of(user: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(succeed("balance", "show", user, "--json", *TABLE))
    return found


def test_grant_is_there_to_spend_and_is_written_down() -> None:
    told = succeed("balance", "grant", "alice/1", "12.5", "--id", "g-1", "--reason", "Q4", *TABLE)
    assert told == "Granted 12.500000000 USD to 'alice/1' as g-1.\n"
    found = balance_of("alice/1")
    (given,) = found.pop("grants")
    assert found == {
        "user": "alice/1",
        "avail_nanousd": 12_500_000_000,
        "held_nanousd": 0,
        "spent_nanousd": 0,
        "granted_nanousd": 12_500_000_000,
        "avail_usd": "12.500000000",
        "held_usd": "0.000000000",
        "spent_usd": "0.000000000",
        "granted_usd": "12.500000000",
        "in_flight": 0,
    }
    assert (given["id"], given["reason"], given["amount_usd"]) == ("g-1", "Q4", "12.500000000")
    assert given["by"] == boto3.client("sts").get_caller_identity()["Arn"]


def test_grant_of_one_id_counts_once() -> None:
    arguments = ("balance", "grant", "alice", "1", "--id", "g-1", *TABLE)
    assert succeed(*arguments).startswith("Granted 1.000000000 USD")
    assert succeed(*arguments) == "The grant g-1 was given before: nothing has changed.\n"
    assert balance_of("alice")["avail_nanousd"] == 1_000_000_000
    assert "another amount" in refuse("balance", "grant", "alice", "2", "--id", "g-1", *TABLE)


def test_grants_without_an_id_all_count_and_may_take() -> None:
    for usd in ("1", "0.25", "-2"):
        succeed("balance", "grant", "alice", usd, *TABLE)
    assert balance_of("alice")["avail_usd"] == "-0.750000000"


@pytest.mark.parametrize(
    ("usd", "more"),
    [("0", ()), ("much", ()), ("1.0000000001", ()), ("1000001", ()), ("1", ("--id", "start"))],
)
def test_grant_that_cannot_be_is_refused(usd: str, more: tuple[str, ...]) -> None:
    assert "error: " in refuse("balance", "grant", "alice", usd, *more, *TABLE)
    assert scan() == []


def test_what_is_held_is_shown_apart() -> None:
    asyncio.run(put_balance(table(), 1_000_000))
    ledger = TableLedger(table(), None, lambda: 0)
    asyncio.run(ledger.reserve(replace(DRAWING, user_id="alice"), BalanceRules(0)))
    found = balance_of("alice")
    assert (found["avail_nanousd"], found["held_nanousd"]) == (900_000, 100_000)
    assert found["in_flight"] == 1


def test_balances_of_all_are_listed() -> None:
    for user, usd in (("bob", "2"), ("alice", "1")):
        succeed("balance", "grant", user, usd, *TABLE)
    shown = [
        line.replace("│", " ").split()[:2]
        for line in succeed("balance", "list", *TABLE).splitlines()
        if line.startswith("│")
    ]
    assert shown == [["alice", "1.000000000"], ["bob", "2.000000000"]]
    listed = json.loads(succeed("balance", "list", "--json", *TABLE))
    assert [one["user"] for one in listed] == ["alice", "bob"]


def test_deployed_file_says_which_currency_is_shown_too() -> None:
    boto3.client("s3").put_object(Bucket="way-config", Key="librechat.yaml", Body=CONFIG)
    succeed("balance", "grant", "alice", "1", "--reason", "a gift", *TABLE)
    place = ("--config-uri", "s3://way-config/librechat.yaml")
    shown = succeed("balance", "show", "alice", *TABLE, *place)
    assert "available, EUR" in shown
    assert "0.920000000" in shown
    assert "a gift" in shown
