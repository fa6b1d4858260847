"""/v1/balance: what a caller may still spend, as JSON."""

from collections.abc import Sequence

from waystation.account.usage_query import read_parameters
from waystation.account.usage_tables import amount_as_json, currency_as_json
from waystation.config.schema_balance import BalanceSettings, in_nanousd
from waystation.config.schema_currency import Currency
from waystation.ledger.balances import Balance
from waystation.ledger.intervals import Interval
from waystation.wire.moments import write_moment


def user_asked_for(pairs: Sequence[tuple[str, str]]) -> str | None:
    """Return whose balance a query string asks for. Raises InvalidBodyError."""
    return read_parameters(pairs, frozenset({"user"})).get("user")


def balance_as_json(
    balance: Balance, settings: BalanceSettings | None, currency: Currency | None
) -> dict[str, object]:
    """Return a balance as the rules of the file make it; None are no rules.

    The start balance counts from the beginning, though it is granted with the first request only.
    """
    start = 0 if settings is None or balance.started else in_nanousd(settings.start_balance)
    return {
        "object": "balance",
        "enabled": settings is not None,
        "currency": currency_as_json(currency),
        **amount_as_json("available", balance.avail + start, currency),
        **amount_as_json("held", balance.held, currency),
        **amount_as_json("spent", balance.spent, currency),
        **amount_as_json("granted", balance.granted + start, currency),
        "in_flight": balance.inflight,
        "next_refill_at": _next_refill(balance, settings),
    }


def _next_refill(balance: Balance, settings: BalanceSettings | None) -> str | None:
    if settings is None or not settings.auto_refill_enabled or not settings.refill_amount:
        return None
    if balance.last_refill_ms is None:
        return None
    every = Interval(settings.refill_interval_value, settings.refill_interval_unit)
    return write_moment(every.after(balance.last_refill_ms))
