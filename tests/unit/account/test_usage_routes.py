"""GET /v1/usage: whose usage is told, and in which form."""

import asyncio
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support.fakes import BrokenTable, build_snapshot_of
from tests.support.spending import failed, made, settle, unpriced
from tests.support.usage_gateway import UsageGateway
from waystation.account import usage_service
from waystation.aws.table import Item
from waystation.config.schema_currency import Currency
from waystation_cli.local.memory_table import InMemoryTable

NOT_FOUND = {
    "message": "There is no such user.",
    "type": "not_found_error",
    "param": None,
    "code": "not_found",
}
EUROS = replace(build_snapshot_of(), currency=Currency(code="EUR", rate=Decimal("0.92")))


@pytest.fixture
async def gateway() -> UsageGateway:
    table = InMemoryTable()
    await settle(
        table,
        made("2026-11-01T10:00:00Z", 1, cost_nanousd=1_500_000_000, conversation_id="c-1"),
        made("2026-11-02T10:00:00Z", 2, kind="title", conversation_id="c-1"),
        failed("2026-11-02T11:00:00Z", 3, conversation_id="c-2"),
        unpriced("2026-11-02T12:00:00Z", 4, model="free"),
        made("2026-10-31T10:00:00Z", 5),
        made("2026-11-02T10:00:00Z", 6, user_id="bob", cost_nanousd=7, conversation_id="c-9"),
    )
    return UsageGateway(table)


KINDS = ("requests", "errors", "title_requests", "estimated_requests", "unpriced_requests")


def row(**told: object) -> dict[str, object]:
    return dict.fromkeys(KINDS, 0) | told


TOKENS = {"input": 100, "output": 20, "cache_read": 40, "cache_write": 10, "reasoning": 5}


def tokens(times: int) -> dict[str, int]:
    return {kind: count * times for kind, count in TOKENS.items()}


async def test_own_usage_of_the_month_is_told_by_endpoint_and_model(gateway):
    answer = await gateway.ask()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    large = row(
        requests=2,
        errors=1,
        title_requests=1,
        tokens=tokens(2),
        cost_nanousd=1_500_001_000,
        cost_usd="1.500001000",
    )
    free = row(
        requests=1, unpriced_requests=1, tokens=tokens(1), cost_nanousd=0, cost_usd="0.000000000"
    )
    total = row(
        requests=3,
        errors=1,
        title_requests=1,
        unpriced_requests=1,
        tokens=tokens(3),
        cost_nanousd=1_500_001_000,
        cost_usd="1.500001000",
    )
    assert answer.json == {
        "object": "usage",
        "from": "2026-11-01T00:00:00.000Z",
        "to": "2026-11-24T00:00:00.000Z",
        "group_by": ["endpoint", "model"],
        "currency": None,
        "data": [
            {"endpoint": "Acme", "model": "large", **large},
            {"endpoint": "Acme", "model": "free", **free},
        ],
        "total": total,
        "has_more": False,
    }


async def costs(gateway: UsageGateway, query: str, user: str = "alice") -> list[list[object]]:
    """Return the values of each row's group, and its cost."""
    answer = (await gateway.ask(query, user=user)).json
    return [
        [*(one[group] for group in answer["group_by"]), one["cost_nanousd"]]
        for one in answer["data"]
    ]


GROUPS = {
    "day": [["2026-11-01", 1_500_000_000], ["2026-11-02", 1000]],
    "month": [["2026-11", 1_500_001_000]],
    "model,day": [
        ["large", "2026-11-01", 1_500_000_000],
        ["large", "2026-11-02", 1000],
        ["free", "2026-11-02", 0],
    ],
    "conversation": [["c-1", 1_500_001_000], [None, 0], ["c-2", 0]],
    "conversation,model": [["c-1", "large", 1_500_001_000], [None, "free", 0], ["c-2", "large", 0]],
}


@pytest.mark.parametrize("by", GROUPS)
async def test_groups_are_what_was_asked_for(gateway, by):
    assert await costs(gateway, f"group_by={by}") == GROUPS[by]


