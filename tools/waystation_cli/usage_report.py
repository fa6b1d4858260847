"""Usage as people read it in a terminal: a table of sums, and bars by day."""

from collections.abc import Sequence

from rich import box
from rich.bar import Bar
from rich.table import Table as RichTable

from waystation.config.schema_currency import Currency
from waystation.ledger.money import converted_text, usd_text
from waystation.ledger.usage_sums import Group, Portion, Row, sum_up, total_of

BAR_WIDTH = 50
MAX_BARS = 62  # two months of days; of more time, the bars are months

_COUNTS = {
    "requests": "requests",
    "errors": "errors",
    "unpriced": "unpriced",
    "estimated": "estimated",
    "input": "in",
    "cache read": "cacheRead",
    "cache write": "cacheWrite",
    "output": "out",
}


def table_of_rows(rows: Sequence[Row], by: Sequence[Group], currency: Currency | None) -> RichTable:
    """Return the rows and, at the end, the sum of all."""
    table = RichTable(*by)
    for heading in (*_COUNTS, *_money_headings(currency)):
        table.add_column(heading, justify="right", overflow="fold")
    for row in rows:
        table.add_row(*(text or "" for text in row.group), *_cells(row, currency))
    table.add_section()
    names = ["all", *[""] * (len(by) - 1)] if by else []
    table.add_row(*names, *_cells(total_of(rows), currency))
    return table


def chart_of(portions: Sequence[Portion], currency: Currency | None) -> RichTable:
    """Return a bar for each day or month on which something was used, as long as its cost.

    Where nothing has a price, bars are as long as the number of requests.
    """
    rows = sum_up(portions, ("day",))
    if len(rows) > MAX_BARS:
        rows = sum_up(portions, ("month",))
    measure = "cost" if any(row.counts.get("cost") for row in rows) else "requests"
    most = max((row.counts.get(measure, 0) for row in rows), default=0)
    chart = RichTable(box=box.SIMPLE, show_header=False)
    for row in rows:
        length = row.counts.get(measure, 0)
        shown = _money(row, currency)[-1] if measure == "cost" else str(length)
        unit = _money_headings(currency)[-1] if measure == "cost" else measure
        bar = Bar(max(most, 1), 0, length, width=BAR_WIDTH)
        chart.add_row(row.group[0], bar, f"{shown} {unit.removeprefix('cost, ')}")
    return chart


def _cells(row: Row, currency: Currency | None) -> list[str]:
    counts = [str(row.counts.get(name, 0)) for name in _COUNTS.values()]
    return counts + _money(row, currency)


def _money(row: Row, currency: Currency | None) -> list[str]:
    cost = row.counts.get("cost", 0)
    return [usd_text(cost)] + ([converted_text(cost, currency.rate)] if currency else [])


def _money_headings(currency: Currency | None) -> list[str]:
    return ["cost, USD"] + ([f"cost, {currency.code}"] if currency else [])
