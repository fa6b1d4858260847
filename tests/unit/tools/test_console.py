"""Tables on a terminal that is too narrow for them."""

import pytest
from rich.table import Table

from waystation_cli.console import print_table


def test_cells_are_whole_however_narrow_the_terminal_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "20")
    table = Table("model", "cost")
    table.add_row("a-model-with-a-long-name", "1234567.123456789")
    print_table(table)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "long-name" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")] == [
        "a-model-with-a-long-name",
        "1234567.123456789",
    ]
