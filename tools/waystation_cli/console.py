"""What the command line prints on."""

from typing import NoReturn

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

console = Console(highlight=False, soft_wrap=True, markup=False)
error_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

_AS_WIDE_AS_IT_NEEDS = 10_000


def print_table(table: Table) -> None:
    """Print a table with every cell whole; one wider than the terminal is wrapped by that."""
    wide = console.options.update(width=_AS_WIDE_AS_IT_NEEDS)
    needed = Measurement.get(console, wide, table).maximum
    Console(highlight=False, markup=False, width=max(console.width, needed)).print(table)


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with status 1."""
    error_console.print(f"error: {message}")
    raise typer.Exit(1)
