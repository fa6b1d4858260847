"""What providers say in public that their models cost, from data that the package carries.

`public_prices.json` is made by `make prices` of what `genai-prices` knows, and read when the first
model needs it. A price is that of the host that is asked: on a host that the data does not know,
no model has one, whatever its name.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from waystation.config.schema import Endpoint
from waystation.ledger.pricing import Rates, Step

_DATA = Path(__file__).with_name("public_prices.json")
_BEDROCK, _AWS = "bedrock:", "bedrock-runtime.us-east-1.amazonaws.com/"  # one price list for all
_PORTS = (None, 443)
_GOOGLES = "models/"  # which some write before a model's name
_DAY = re.compile(r"(-20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(?=-|:|$)")
_REMEMBERED = 1_000
# What the first character of a rule says about a name and the rest of the rule.
_MARKS: Mapping[str, Callable[[str, str], bool]] = {
    "=": str.__eq__,
    "^": str.startswith,
    "$": str.endswith,
    "~": str.__contains__,
    "/": lambda name, pattern: re.search(pattern, name) is not None,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a model: `context` in tokens, and rates that are those of a moment."""

    context: int | None
    rates: Rates | None


class PublicPrices:
    """A book of prices. Its data stays in the process once it is read."""

    def __init__(self, *, now_ms: Callable[[], int]) -> None:
        """Take the time in milliseconds since 1970: some prices change by the day or hour."""
        self._now_ms = now_ms

    async def find(self, endpoint: Endpoint, base_url: str, model: str) -> Rates | None:
        """Return the public rates of a model at the host of this URL, None if there are none."""
        return self.look_up(base_url, model).rates

    def look_up(self, base_url: str, model: str) -> Known:
        """Return what is known of a model at the host of this URL."""
        found = _find_model(_place_of(base_url), model.lower().removeprefix(_GOOGLES))
        if found is None:
            return Known(None, None)
        _, context, periods = found
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
        holding = [prices for when, prices in periods if _holds(when, now)]
        prices = holding[-1] if holding else periods[0][1] if periods else None
        return Known(context, _rates(prices, _data()["source"]) if prices else None)


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return data


@cache
def _providers() -> Mapping[str, dict[str, Any]]:
    return {provider["id"]: provider for provider in _data()["providers"]}


def _place_of(base_url: str) -> str:
    """Return host and path of a URL, nothing of one that cannot be known."""
    if base_url.startswith(_BEDROCK):
        return _AWS
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        return ""
    return f"{parts.hostname or ''}{parts.path}/" if port in _PORTS else ""


@lru_cache(maxsize=_REMEMBERED)
def _find_model(place: str, model: str) -> list[Any] | None:
    provider = _provider_at(place)
    if provider is None:
        return None
    others = [_providers()[other] for other in provider["others"]]
    dashed = _DAY.sub(r"\1-\2-\3", model)  # as routers write the day of a model
    for name in dict.fromkeys((model, dashed)):
        for one in (provider, *others):
            for entry in one["models"]:
                if _matches(entry[0], name):
                    known: list[Any] = entry
                    return known
    return None


def _provider_at(place: str) -> dict[str, Any] | None:
    return next(
        (one for one in _providers().values() if re.fullmatch(f"(?:{one['place']})/.*", place)),
        None,
    )


def _matches(rule: str | list[Any] | dict[str, list[Any]], name: str) -> bool:
    if isinstance(rule, list):
        return any(_matches(one, name) for one in rule)
    if isinstance(rule, dict):
        return all(_matches(one, name) for one in rule["all"])
    return _MARKS[rule[0]](name, rule[1:])


def _holds(when: str | list[str] | None, now: datetime) -> bool:
    """Tell whether a price is in force: always, from a day on, or between two times of each day."""
    if when is None:
        return True
    if isinstance(when, str):
        return now.date().isoformat() >= when
    (start, end), time = when, now.time().isoformat()
    return start <= time < end if start <= end else not end <= time < start


def _rates(prices: Mapping[str, str | list[Any]], version: str) -> Rates:
    """Return the rates, with a step wherever one of them changes."""
    starts = {
        start for price in prices.values() if isinstance(price, list) for start, _ in price[1:]
    }
    steps = tuple(Step(start, _rates_above(prices, start, version)) for start in sorted(starts))
    return _rates_above(prices, -1, version, steps)


def _rates_above(
    prices: Mapping[str, str | list[Any]], start: int, version: str, steps: tuple[Step, ...] = ()
) -> Rates:
    rates = {kind: _rate_above(price, start) for kind, price in prices.items()}
    prompt = rates["prompt"]
    return Rates(
        prompt=prompt,
        completion=rates["completion"],
        cache_read=rates.get("read", prompt),
        cache_write=rates.get("write", prompt),
        cache_write_1h=rates.get("write1h"),
        source="public",
        version=version,
        steps=steps,
    )


def _rate_above(price: str | list[Any], start: int) -> Decimal:
    if isinstance(price, str):
        return Decimal(price)
    base, *steps = price
    return Decimal([base, *(rate for above, rate in steps if above <= start)][-1])
