"""`waystation keys`: the gateway's own keys. A key is shown once; the table keeps its digest."""

import asyncio
import json
import secrets as random_source
import time
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table as RichTable

from waystation.identity.gateway_keys import (
    PEPPER_NAME,
    list_keys,
    make_key,
    revoke_key,
    store_key,
)
from waystation.identity.user import User, parse_user
from waystation_cli.console import fail, print_table
from waystation_cli.stack import (
    PrefixOption,
    StackOption,
    TableOption,
    aws_errors,
    prefix_of,
    ssm_client,
    table_of,
)

keys = typer.Typer(help="The gateway's own keys.", no_args_is_help=True)


@keys.command("create")
def create(
    *,
    user: Annotated[str, typer.Option("--user", help="Id of the user the key is for.")],
    trusted: Annotated[
        bool, typer.Option("--trusted", help="May assert other users by headers.")
    ] = False,
    role: Annotated[Literal["user", "admin"], typer.Option(help="What the key may do.")] = "user",
    user_file: Annotated[
        Path | None, typer.Option(help="JSON with more of the user's fields.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    stack: StackOption = None,
    table: TableOption = None,
    prefix: PrefixOption = None,
) -> None:
    """Make a key and show it, this once."""
    known_user = _user(user, user_file)
    key = make_key()
    with aws_errors():
        target = table_of(stack, table)
        info = asyncio.run(
            store_key(
                target,
                key,
                pepper=_pepper(prefix_of(stack, prefix)),
                user=known_user,
                created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                is_trusted=trusted,
                is_admin=role == "admin",
            )
        )
    if as_json:
        print(json.dumps({"key": key, "id": info.key_id, "user": info.user_id}))
    else:
        print(f"Key {info.key_id} of user '{info.user_id}'. It is not shown again:\n{key}")


@keys.command("list")
def show(stack: StackOption = None, table: TableOption = None) -> None:
    """List the keys by id."""
    with aws_errors():
        found = asyncio.run(list_keys(table_of(stack, table)))
    rows = RichTable("id", "user", "made at", "trusted", "admin", "revoked")
    for info in found:
        flags = (info.is_trusted, info.is_admin, info.is_revoked)
        rows.add_row(
            info.key_id, info.user_id, info.created_at, *("yes" if f else "" for f in flags)
        )
    print_table(rows)


@keys.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id that `keys list` shows.")],
    stack: StackOption = None,
    table: TableOption = None,
) -> None:
    """Revoke a key; functions notice within a minute."""
    with aws_errors():
        is_known = asyncio.run(revoke_key(table_of(stack, table), key_id))
    if not is_known:
        fail(f"there is no key {key_id}")
    print(f"Revoked {key_id}.")


def _user(user_id: str, file: Path | None) -> User:
    try:
        fields = json.loads(file.read_text(encoding="utf-8")) if file else {}
        return parse_user({**fields, "id": user_id})
    except (OSError, TypeError, ValueError) as error:
        fail(f"{file or '--user'}: {error}")


def _pepper(prefix: str) -> str:
    """Return the pepper of the stack's keys; it is made with the first key."""
    client, name = ssm_client(), f"{prefix}/{PEPPER_NAME}"
    try:
        return client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except client.exceptions.ParameterNotFound:
        pass
    pepper = random_source.token_hex(32)
    try:
        client.put_parameter(Name=name, Value=pepper, Type="SecureString", Overwrite=False)
    except client.exceptions.ParameterAlreadyExists:  # someone was faster
        return client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    return pepper
