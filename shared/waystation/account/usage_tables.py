"""Sums of usage as JSON and as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence

from waystation.config.schema_currency import Currency
from waystation.ledger.money import converted_text, usd_text
from waystation.ledger.usage_sums import Group, Row

# What is told of a row, and its counts in the table.
_REQUESTS = {
    "requests": "requests",
    "errors": "errors",
    "title_requests": "titles",
    "estimated_requests": "estimated",
    "unpriced_requests": "unpriced",
}
_TOKENS = {
    "input": "in",
    "output": "out",
    "cache_read": "cacheRead",
    "cache_write": "cacheWrite",
    "reasoning": "reasoning",
}
# What a spreadsheet would take for a formula, were it at the start of a cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def row_as_json(row: Row, by: Sequence[Group], currency: Currency | None) -> dict[str, object]:
    """Return a row: its group, counts, `tokens` by kind, and its cost."""
    return {
        **dict(zip(by, row.group, strict=True)),
        **{told: row.counts.get(name, 0) for told, name in _REQUESTS.items()},
        "tokens": {told: row.counts.get(name, 0) for told, name in _TOKENS.items()},
        **amount_as_json("cost", row.counts.get("cost", 0), currency),
    }


def amount_as_json(name: str, nanousd: int, currency: Currency | None) -> dict[str, object]:
    """Return an amount under `<name>_nanousd`, `<name>_usd`, and in the currency under `<name>`."""
    told: dict[str, object] = {f"{name}_nanousd": nanousd, f"{name}_usd": usd_text(nanousd)}
    return told if currency is None else told | {name: converted_text(nanousd, currency.rate)}


def currency_as_json(currency: Currency | None) -> dict[str, str] | None:
    """Return the currency that amounts are shown in beside USD."""
    return None if currency is None else {"code": currency.code, "rate": f"{currency.rate:f}"}


def rows_as_csv(rows: Iterable[Row], by: Sequence[Group], currency: Currency | None) -> str:
    """Return a header and the rows, as RFC 4180 has them.

    Texts that a spreadsheet would take for a formula have an apostrophe put before them.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    in_currency = [] if currency is None else [f"cost_{currency.code.lower()}"]
    tokens = [f"{told}_tokens" for told in _TOKENS]
    writer.writerow([*by, *_REQUESTS, *tokens, "cost_nanousd", "cost_usd", *in_currency])
    for row in rows:
        cost = row.counts.get("cost", 0)
        amounts = amount_as_json("cost", cost, currency).values()
        counts = [row.counts.get(name, 0) for name in (*_REQUESTS.values(), *_TOKENS.values())]
        writer.writerow([*map(_defused, row.group), *counts, *amounts])
    return text.getvalue()


def _defused(text: str | None) -> str:
    return f"'{text}" if text and text.startswith(_FORMULA) else text or ""
