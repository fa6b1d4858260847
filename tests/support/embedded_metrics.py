"""Reads metrics out of lines of the log, as CloudWatch does, and checks them by its rules."""

from collections.abc import Mapping
from typing import Any

UNITS = {"Count", "Milliseconds", "Seconds", "None"}
MOST_METRICS, MOST_DIMENSIONS, MOST_BYTES = 100, 30, 255
THREE_WEEKS_MS = 21 * 86_400_000

Metric = tuple[str, tuple[tuple[str, str], ...]]  # its name, and its dimensions with their values


def metrics_in(line: Mapping[str, Any], now_ms: int) -> dict[Metric, float]:
    """Return the value of every metric of a line; none where it carries none.

    Fails where the specification of the format is not kept.
    """
    if "_aws" not in line:
        return {}
    described = line["_aws"]
    assert described.keys() == {"Timestamp", "CloudWatchMetrics"}
    assert type(described["Timestamp"]) is int
    assert now_ms - THREE_WEEKS_MS < described["Timestamp"] <= now_ms + 60_000
    found: dict[Metric, float] = {}
    for directive in described["CloudWatchMetrics"]:
        assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
        assert 0 < len(directive["Namespace"]) <= MOST_BYTES
        assert 0 < len(directive["Metrics"]) <= MOST_METRICS
        assert directive["Dimensions"]
        for names in directive["Dimensions"]:
            dimensions = tuple((name, _dimension(line, name)) for name in names)
            assert len(names) == len(set(names)) <= MOST_DIMENSIONS
            for metric in directive["Metrics"]:
                assert (metric["Name"], dimensions) not in found
                found[metric["Name"], dimensions] = _value(line, metric)
    return found


def _dimension(line: Mapping[str, Any], name: str) -> str:
    value = line[name]
    assert type(value) is str
    assert value.isascii()
    assert value.strip()
    assert not value.startswith(":")
    assert len(value) <= 1024
    return value


def _value(line: Mapping[str, Any], metric: Mapping[str, str]) -> float:
    assert metric.keys() == {"Name", "Unit"}
    assert 0 < len(metric["Name"]) <= MOST_BYTES
    assert metric["Unit"] in UNITS
    value: float = line[metric["Name"]]
    assert type(value) in (int, float)
    return value
