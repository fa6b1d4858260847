"""`waystation reconcile`: whether the ledger agrees with itself, and putting back what it lost."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from waystation.aws.table import Table
from waystation.ledger.ledger import TableLedger
from waystation.ledger.outbox import OutboxMessageError
from waystation.ledger.records import SHARDS, open_partition
from waystation.ledger.settling import BALANCE_SK
from waystation.ledger.usage_queries import DAY_MS, Span
from waystation.wire.key_parts import encode_part
from waystation.wire.moments import read_moment
from waystation_cli.console import error_console, fail, print_table
from waystation_cli.reconciling import Account, Difference, Key, differences
from waystation_cli.replaying import find_messages
from waystation_cli.stack import StackOption, TableOption, aws_errors, table_of

LOOKS = 3
LOOK_AGAIN_S = 1.0

_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])", re.ASCII)
_MONTH_LENGTH = len("2026-11")
_YEAR_MS = 365 * DAY_MS
_LAST = "\U0010ffff"
_NO_LIMIT = 10**9


def reconcile(
    *,
    user: Annotated[str | None, typer.Option(help="Id of one user; else everybody.")] = None,
    month: Annotated[
        str | None, typer.Option(help="Compare the sums of one month alone.", metavar="YYYY-MM")
    ] = None,
    replay: Annotated[
        str | None,
        typer.Option(help="Write the records that a log has: a file, or - for stdin."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    stack: StackOption = None,
    table: TableOption = None,
) -> None:
    """Compare records, sums and balances. Ends with 1 if they differ.

    Without --user it reads the whole table. It changes nothing; --replay does not compare, but
    writes.
    """
    if month is not None and not _MONTH.fullmatch(month):
        fail("--month must be like 2026-11")
    with aws_errors():
        target = table_of(stack, table)
        if replay is not None:
            _tell_replayed(asyncio.run(_replay(target, _read(replay))), as_json=as_json)
            return
        found = asyncio.run(_differences(target, user, month))
    if as_json:
        print(json.dumps([_as_json(one) for one in found], ensure_ascii=False, indent=2))
    elif found:
        print_table(_as_table(found))
    else:
        print("All agrees.")
    if found:
        raise typer.Exit(1)


async def _differences(table: Table, user: str | None, month: str | None) -> list[Difference]:
    found: list[Difference] = []
    months = await _everybody(table) if user is None else {encode_part(user): set[str]()}
    indexed = await _open_keys(table)
    for part in sorted(months):
        look = partial(_look, table, part, {month} if month else months[part], is_whole=not month)
        last = await look(indexed)
        for _ in range(LOOKS - 1):
            if not last:
                break
            await asyncio.sleep(LOOK_AGAIN_S)
            last = _same(last, await look(await _open_keys(table)))
        found += last
    return found


def _same(before: list[Difference], now: list[Difference]) -> list[Difference]:
    """Return what differs as it did before: requests go on while one looks, mistakes stay."""
    known = [(one.key, one.what, one.gap) for one in before]
    return [one for one in now if (one.key, one.what, one.gap) in known]


async def _everybody(table: Table) -> dict[str, set[str]]:
    """Return all users, as they are in keys, each with the months of which there are sums."""
    months: dict[str, set[str]] = {}
    for kind in ("REQ#", BALANCE_SK):
        for item in await table.scan(kind):
            months.setdefault(str(item["PK"]).removeprefix("U#"), set())
    for item in await table.scan("M#"):
        _, part, month = str(item["PK"]).split("#")
        months.setdefault(part, set()).add(month)
    return months


async def _look(
    table: Table, part: str, months: set[str], indexed: set[Key], *, is_whole: bool
) -> list[Difference]:
    pk = f"U#{part}"
    records = await table.query(pk, "REQ#")
    if is_whole:
        months = months | _until_now(str(one["created_at"])[:_MONTH_LENGTH] for one in records)
    else:
        records = [one for one in records if str(one["created_at"])[:_MONTH_LENGTH] in months]
    sums = [item for month in sorted(months) for item in await table.query(f"A#{part}#{month}")]
    account = Account(
        pk=pk,
        records=records,
        sums=sums,
        indexed=indexed,
        balance=await table.get(pk, BALANCE_SK),
        grants=await table.query(pk, "ADJ#"),
    )
    return differences(account, with_balance=is_whole)


def _until_now(months: Iterable[str]) -> set[str]:
    """Return all months from the first of these until now, a year of them at least."""
    now_ms = time.time_ns() // 1_000_000
    first_ms = min([now_ms - _YEAR_MS, *(read_moment(f"{month}-01") for month in months)])
    return set(Span(first_ms, now_ms).months())


async def _open_keys(table: Table) -> set[Key]:
    found: set[Key] = set()
    for shard in range(SHARDS):
        found |= set(await table.indexed(open_partition(shard), _LAST, limit=_NO_LIMIT))
    return found


async def _replay(table: Table, messages: Iterable[str]) -> tuple[int, list[str]]:
    """Return how many records are in the table now, and what cannot be written and why."""
    ledger = TableLedger(table, None, lambda: time.time_ns() // 1_000_000)
    written, refused = 0, []
    for message in messages:
        try:
            await ledger.apply(message)
        except OutboxMessageError as error:
            refused.append(str(error))
        else:
            written += 1
    return written, refused


def _read(place: str) -> Iterable[str]:
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{place} cannot be read: {error}")
    return find_messages(text)


def _tell_replayed(told: tuple[int, list[str]], *, as_json: bool) -> None:
    written, refused = told
    if as_json:
        print(json.dumps({"written": written, "refused": refused}))
    else:
        print(f"{written} records are in the ledger, each once.")
        for reason in refused:
            error_console.print(f"error: a record cannot be written: {reason}")
    if refused:
        raise typer.Exit(1)


def _as_json(one: Difference) -> dict[str, object]:
    pk, sk = one.key
    return {
        "pk": pk,
        "sk": sk,
        "what": one.what,
        "expected": one.expected,
        "found": one.found,
    }


def _as_table(found: Iterable[Difference]) -> RichTable:
    rows = RichTable("item", "", "what", "expected", "found")
    for one in found:
        rows.add_row(*one.key, one.what, str(one.expected), str(one.found))
    return rows
