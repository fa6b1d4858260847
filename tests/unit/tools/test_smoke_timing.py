"""`make smoke-aws`: what the times of events say."""

import pytest

from waystation_cli.smoke.timing import Stream


def stream(*events_s: float) -> Stream:
    return Stream(200, "id", 0.1, events_s, is_complete=True)


STEADY = stream(*(1 + 0.2 * number for number in range(20)))
AT_ITS_END = stream(*(4.8 + 0.001 * number for number in range(20)))
BY_FIVES = stream(*(1 + 1.0 * (number // 5) for number in range(20)))
ONE_LATE = stream(1.0, 1.2, 1.4, 1.6, 1.8, 4.0)


@pytest.mark.parametrize(
    ("seen", "spacing_s", "verdict"),
    [
        (STEADY, 0.2, "one by one"),
        (STEADY, None, "one by one"),
        (ONE_LATE, 0.2, "one by one"),
        (BY_FIVES, 0.2, "in batches"),
        (BY_FIVES, None, "in batches"),
        (AT_ITS_END, 0.2, "at once"),
        (AT_ITS_END, None, "at once"),
        (stream(1.0, 1.2, 1.4, 1.6), 0.2, "too few events to tell"),
        (stream(), None, "too few events to tell"),
    ],
)
def test_verdict(seen: Stream, spacing_s: float | None, verdict: str) -> None:
    assert seen.verdict(spacing_s) == verdict


def test_gaps_are_between_events() -> None:
    assert stream(1.0, 1.5, 3.0).gaps_s == (0.5, 1.5)
    assert stream(1.0).gaps_s == ()
