"""`waystation balance`: what users may spend, and giving them more."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import boto3
import typer
from rich.table import Table as RichTable

from waystation.aws.table import Item, Table
from waystation.config.schema_currency import Currency
from waystation.ledger.balances import Balance, GrantError, grant, parse_balance, read_balance
from waystation.ledger.money import converted_text, parse_usd, usd_text
from waystation.ledger.settling import BALANCE_SK
from waystation.web.ulid import UlidSource
from waystation.wire.key_parts import encode_part
from waystation_cli.console import fail, print_table
from waystation_cli.deployed import currency_of
from waystation_cli.stack import ConfigUriOption, StackOption, TableOption, aws_errors, table_of

balance = typer.Typer(help="What users may spend.", no_args_is_help=True)

UserArgument = Annotated[str, typer.Argument(help="Id of the user.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_AMOUNTS = ("avail", "held", "spent", "granted")


@balance.command("grant", context_settings={"ignore_unknown_options": True})
def give(
    user: UserArgument,
    usd: Annotated[str, typer.Argument(help="USD to give, like 12.50; -5 takes them.")],
    *,
    grant_id: Annotated[
        str | None, typer.Option("--id", help="Of this grant: it counts once. Else one is made.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    stack: StackOption = None,
    table: TableOption = None,
) -> None:
    """Give a user an amount, once for each id; who gave it is written down."""
    try:
        amount = parse_usd(usd)
    except ValueError as error:
        fail(str(error))
    given_id = grant_id or UlidSource()()
    with aws_errors():
        target, actor = table_of(stack, table), boto3.client("sts").get_caller_identity()["Arn"]
        try:
            given = grant(
                target,
                user,
                amount,
                grant_id=given_id,
                actor=actor,
                reason=reason,
                now_ms=time.time_ns() // 1_000_000,
            )
            result = asyncio.run(given)
        except GrantError as error:
            fail(str(error))
    if result == "known":
        print(f"The grant {given_id} was given before: nothing has changed.")
    else:
        print(f"Granted {usd_text(amount)} USD to '{user}' as {given_id}.")


@balance.command("show")
def show(
    user: UserArgument,
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    table: TableOption = None,
    config_uri: ConfigUriOption = None,
) -> None:
    """Show a user's balance, and what it was granted for."""
    with aws_errors():
        found, grants = asyncio.run(_read(table_of(stack, table), user))
        currency = currency_of(stack, config_uri)
    if as_json:
        told = _as_json(user, found) | {"grants": [_grant_as_json(one) for one in grants]}
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    print_table(_balances([(user, found)], currency))
    if grants:
        rows = RichTable("granted at", "USD", "id", "by", "reason")
        for one in grants:
            told = _grant_as_json(one)
            rows.add_row(*(str(told[name]) for name in ("at", "amount_usd", "id", "by", "reason")))
        print_table(rows)


@balance.command("list")
def list_all(
    *,
    as_json: JsonOption = False,
    stack: StackOption = None,
    table: TableOption = None,
    config_uri: ConfigUriOption = None,
) -> None:
    """List the balances of all users. Reads the whole table."""
    with aws_errors():
        items = asyncio.run(table_of(stack, table).scan(BALANCE_SK))
        currency = currency_of(stack, config_uri)
    found = sorted((str(item.get("user_id", item["PK"])), parse_balance(item)) for item in items)
    if as_json:
        print(json.dumps([_as_json(*one) for one in found], ensure_ascii=False, indent=2))
    else:
        print_table(_balances(found, currency))


async def _read(table: Table, user: str) -> tuple[Balance, Sequence[Item]]:
    grants = await table.query(f"U#{encode_part(user)}", "ADJ#")
    in_time = sorted(grants, key=lambda one: str(one["created_at"]))
    return await read_balance(table, user), in_time


def _balances(found: Sequence[tuple[str, Balance]], currency: Currency | None) -> RichTable:
    rows = RichTable("user")
    codes = ["USD", *([currency.code] if currency else [])]
    for heading in (*(f"available, {code}" for code in codes), "held", "spent", "granted"):
        rows.add_column(heading, justify="right", overflow="fold")
    rows.add_column("in flight", justify="right", overflow="fold")
    for user, one in found:
        shown = [converted_text(one.avail, currency.rate)] if currency else []
        amounts = (usd_text(amount) for amount in (one.held, one.spent, one.granted))
        rows.add_row(user, usd_text(one.avail), *shown, *amounts, str(one.inflight))
    return rows


def _as_json(user: str, found: Balance) -> dict[str, object]:
    told = asdict(found)
    return {
        "user": user,
        **{f"{name}_nanousd": told[name] for name in _AMOUNTS},
        **{f"{name}_usd": usd_text(told[name]) for name in _AMOUNTS},
        "in_flight": found.inflight,
    }


def _grant_as_json(item: Item) -> dict[str, object]:
    amount = item["amount"]
    assert isinstance(amount, int)  # noqa: S101 (the ledger writes nothing else)
    return {
        "id": str(item["SK"]).removeprefix("ADJ#"),
        "at": item["created_at"],
        "amount_nanousd": amount,
        "amount_usd": usd_text(amount),
        "by": item["actor"],
        "reason": item["reason"],
    }
