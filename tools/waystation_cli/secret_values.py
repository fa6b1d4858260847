"""`waystation secrets`: the values of `${NAME}`, as SecureStrings under the stack's path."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from waystation.config.references import is_allowed_variable
from waystation_cli.console import error_console, fail
from waystation_cli.env_file import read_env_file
from waystation_cli.stack import PrefixOption, StackOption, aws_errors, prefix_of, ssm_client

MAX_VALUE_BYTES = 4096  # SSM's Standard tier

secrets = typer.Typer(help="Values of ${NAME}, kept in SSM as SecureStrings.", no_args_is_help=True)


@secrets.command("put")
def put(
    name: Annotated[str, typer.Argument(help="NAME, as in ${NAME}.")],
    stack: StackOption = None,
    prefix: PrefixOption = None,
) -> None:
    """Store one value, from a prompt or from standard input; functions see it within 5 minutes."""
    if sys.stdin.isatty():
        value = typer.prompt(f"Value of {name}", hide_input=True)
    else:
        value = sys.stdin.read().rstrip("\r\n")
    _put(prefix_of(stack, prefix), {name: value})


@secrets.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help='A file of NAME="value" lines.')],
    stack: StackOption = None,
    prefix: PrefixOption = None,
) -> None:
    """Store every value of an environment file that `${NAME}` may refer to."""
    try:
        values = read_env_file(file)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")
    usable = {name: text for name, text in values.items() if text and is_allowed_variable(name)}
    for name in values.keys() - usable.keys():
        why = "is empty" if is_allowed_variable(name) else "is no name that ${…} may refer to"
        error_console.print(f"left out: {name} {why}")
    _put(prefix_of(stack, prefix), usable)


def _put(prefix: str, values: dict[str, str]) -> None:
    for name, value in values.items():
        if not is_allowed_variable(name):
            fail(f"{name} is not a name that ${{…}} may refer to; nothing was stored")
        if not value:
            fail(f"{name} is empty; nothing was stored")
        if len(value.encode()) > MAX_VALUE_BYTES:
            fail(f"{name} has more than {MAX_VALUE_BYTES} bytes; nothing was stored")
    with aws_errors():
        client = ssm_client()
        for name, value in values.items():
            client.put_parameter(
                Name=f"{prefix}/{name}", Value=value, Type="SecureString", Overwrite=True
            )
            print(f"Stored {prefix}/{name}.")
