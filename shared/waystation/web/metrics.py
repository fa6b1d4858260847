"""What the lines of the log measure: requests and titles by endpoint and model, and upkeep.

A line that measures something is the same line with a few members more. Zeros are not told, so
that a metric that nobody needs is none that anybody pays for; but of upkeep they are.
"""

from collections.abc import Callable, Mapping

from waystation.ledger.pricing import NANOUSD_PER_USD
from waystation.wire.embedded_metrics import (
    ALL_TOGETHER,
    MEMBER,
    Unit,
    describe_metrics,
    dimension_value,
)

Told = Mapping[str, object]

OF_CALLS: Mapping[str, Unit] = {
    "requests": "Count",
    "client_errors": "Count",
    "upstream_errors": "Count",
    "gateway_errors": "Count",
    "idempotent_hits": "Count",
    "latency_ms": "Milliseconds",
    "first_byte_ms": "Milliseconds",
    "input_tokens": "Count",
    "output_tokens": "Count",
    "cache_read_tokens": "Count",
    "cost_usd": "None",
    "estimated": "Count",
    "unpriced": "Count",
}
ENDPOINT, MODEL = "Endpoint", "Model"
# The loggers whose lines measure something: they are written whatever LOG_LEVEL is.
MEASURING = ("requests", "titles", "upkeep")

_CLIENT_GONE = "client_disconnected"


class Metrics:
    """Adds to lines what makes metrics of them, under a namespace of this gateway's own."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def members(self, line: str, told: Told, at_ms: int) -> dict[str, object]:
        """Return the members that a line still needs; none if it measures nothing."""
        measure = _MEASURES.get(line)
        if measure is None:
            return {}
        values, units, dimensions = measure(told)
        if not values:
            return {}
        sets: list[tuple[str, ...]] = [tuple(ALL_TOGETHER)]
        if dimensions:
            sets += [(ENDPOINT,), (ENDPOINT, MODEL)]
        there = {name: unit for name, unit in units.items() if name in values}
        added = {name: value for name, value in values.items() if name not in told}
        described = describe_metrics(self._namespace, at_ms, there, sets)
        return {**added, **dimensions, MEMBER: described}


_Measured = tuple[dict[str, object], Mapping[str, Unit], dict[str, str]]


def _call(told: Told) -> _Measured:
    """Measure a call: what it is known to have been routed to, and what came of it."""
    listed, endpoint = told.get("listed_model"), told.get("endpoint")
    values: dict[str, object] = _errors(told)
    if listed is None:
        return values, OF_CALLS, {}
    cost, source = told.get("cost_nanousd"), told.get("usage_source")
    values["requests"] = 1
    for name in ("latency_ms", "first_byte_ms", "input_tokens", "output_tokens"):
        values[name] = told.get(name)
    values["cache_read_tokens"] = told.get("cache_read_tokens")
    values["cost_usd"] = cost / NANOUSD_PER_USD if isinstance(cost, int) else None
    values["estimated"] = int(source == "estimated")
    values["unpriced"] = int(source is not None and cost is None)
    dimensions = {
        ENDPOINT: dimension_value(str(endpoint)),
        MODEL: dimension_value(str(listed)),
    }
    return {name: value for name, value in values.items() if value}, OF_CALLS, dimensions


def _errors(told: Told) -> dict[str, object]:
    code, source = told.get("error_code"), told.get("error_source")
    if told.get("idempotent_hit"):
        return {"idempotent_hits": 1}
    if code is not None and code != _CLIENT_GONE and told.get("listed_model") is not None:
        source = source or "upstream"  # what ends a stream that has begun
    return {f"{source}_errors": 1} if source else {}


def _as_told(**units: Unit) -> Callable[[Told], _Measured]:
    """Measure what a line tells by itself."""

    def measure(told: Told) -> _Measured:
        return {name: told[name] for name in units}, units, {}

    return measure


def _once(name: str) -> Callable[[Told], _Measured]:
    """Count the line."""
    return lambda _: ({name: 1}, {name: "Count"}, {})


_MEASURES: Mapping[str, Callable[[Told], _Measured]] = {
    "request": _call,
    "title_made": _call,
    "title_failed": _call,
    "settle_deferred": _once("settle_deferred"),
    "open_deferred": _once("open_deferred"),
    "ledger_unavailable": _once("ledger_unavailable"),
    "upkeep_swept": _as_told(swept="Count", sweep_failures="Count", sweep_lag_s="Seconds"),
    "outbox_read": _as_told(outbox_applied="Count", outbox_failures="Count"),
}
