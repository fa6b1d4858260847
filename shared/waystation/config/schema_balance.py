"""`balance`, the section of the file that limits what users may spend. Pure.

Amounts are LibreChat's credits, a millionth of a USD each. Source for keys and defaults:
https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/balance, 2026-11.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast, get_args

IntervalUnit = Literal["seconds", "minutes", "hours", "days", "weeks", "months"]

NANOUSD_PER_CREDIT = 1_000
MAX_CREDITS = 10**12  # a million USD

Credits = int | float | Decimal


@dataclass(frozen=True, slots=True)
class BalanceSettings:
    """What the section says, with the documented defaults."""

    enabled: bool = False
    start_balance: Credits = 20_000
    auto_refill_enabled: bool = False
    refill_interval_value: int = 30
    refill_interval_unit: IntervalUnit = "days"
    refill_amount: Credits = 10_000


def parse_balance_settings(section: object) -> tuple[BalanceSettings, dict[str, str]]:
    """Return what a section says, and by key what is wrong with it; "" is the section itself.

    Keys that are wrong have their defaults.
    """
    if not isinstance(section, Mapping):
        return BalanceSettings(), {"": "expected a mapping"}
    found, problems = {}, {}
    for key, (name, problem_of) in _KEYS.items():
        if key not in section:
            continue
        if problem := problem_of(section[key]):
            problems[key] = problem
        else:
            found[name] = section[key]
    return BalanceSettings(**found), problems


def unknown_keys(section: Mapping[object, object]) -> list[str]:
    """Return the keys that a section does not have."""
    return [str(key) for key in section if key not in _KEYS]


def in_nanousd(credits_: Credits) -> int:
    """Return an amount of credits in nano-USD, rounded down."""
    return int(Decimal(str(credits_)) * NANOUSD_PER_CREDIT)


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "expected true or false"


def _credits(value: object) -> str | None:
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if is_number and 0 <= cast("Credits", value) <= MAX_CREDITS:
        return None
    return f"expected a number from 0 to {MAX_CREDITS}, in credits"


def _count(value: object) -> str | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if is_count else "expected a whole number greater than 0"


def _unit(value: object) -> str | None:
    units = get_args(IntervalUnit)
    return None if value in units else f"expected one of {', '.join(units)}"


_KEYS: Mapping[str, tuple[str, Callable[[object], str | None]]] = {
    "enabled": ("enabled", _flag),
    "startBalance": ("start_balance", _credits),
    "autoRefillEnabled": ("auto_refill_enabled", _flag),
    "refillIntervalValue": ("refill_interval_value", _count),
    "refillIntervalUnit": ("refill_interval_unit", _unit),
    "refillAmount": ("refill_amount", _credits),
}
