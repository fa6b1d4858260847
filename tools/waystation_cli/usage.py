"""`waystation usage`: what was used and what it cost, by endpoint and model."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table as RichTable

from waystation.aws.table import Item, Table
from waystation.ledger.pricing import NANOUSD_PER_USD
from waystation.wire.key_parts import encode_part
from waystation_cli.console import console
from waystation_cli.stack import StackOption, TableOption, aws_errors, table_of

_KINDS = ("in", "cacheRead", "cacheWrite", "out")


@dataclass(slots=True)
class Sum:
    """What one endpoint and model come to. Requests without a known price are counted apart."""

    endpoint: str
    model: str
    requests: int = 0
    unpriced: int = 0
    estimated: int = 0
    cost_nanousd: int = 0
    tokens: dict[str, int] | None = None

    def add(self, record: Item) -> None:
        self.requests += 1
        self.unpriced += record.get("priced") is False
        self.estimated += record.get("usage_source") == "estimated"
        self.cost_nanousd += _whole(record.get("cost"))
        counted = record.get("tokens")
        if isinstance(counted, Mapping):
            sums = self.tokens or dict.fromkeys(_KINDS, 0)
            self.tokens = {kind: sums[kind] + _whole(counted.get(kind)) for kind in _KINDS}


def usage(
    *,
    days: Annotated[int, typer.Option(min=1, help="How many days back.")] = 30,
    user: Annotated[str | None, typer.Option(help="Id of one user.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    stack: StackOption = None,
    table: TableOption = None,
) -> None:
    """Show requests, tokens and cost by endpoint and model. Reads every record it counts."""
    since = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S")
    with aws_errors():
        records = asyncio.run(_records(table_of(stack, table), user))
    sums = summarize(r for r in records if str(r.get("created_at", "")) >= since)
    if as_json:
        print(json.dumps([_as_json(line) for line in sums], ensure_ascii=False, indent=2))
    else:
        console.print(_as_table(sums))


def summarize(records: Iterable[Item]) -> list[Sum]:
    """Add records up by endpoint and model, dearest first."""
    sums: dict[tuple[str, str], Sum] = {}
    for record in records:
        endpoint, model = str(record["endpoint"]), str(record["model"])
        sums.setdefault((endpoint, model), Sum(endpoint, model)).add(record)
    return sorted(sums.values(), key=lambda line: (-line.cost_nanousd, line.endpoint, line.model))


async def _records(table: Table, user: str | None) -> Iterable[Item]:
    if user:
        return await table.query(f"U#{encode_part(user)}", "REQ#")
    return await table.scan("REQ#")


def _as_json(line: Sum) -> dict[str, object]:
    return {
        "endpoint": line.endpoint,
        "model": line.model,
        "requests": line.requests,
        "unpriced_requests": line.unpriced,
        "estimated_requests": line.estimated,
        "tokens": line.tokens or dict.fromkeys(_KINDS, 0),
        "cost_nanousd": line.cost_nanousd,
        "cost_usd": _usd(line.cost_nanousd),
    }


def _as_table(sums: list[Sum]) -> RichTable:
    headings = ("endpoint", "model", "requests", "unpriced", "input", "cache read", "cache write")
    rows = RichTable(*headings, "output", "cost, USD")
    for line in sums:
        tokens = line.tokens or dict.fromkeys(_KINDS, 0)
        counts = (line.requests, line.unpriced, *(tokens[kind] for kind in _KINDS))
        texts = (str(count) for count in counts)
        rows.add_row(line.endpoint, line.model, *texts, _usd(line.cost_nanousd))
    rows.add_section()
    total = sum(line.cost_nanousd for line in sums)
    rows.add_row("all", "", str(sum(line.requests for line in sums)), *[""] * 5, _usd(total))
    return rows


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _usd(nanousd: int) -> str:
    return f"{nanousd // NANOUSD_PER_USD}.{nanousd % NANOUSD_PER_USD:09d}"
