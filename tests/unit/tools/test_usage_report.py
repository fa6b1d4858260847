"""Tables and the chart of days: how long a bar is, and what it is of."""

from datetime import date, timedelta

from rich.console import Console

from waystation.ledger.usage_sums import Portion, Row
from waystation_cli.usage_report import BAR_WIDTH, MAX_BARS, chart_of, table_of_rows

FULL = "█" * BAR_WIDTH


def portion(day: str, **counts: int) -> Portion:
    return Portion("alice", day, "Acme", "large", counts)


def lines_of(*portions: Portion) -> list[str]:
    console = Console(width=120)
    with console.capture() as shown:
        console.print(chart_of(portions, None))
    return [line.strip() for line in shown.get().splitlines() if line.strip()]


def test_bars_are_as_long_as_the_cost_of_their_day():
    lines = lines_of(
        portion("2026-11-01", requests=9, cost=500),
        portion("2026-11-02", requests=1, cost=600),
        portion("2026-11-02", requests=1, cost=400),
    )
    assert [line.split()[0] for line in lines] == ["2026-11-01", "2026-11-02"]
    assert [line.count("█") for line in lines] == [BAR_WIDTH // 2, BAR_WIDTH]
    assert lines[1].endswith("0.000001000 USD")


def test_without_prices_bars_are_as_long_as_the_number_of_requests():
    assert lines_of(portion("2026-11-01", requests=3)) == [f"2026-11-01   {FULL}   3 requests"]


def test_many_days_are_shown_by_month():
    days = [(date(2026, 1, 1) + timedelta(days=n)).isoformat() for n in range(MAX_BARS + 1)]
    lines = lines_of(*(portion(day, requests=1, cost=1) for day in days))
    assert [line.split()[0] for line in lines] == ["2026-01", "2026-02", "2026-03"]
    assert len(lines_of(*(portion(day, requests=1) for day in days[:-1]))) == MAX_BARS


def test_nothing_has_no_bars():
    assert lines_of() == []
    assert lines_of(portion("2026-11-01", errors=1)) == ["2026-11-01" + " " * 56 + "0 requests"]


def test_a_narrow_terminal_cuts_no_digit_off():
    counts = {"requests": 1234567, "in": 987654321012, "out": 456789123456, "cost": 10**15 + 1}
    console = Console(width=80, markup=False)
    with console.capture() as shown:
        console.print(table_of_rows([Row(("Acme", "large"), counts)], ("endpoint", "model"), None))
    assert "…" not in "".join(line[20:] for line in shown.get().splitlines())
