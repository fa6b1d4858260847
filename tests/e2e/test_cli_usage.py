"""`waystation usage`: what is counted, and what is shown."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from tests.support.cli import TABLE, emulated_account, succeed, table


def put_record(number: int, **attributes: object) -> None:
    user = attributes.pop("user", "alice")
    record = {
        "PK": f"U#{user}",
        "SK": f"REQ#{number}",
        "endpoint": "Acme",
        "model": "large",
        "created_at": "2999-01-01T00:00:00.000Z",
        **attributes,
    }
    assert asyncio.run(table().put_new(record))


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with emulated_account():
        tokens = {"in": 100, "out": 20, "cacheRead": 40}
        put_record(1, priced=True, cost=1_500_000_001, tokens=tokens, usage_source="upstream")
        put_record(2, priced=True, cost=1, tokens=tokens, usage_source="estimated", user="bob")
        put_record(3, model="free", priced=False, tokens={"in": 1, "out": 1})
        put_record(4, cost=9, created_at="2020-01-01T00:00:00.000Z")
        yield


def usage(*arguments: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(succeed("usage", "--json", *arguments, *TABLE))
    return found


def test_costs_are_added_up_by_endpoint_and_model():
    assert usage() == [
        {
            "endpoint": "Acme",
            "model": "large",
            "requests": 2,
            "unpriced_requests": 0,
            "estimated_requests": 1,
            "tokens": {"in": 200, "cacheRead": 80, "cacheWrite": 0, "out": 40},
            "cost_nanousd": 1_500_000_002,
            "cost_usd": "1.500000002",
        },
        {
            "endpoint": "Acme",
            "model": "free",
            "requests": 1,
            "unpriced_requests": 1,
            "estimated_requests": 0,
            "tokens": {"in": 1, "cacheRead": 0, "cacheWrite": 0, "out": 1},
            "cost_nanousd": 0,
            "cost_usd": "0.000000000",
        },
    ]


def test_one_user_can_be_picked():
    assert [line["cost_nanousd"] for line in usage("--user", "bob")] == [1]
    assert usage("--user", "carol") == []


def test_days_bound_what_counts():
    assert sum(int(str(line["requests"])) for line in usage("--days", "36500")) == 4


def test_table_for_people_ends_with_the_sum():
    last = [line for line in succeed("usage", *TABLE).splitlines() if "all" in line]
    assert list(last[0].replace("│", " ").split()) == ["all", "3", "1.500000002"]


def test_names_are_shown_as_they_are():
    put_record(5, model="[/red]", priced=True, cost=1)
    assert "[/red]" in succeed("usage", *TABLE)
