"""The `waystation` command."""

import typer

from waystation_cli.balance import balance
from waystation_cli.dev import dev
from waystation_cli.keys import keys
from waystation_cli.probe import probe
from waystation_cli.push import push
from waystation_cli.reconcile import reconcile
from waystation_cli.secret_values import secrets
from waystation_cli.usage import usage
from waystation_cli.validate import schema, validate

app = typer.Typer(
    name="waystation",
    help="Runs, checks and operates the gateway.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command()(dev)
app.command()(validate)
app.command()(schema)
app.command()(push)
app.add_typer(secrets, name="secrets")
app.add_typer(keys, name="keys")
app.command()(usage)
app.add_typer(balance, name="balance")
app.command()(reconcile)
app.command()(probe)


def main() -> None:
    """Run the command line."""
    app()
