"""Requests on which the upstream worked several times: every run counts once."""

from typing import Any

import pytest

from tests.support.anthropic_upstream import usage
from waystation.providers.anthropic.usage import usage_of
from waystation.wire.usage import Share, Usage

ADVISOR, OTHER = "claude-opus-4-8", "claude-sonnet-5"


def run(kind: str, sent: int, received: int, **fields: Any) -> dict[str, Any]:
    cache = {"cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    return {"type": kind, **usage(sent, received), **cache, **fields}


def counts(sent: int, received: int, read: int = 0, **fields: Any) -> Usage:
    return Usage(sent, received, cache_read_tokens=read, **{"cache_write_tokens": 0, **fields})


def share(model: str, *numbers: int) -> Share:
    return Share(model, counts(*numbers))


RUNS: dict[str, tuple[dict[str, Any], Usage]] = {
    "none": (usage(iterations=[]), Usage(10, 5)),
    "null": (usage(iterations=None), Usage(10, 5)),
    "one": (usage(iterations=[run("message", 10, 5)]), counts(10, 5)),
    "several": (
        usage(30, 7, iterations=[run("message", 10, 5), run("message", 20, 2)]),
        counts(30, 7),
    ),
    "several, of which the input beside them is the first's": (
        usage(
            412,
            531,
            cache_read_input_tokens=0,
            iterations=[
                run("message", 412, 89),
                run("message", 1348, 442, cache_read_input_tokens=400),
            ],
        ),
        counts(2160, 531, 400),
    ),
    "a compaction": (
        usage(
            23_000,
            1000,
            iterations=[run("compaction", 180_000, 3500), run("message", 23_000, 1000)],
        ),
        counts(203_000, 4500),
    ),
    "nothing but a compaction": (
        usage(0, 0, iterations=[run("compaction", 180_000, 3500)]),
        counts(180_000, 3500),
    ),
    "an advisor": (
        usage(
            10,
            5,
            iterations=[run("message", 10, 5), run("advisor_message", 800, 1600, model=ADVISOR)],
        ),
        counts(810, 1605, shares=(share(ADVISOR, 800, 1600),)),
    ),
    "a model that declined": (
        usage(
            10,
            5,
            iterations=[
                run("message", 10, 3, model=OTHER),
                run("fallback_message", 10, 5, model=ADVISOR),
            ],
        ),
        counts(20, 8, shares=(share(OTHER, 10, 3), share(ADVISOR, 10, 5))),
    ),
    "of a kind unknown here": (
        usage(10, 5, iterations=[run("message", 10, 5), run("future", 1, 1)]),
        counts(11, 6),
    ),
    "told before the answer was": (
        usage(10, 50, iterations=[run("message", 10, 1), run("compaction", 100, 20)]),
        counts(110, 70),
    ),
    "told before the answer was, by name": (
        usage(10, 50, iterations=[run("message", 10, 1, model=OTHER)]),
        Usage(10, 50),
    ),
    "counts that cannot be": (
        usage(iterations=[run("message", 10, 5), run("compaction", -1, 5), 5, {}]),
        counts(10, 5),
    ),
    "no list": (usage(iterations={"type": "compaction"}), Usage(10, 5)),
}


@pytest.mark.parametrize(("raw", "counted"), RUNS.values(), ids=RUNS)
def test_runs_are_added_up(raw, counted):
    found, told = usage_of(raw)
    assert found == counted
    totals = (told["prompt_tokens"], told["completion_tokens"], told["total_tokens"])
    sent, received = counted.input_tokens, counted.output_tokens
    assert totals == (sent, received, sent + received)
    assert told.get("iterations") == raw["iterations"]


def test_lifetimes_of_the_cache_are_added_up():
    first = {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2}
    later = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 4}
    runs = [
        run("compaction", 10, 1, cache_creation_input_tokens=3, cache_creation=first),
        run("message", 10, 1, cache_creation_input_tokens=4, cache_creation=later),
    ]
    # Beside the list stands the split of another count, as in a stream.
    raw = usage(10, 1, cache_creation_input_tokens=4, cache_creation=first | {"x": 9})
    counted, told = usage_of({**raw, "iterations": runs})
    assert counted == counts(27, 2, cache_write_tokens=7, cache_write_1h_tokens=6)
    assert told["prompt_tokens_details"] == {
        "cached_tokens": 0,
        "cache_write_tokens": 7,
        "cache_creation_token_details": {
            "ephemeral_5m_input_tokens": 1,
            "ephemeral_1h_input_tokens": 6,
        },
    }


def test_thinking_and_other_fields_stay():
    raw = usage(10, 5, output_tokens_details={"thinking_tokens": 3}, speed="fast")
    counted, told = usage_of({**raw, "iterations": [run("compaction", 1, 1)]})
    assert counted is not None
    assert (counted.reasoning_tokens, counted.output_tokens) == (3, 6)
    assert (told["speed"], told["completion_tokens_details"]) == ("fast", {"reasoning_tokens": 3})