async def test_filters_narrow(gateway):
    assert await costs(gateway, "model=free") == [["Acme", "free", 0]]
    assert await costs(gateway, "endpoint=Nothing") == []
    assert await costs(gateway, "conversation=c-1&group_by=day") == GROUPS["day"]
    assert await costs(gateway, "from=2026-10-01&to=2026-10-31") == [["Acme", "large", 1000]]


@pytest.mark.parametrize(
    "query",
    [
        "user=bob",
        "user=nobody",
        "user=bob&group_by=conversation",
        "user=bob&conversation=c-9",
        "user=bob&format=csv",
        "user=admin",
    ],
)
async def test_usage_of_another_is_not_found_whether_there_is_any(gateway, query):
    answer = await gateway.ask(query)
    assert (answer.status, answer.json["error"]) == (404, NOT_FOUND)


async def test_conversation_of_another_is_empty_like_one_that_is_not(gateway):
    of_another = await gateway.ask("conversation=c-9")
    unknown = await gateway.ask("conversation=c-0")
    assert of_another.status == 200
    assert of_another.json == unknown.json
    assert of_another.json["data"] == []


async def test_users_may_name_themselves_and_group_nobody_else(gateway):
    assert (await gateway.ask("user=alice")).json == (await gateway.ask()).json
    refused = await gateway.ask("group_by=user")
    assert (refused.status, refused.json["error"]["param"]) == (400, "group_by")


async def test_admins_see_everybody_or_whom_they_name(gateway):
    everybody = [["alice", 1_500_001_000], ["bob", 7]]
    assert await costs(gateway, "group_by=user", "admin") == everybody
    assert await costs(gateway, "user=bob", "admin") == [["Acme", "large", 7]]
    assert await costs(gateway, "user=bob&group_by=conversation", "admin") == [["c-9", 7]]
    refused = await gateway.ask("group_by=conversation", user="admin")
    assert (refused.status, refused.json["error"]["param"]) == (400, "user")


async def test_trusted_caller_gets_what_the_asserted_user_may_see(gateway):
    headers = {"x-librechat-user-id": "alice", "x-librechat-user-role": "ADMIN"}
    asserted = await gateway.ask(user="trusted", headers=headers)
    assert asserted.json == (await gateway.ask()).json
    for query, status in (("user=bob", 404), ("group_by=user", 400)):
        assert (await gateway.ask(query, user="trusted", headers=headers)).status == status
    assert await costs(gateway, "group_by=user", "trusted") == [
        ["alice", 1_500_001_000],
        ["bob", 7],
    ]


async def test_headers_of_the_untrusted_assert_nobody(gateway):
    answer = await gateway.ask(user="bob", headers={"x-librechat-user-id": "alice"})
    assert answer.json["total"]["cost_nanousd"] == 7


@pytest.mark.parametrize(
    ("query", "accept", "is_csv"),
    [
        ("format=csv", "*/*", True),
        ("format=csv", "application/json", True),
        ("", "text/csv", True),
        ("", "Text/CSV; header=present, */*", True),
        ("format=json", "text/csv", False),
        ("", "application/json, text/csv", False),
    ],
)
async def test_csv_is_told_by_format_or_accept(gateway, query, accept, is_csv):
    answer = await gateway.ask(query, headers={"accept": accept})
    expected = "text/csv; charset=utf-8; header=present" if is_csv else "application/json"
    assert answer.headers["content-type"] == expected


