"""`waystation usage`: what is summed up, and how it is shown."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from tests.support.cli import TABLE, emulated_account, refuse, run, succeed, table
from tests.support.spending import failed, made, settle, unpriced

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
LONG_AGO = "2020-01-05T00:00:00Z"
CONFIG = b"endpoints: {custom: []}\ninterface: {currency: {code: EUR, rate: 0.92}}\n"


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with emulated_account():
        records = [
            made(days_ago(1), 1, cost_nanousd=1_500_000_001, conversation_id="c-1"),
            made(days_ago(1), 2, cost_nanousd=1, user_id="bob"),
            unpriced(days_ago(2), 3, model="free"),
            failed(days_ago(2), 4),
            made(LONG_AGO, 5, cost_nanousd=9),
        ]
        asyncio.run(settle(table(), *records))
        yield


def usage(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(succeed("usage", "--json", *arguments, *TABLE))
    return found


def costs(*arguments: str) -> list[list[object]]:
    found = usage(*arguments)
    return [[*(row[by] for by in found["group_by"]), row["cost_nanousd"]] for row in found["data"]]


def test_costs_of_thirty_days_are_added_up_by_endpoint_and_model() -> None:
    assert costs() == [["Acme", "large", 1_500_000_002], ["Acme", "free", 0]]
    total = usage()["total"]
    assert (total["requests"], total["errors"], total["unpriced_requests"]) == (3, 1, 1)
    assert total["tokens"] == {
        "input": 300,
        "output": 60,
        "cache_read": 120,
        "cache_write": 30,
        "reasoning": 15,
    }
    assert total["cost_usd"] == "1.500000002"


def test_one_user_endpoint_or_model_can_be_picked() -> None:
    assert costs("--user", "bob") == [["Acme", "large", 1]]
    assert costs("--user", "carol") == []
    assert costs("--model", "free") == [["Acme", "free", 0]]
    assert costs("--endpoint", "Nothing") == []


def test_rows_are_by_what_is_asked_for() -> None:
    assert costs("--by", "user") == [["alice", 1_500_000_001], ["bob", 1]]
    assert costs("--by", "day") == [[days_ago(2)[:10], 0], [days_ago(1)[:10], 1_500_000_002]]
    conversations = costs("--by", "conversation", "--user", "alice")
    assert conversations == [["c-1", 1_500_000_001], [None, 0]]


def test_time_is_bounded_as_it_is_said() -> None:
    assert costs("--days", "1", "--by", "day") == [[days_ago(1)[:10], 1_500_000_002]]
    assert costs("--from", "2020-01-05", "--to", "2020-01-05") == [["Acme", "large", 9]]
    assert costs("--to", "2020-01-31") == [["Acme", "large", 9]]
    assert costs("--from", "2019-12-01", "--to", "2020-01-04") == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--days", "1", "--from", "2020-01-01"), "either --days or --from"),
        (("--from", "yesterday"), "from must be a date"),
        (("--by", "hour"), "group_by lists some of"),
        (("--by", "conversation"), "give --user"),
        (("--conversation", "c-1"), "give --user"),
    ],
)
def test_what_cannot_be_is_told(arguments: tuple[str, ...], told: str) -> None:
    assert told in refuse("usage", *arguments, *TABLE)


def test_table_for_people_ends_with_the_sum_and_bars_follow() -> None:
    shown = succeed("usage", *TABLE)
    (last,) = [line for line in shown.splitlines() if "all" in line]
    cells = last.replace("│", " ").split()
    assert cells == ["all", "3", "1", "1", "0", "300", "120", "30", "60", "1.500000002"]
    (dearest,) = [line for line in shown.splitlines() if line.strip().startswith(days_ago(1)[:10])]
    assert dearest.count("█") == 50
    assert dearest.rstrip().endswith("1.500000002 USD")
    (free,) = [line for line in shown.splitlines() if line.strip().startswith(days_ago(2)[:10])]
    assert "█" not in free


def test_names_are_shown_as_they_are() -> None:
    asyncio.run(settle(table(), made(days_ago(1), 6, model="[/red]")))
    assert "[/red]" in succeed("usage", *TABLE)


def test_csv_has_all_rows() -> None:
    text = succeed("usage", "--csv", "--by", "user,model", *TABLE)
    header, *rows = csv.reader(io.StringIO(text))
    assert header[:3] == ["user", "model", "requests"]
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("alice", "large", "1.500000001"),
        ("bob", "large", "0.000000001"),
        ("alice", "free", "0.000000000"),
    ]


def test_deployed_file_says_which_currency_is_shown_too() -> None:
    boto3.client("s3").put_object(Bucket="way-config", Key="librechat.yaml", Body=CONFIG)
    place = ("--config-uri", "s3://way-config/librechat.yaml")
    found = usage(*place)
    assert found["currency"] == {"code": "EUR", "rate": "0.92"}
    assert found["total"]["cost"] == "1.380000002"
    shown = succeed("usage", *TABLE, *place)
    assert "cost, EUR" in shown
    assert "1.380000002 EUR" in shown


def test_file_that_cannot_be_read_leaves_usd_and_a_warning() -> None:
    shown = run("usage", *TABLE, "--config-uri", "s3://way-config/nothing.yaml")
    assert shown.exit_code == 0
    assert "NoSuchKey" in shown.stderr
    assert "EUR" not in shown.stdout
