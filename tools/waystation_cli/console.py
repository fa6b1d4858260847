"""What the command line prints on."""

from typing import NoReturn

import typer
from rich.console import Console

console = Console(highlight=False, soft_wrap=True, markup=False)
error_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with status 1."""
    error_console.print(f"error: {message}")
    raise typer.Exit(1)