async def test_csv_has_a_header_and_a_line_for_each_row(gateway):
    answer = await gateway.ask("format=csv&group_by=day,model")
    assert answer.body.decode() == (
        "day,model,requests,errors,title_requests,estimated_requests,unpriced_requests,"
        "input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,reasoning_tokens,"
        "cost_nanousd,cost_usd\r\n"
        "2026-11-01,large,1,0,0,0,0,100,20,40,10,5,1500000000,1.500000000\r\n"
        "2026-11-02,large,1,1,1,0,0,100,20,40,10,5,1000,0.000001000\r\n"
        "2026-11-02,free,1,0,0,0,1,100,20,40,10,5,0,0.000000000\r\n"
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
async def test_no_cell_is_a_formula(gateway, start):
    name = f'{start}HYPERLINK("http://evil.test","a"),b'
    await settle(gateway.table, made("2026-11-03T10:00:00Z", 9, model=name, user_id="carol"))
    answer = await gateway.ask("format=csv&group_by=model", user="carol")
    _, line = csv.reader(io.StringIO(answer.body.decode(), newline=""))
    assert line[0] == f"'{name}"
    assert (await gateway.ask("group_by=model", user="carol")).json["data"][0]["model"] == name


async def test_amounts_are_shown_in_the_operators_currency_too(gateway):
    gateway.snapshot = EUROS
    answer = (await gateway.ask()).json
    assert answer["currency"] == {"code": "EUR", "rate": "0.92"}
    assert answer["total"]["cost"] == "1.380000920"
    assert answer["data"][0]["cost_usd"] == "1.500001000"
    text = (await gateway.ask("format=csv")).body.decode()
    assert text.splitlines()[0].endswith(",cost_nanousd,cost_usd,cost_eur")
    assert text.splitlines()[1].endswith(",1500001000,1.500001000,1.380000920")


async def test_rows_come_in_pages_with_the_total_of_all(gateway):
    first = (await gateway.ask("limit=1")).json
    last = (await gateway.ask("limit=1&offset=1")).json
    assert [one["model"] for one in first["data"] + last["data"]] == ["large", "free"]
    assert (first["has_more"], last["has_more"]) == (True, False)
    assert first["total"] == last["total"]
    assert (await gateway.ask("offset=9")).json["data"] == []


async def test_largest_answer_is_small_enough_to_send(gateway):
    """Lambda takes 6 MB, in which quotes and backslashes take two characters each again."""
    names = [f"{n:04d}" + '"' * 196 for n in range(1000)]
    records = [
        made("2026-11-03T10:00:00Z", n, endpoint=names[0], model=name, conversation_id=names[0])
        for n, name in enumerate(names)
    ]
    await settle(gateway.table, *(replace(one, user_id=names[0]) for one in records))
    by = "group_by=user,endpoint,model,conversation,day,month"
    answer = await gateway.ask(f"{by}&user={names[0]}".replace('"', "%22"), user="admin")
    assert len(answer.json["data"]) == 1000
    escaped = answer.body.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    assert len(escaped) < 5_000_000


async def test_too_much_at_once_is_refused(gateway, monkeypatch):
    monkeypatch.setattr(usage_service, "MAX_RECORDS", 2)
    monkeypatch.setattr(usage_service, "MAX_AGGREGATES", 2)
    for query, user in (("", "alice"), ("group_by=conversation", "alice"), ("", "admin")):
        answer = await gateway.ask(query, user=user)
        error = answer.json["error"]
        assert (answer.status, error["code"], error["param"]) == (400, "invalid_body", "from")
        assert "narrow" in error["message"]


async def test_what_takes_too_long_is_refused(gateway, monkeypatch):
    class SilentTable(InMemoryTable):
        async def between(self, *_: object, **__: object) -> Sequence[Item]:
            await asyncio.Event().wait()
            return []

    monkeypatch.setattr("waystation.web.request.BUFFERED_S", 0.01)
    gateway.table = SilentTable()
    answer = await gateway.ask()
    assert (answer.status, answer.json["error"]["param"]) == (400, "from")


async def test_table_that_does_not_answer_is_503(gateway):
    gateway.table = BrokenTable()
    for query, user in (("", "alice"), ("conversation=c-1", "alice"), ("", "admin")):
        answer = await gateway.ask(query, user=user)
        assert (answer.status, answer.json["error"]["code"]) == (503, "ledger_unavailable")


async def test_bad_parameter_is_400_and_names_it(gateway):
    answer = await gateway.ask("from=yesterday")
    assert (answer.status, answer.json["error"]["param"]) == (400, "from")


async def test_caller_is_needed(gateway):
    answer = await gateway.ask(user="wrong")
    assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")
