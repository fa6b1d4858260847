"""Metrics inside a line of the log, from which CloudWatch reads them.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html,
2026-11
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["Count", "Milliseconds", "Seconds", "None"]

MEMBER = "_aws"
ALL_TOGETHER: Sequence[str] = ()  # a set of dimensions: one metric for everything


def describe_metrics(
    namespace: str,
    at_ms: int,
    metrics: Mapping[str, Unit],
    dimension_sets: Iterable[Sequence[str]] = (ALL_TOGETHER,),
) -> dict[str, object]:
    """Return the member `_aws` of a line that has a member for each metric and each dimension.

    Every set of dimensions makes metrics of its own, one for each of their values.
    """
    directive = {
        "Namespace": namespace,
        "Dimensions": [list(names) for names in dimension_sets],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit in metrics.items()],
    }
    return {"Timestamp": at_ms, "CloudWatchMetrics": [directive]}


def dimension_value(text: str) -> str:
    """Return a text as CloudWatch takes it: ASCII, not empty, without a colon at its start."""
    plain = text.encode("ascii", "backslashreplace").decode().strip()
    return plain.lstrip(":").strip() or "-"
