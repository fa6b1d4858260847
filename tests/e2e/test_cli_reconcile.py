"""`waystation reconcile`: whatever differs is told, and what the ledger lost is put back once."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import TABLE, emulated_account, refuse, run, scan, succeed, table
from tests.support.fakes import BrokenTable
from tests.support.fresh_log import CapturedLog
from tests.support.ledgers import DRAWING, OPENING, RELEASED, SETTLED, drawn, put_balance
from tests.support.spending import failed, made, settle, unpriced
from waystation.aws.table import Put, Update
from waystation.ledger.balances import BalanceRules, grant
from waystation.ledger.ledger import TableLedger
from waystation.web.log import set_up_logging
from waystation_cli import reconcile

RULES = BalanceRules(start_nanousd=10**9)
NOW = "2026-11-02T10:00:00Z"
ENDS = {"SETTLED": SETTLED, "RELEASED": RELEASED}


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_S", 0)
    with emulated_account():
        yield


@pytest.fixture
def history() -> None:
    """Requests of all kinds: alice draws on a balance and has one open, bob does not."""

    async def spend() -> None:
        ledger = TableLedger(table(), None, lambda: 0)
        await grant(table(), "alice", 5 * 10**9, grant_id="g-1", actor="me", reason="", now_ms=0)
        for number, state in enumerate(("SETTLED", "RELEASED", "open", "EXPIRED")):
            request_id = f"01JZZZZZZZZZZZZZZZZZZZZZ{number:02d}"
            await ledger.reserve(replace(DRAWING, request_id=request_id), RULES)
            if state in ENDS:
                await ledger.settle(replace(drawn(ENDS[state]), request_id=request_id))
            if state == "EXPIRED":
                late = TableLedger(table(), None, lambda: DRAWING.expires_at_ms + 1)
                assert await late.expire("U#alice", f"REQ#{request_id}") == "expired"
        records = [made(NOW, 1), unpriced(NOW, 2), failed(NOW, 3), made("2026-10-01", 4)]
        await settle(table(), *(replace(one, user_id="bob#1") for one in records))

    asyncio.run(spend())


def told(*arguments: str) -> list[tuple[str, str, str, object, object]]:
    found = run("reconcile", "--json", *arguments, *TABLE)
    rows: list[dict[str, Any]] = json.loads(found.stdout)
    assert found.exit_code == bool(rows)
    return [(row["pk"], row["sk"], row["what"], row["expected"], row["found"]) for row in rows]


def change(*writes: Put | Update) -> None:
    assert asyncio.run(table().transact(*writes)) is None


def test_empty_ledger_agrees() -> None:
    assert succeed("reconcile", *TABLE) == "All agrees.\n"


@pytest.mark.parametrize(
    "which", [(), ("--user", "alice"), ("--user", "bob#1"), ("--month", "2026-11")]
)
def test_what_the_ledger_wrote_agrees(history: None, which: tuple[str, ...]) -> None:
    before = scan()
    assert told(*which) == []
    assert scan() == before


BALANCES = {
    "avail": [("avail + held + spent", 6 * 10**9, 6 * 10**9 + 7)],
    "held": [("avail + held + spent", 6 * 10**9, 6 * 10**9 + 7), ("held", 100_000, 100_007)],
    "spent": [("avail + held + spent", 6 * 10**9, 6 * 10**9 + 7), ("spent", 40_000, 40_007)],
    "granted": [
        ("granted", 6 * 10**9, 6 * 10**9 + 7),
        ("avail + held + spent", 6 * 10**9 + 7, 6 * 10**9),
    ],
    "inflight": [("inflight", 1, 8)],
}


@pytest.mark.parametrize("name", BALANCES)
def test_balance_that_is_off_is_told(history: None, name: str) -> None:
    change(Update("U#alice", "BAL", add={name: 7}))
    expected = [("U#alice", "BAL", *one) for one in BALANCES[name]]
    assert told() == told("--user", "alice") == expected
    assert told("--user", "bob#1") == told("--month", "2026-11") == []


def test_sum_that_is_off_is_told(history: None) -> None:
    (pk, sk), *_ = {(str(i["PK"]), str(i["SK"])) for i in scan("M#") if "2026-11" in str(i["PK"])}
    assert (pk, sk) == ("A#bob%231#2026-11", "M#Acme#large#02")
    change(Update(pk, sk, add={"cost": -1, "in": 5}, set={"GSI1PK": "MONTH#2026-11#x"}))
    expected = [(pk, sk, "in", 200, 205), (pk, sk, "cost", 1000, 999)]
    for which in ((), ("--user", "bob#1"), ("--month", "2026-11")):
        found = told(*which)
        assert [one for one in found if one[2] != "index"] == expected
        (index,) = [one for one in found if one[2] == "index"]
        assert index[4] == ["MONTH#2026-11#x", "bob%231#Acme#large#02"]
    assert told("--month", "2026-10") == []


def test_sum_without_a_record_is_told(history: None) -> None:
    item = {"PK": "A#carol#2026-03", "SK": "M#Acme#large#01", "requests": 1}
    change(Put(item))
    expected = [("A#carol#2026-03", "M#Acme#large#01", "requests", 0, 1)]
    assert told() == told("--user", "carol") == expected


def test_record_without_a_sum_is_told(history: None) -> None:
    record = {**made(NOW, 9).to_item(), "PK": "U#dave"}
    change(Put(record))
    found = {one[2]: one[3] for one in told("--user", "dave")}
    assert found["requests"] == 1
    assert found["cost"] == 1000


def test_open_record_that_no_sweeper_can_find_is_told(history: None) -> None:
    (record,) = [one for one in scan("REQ#") if one["state"] == "RESERVED"]
    key = (str(record["PK"]), str(record["SK"]))
    change(Update(*key, remove=("GSI1PK", "GSI1SK")))
    what = [(one[:2], one[2]) for one in told("--user", "alice")]
    assert what == [(key, "index"), (key, "in the index")]


def test_closed_record_in_the_index_is_told(history: None) -> None:
    (record,) = [one for one in scan("REQ#") if one["state"] == "EXPIRED"]
    key = (str(record["PK"]), str(record["SK"]))
    change(Update(*key, set={"GSI1PK": "OPEN#1", "GSI1SK": "1"}))
    what = [(one[:2], one[2]) for one in told()]
    assert what == [(key, "index"), (key, "in the index")]


def test_table_for_people_tells_it_too(history: None) -> None:
    change(Update("U#alice", "BAL", add={"inflight": 1}))
    shown = run("reconcile", *TABLE)
    assert shown.exit_code == 1
    (row,) = [line for line in shown.stdout.splitlines() if "inflight" in line]
    assert row.replace("│", " ").split() == ["U#alice", "BAL", "inflight", "1", "2"]


def test_month_that_is_none_is_refused() -> None:
    assert "--month must be" in refuse("reconcile", "--month", "2026-13", *TABLE)


def lost(*, with_settle: bool = True) -> str:
    """Return what the log has of a request that the table did not take."""
    log = CapturedLog()
    with log.set_up():
        set_up_logging("INFO", list)
    ledger = TableLedger(BrokenTable(), None, lambda: 0)

    async def lose() -> None:
        await ledger.open(OPENING)
        if with_settle:
            await ledger.settle(SETTLED)

    asyncio.run(lose())
    return log.text


def test_lost_records_are_put_back_once(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(lost() + "not of the ledger\n", "utf-8")
    for _ in range(2):
        shown = succeed("reconcile", "--replay", str(file), *TABLE)
        assert shown == "2 records are in the ledger, each once.\n"
    (record,) = scan("REQ#")
    assert record["state"] == "SETTLED"
    (sums,) = scan("M#")
    assert (sums["requests"], sums["cost"]) == (1, 20_000)
    assert told() == []


def test_log_may_come_by_a_pipe() -> None:
    shown = succeed("reconcile", "--replay", "-", "--json", *TABLE, stdin=lost(with_settle=False))
    assert json.loads(shown) == {"written": 1, "refused": []}
    (record,) = scan("REQ#")
    assert record["state"] == "RESERVED"


def test_lost_record_that_draws_gives_its_hold_back(tmp_path: Path) -> None:
    asyncio.run(put_balance(table(), 0))
    asyncio.run(grant(table(), "alice", 10**6, grant_id="g", actor="", reason="", now_ms=0))
    asyncio.run(TableLedger(table(), None, lambda: 0).reserve(DRAWING, BalanceRules(0)))
    log = CapturedLog()
    with log.set_up():
        set_up_logging("INFO", list)
    asyncio.run(TableLedger(BrokenTable(), None, lambda: 0).settle(drawn(SETTLED)))
    for _ in range(2):
        succeed("reconcile", "--replay", "-", *TABLE, stdin=log.text)
    assert told() == []
    (balance,) = scan("BAL")
    assert (balance["held"], balance["spent"], balance["avail"]) == (0, 20_000, 980_000)


def test_what_cannot_be_put_back_is_told() -> None:
    log = lost().replace("SETTLED", "GONE")
    shown = run("reconcile", "--replay", "-", *TABLE, stdin=log)
    assert (shown.exit_code, shown.stdout) == (1, "1 records are in the ledger, each once.\n")
    assert "in a state that it cannot have" in shown.stderr
    assert "cannot be read" in refuse("reconcile", "--replay", "/nowhere", *TABLE)
