"""`waystation usage`: what was used and what it cost, by whatever one asks for."""

import asyncio
import json
import time
from typing import Annotated

import typer

from waystation.account.usage_query import UsageQuery, parse_usage_query
from waystation.account.usage_tables import currency_as_json, row_as_json, rows_as_csv
from waystation.aws.table import Table
from waystation.config.schema_currency import Currency
from waystation.errors import InvalidBodyError
from waystation.ledger.usage_queries import DAY_MS, UsageQueries
from waystation.ledger.usage_sums import Portion, Row, sum_up, total_of
from waystation.wire.moments import write_moment
from waystation_cli.console import fail, print_table
from waystation_cli.deployed import currency_of
from waystation_cli.stack import ConfigUriOption, StackOption, TableOption, aws_errors, table_of
from waystation_cli.usage_report import chart_of, table_of_rows

NO_LIMIT = 10**9  # an operator waits for as much as there is

_DEFAULT_DAYS = 30


def usage(
    *,
    since: Annotated[
        str | None, typer.Option("--from", help="A date or moment, in UTC.", metavar="WHEN")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", help="A date, that day included; or a moment.", metavar="WHEN"),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="So many days until now: 30, if nothing is said.")
    ] = None,
    by: Annotated[
        str,
        typer.Option(help="Any of day, month, user, endpoint, model, conversation, with commas."),
    ] = "endpoint,model",
    user: Annotated[str | None, typer.Option(help="Id of one user.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Name of one endpoint.")] = None,
    model: Annotated[str | None, typer.Option(help="Name of one model.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Id of one; takes --user.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    stack: StackOption = None,
    table: TableOption = None,
    config_uri: ConfigUriOption = None,
) -> None:
    """Show requests, tokens and cost, with a chart of the days. Reads daily sums."""
    if days is not None and since is not None:
        fail("give either --days or --from")
    now_ms = time.time_ns() // 1_000_000
    if since is None and (days is not None or until is None):
        since = write_moment(now_ms - (days or _DEFAULT_DAYS) * DAY_MS)
    given = {"from": since, "to": until, "group_by": by, "user": user, "endpoint": endpoint}
    given |= {"model": model, "conversation": conversation}
    try:
        query = parse_usage_query([(name, text or "") for name, text in given.items()], now_ms)
    except InvalidBodyError as error:
        fail(error.message)
    if query.is_of_records and query.user is None:
        fail("conversations are read of one user at a time: give --user")
    with aws_errors():
        portions = asyncio.run(_portions(table_of(stack, table), query))
        currency = currency_of(stack, config_uri)
    rows = sum_up(portions, query.group_by)
    if as_json:
        print(json.dumps(_as_json(query, rows, currency), ensure_ascii=False, indent=2))
    elif as_csv:
        print(rows_as_csv(rows, query.group_by, currency), end="")
    else:
        print_table(table_of_rows(rows, query.group_by, currency))
        print_table(chart_of(portions, currency))


async def _portions(table: Table, query: UsageQuery) -> list[Portion]:
    queries = UsageQueries(table)
    if query.user is None:
        return await queries.everybodys_aggregates(query.span, query.only, limit=NO_LIMIT)
    read = queries.records_of if query.is_of_records else queries.aggregates_of
    return await read(query.user, query.span, query.only, limit=NO_LIMIT)


def _as_json(query: UsageQuery, rows: list[Row], currency: Currency | None) -> dict[str, object]:
    return {
        "from": write_moment(query.span.from_ms),
        "to": write_moment(query.span.to_ms),
        "group_by": query.group_by,
        "currency": currency_as_json(currency),
        "data": [row_as_json(row, query.group_by, currency) for row in rows],
        "total": row_as_json(total_of(rows), (), currency),
    }
