"""Token counts of the Messages API as those of a chat completion."""

from typing import Any

import pytest

from tests.support.anthropic_upstream import usage
from waystation.providers.anthropic.usage import usage_of
from waystation.wire.usage import MAX_TOKENS, Usage

TOTALS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
BY_TTL = {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}
COUNTS: dict[str, tuple[dict[str, Any], Usage, dict[str, Any]]] = {
    "plain": (usage(), Usage(10, 5), TOTALS),
    "no output yet": (
        {"input_tokens": 10},
        Usage(10, 0),
        {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10},
    ),
    "cache not used": (
        usage(cache_read_input_tokens=0, cache_creation_input_tokens=0),
        Usage(10, 5, cache_read_tokens=0, cache_write_tokens=0),
        TOTALS | {"prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}},
    ),
    "nulls": (usage(cache_read_input_tokens=None, server_tool_use=None), Usage(10, 5), TOTALS),
    "cache": (
        usage(cache_read_input_tokens=100, cache_creation_input_tokens=30, cache_creation=BY_TTL),
        Usage(140, 5, cache_read_tokens=100, cache_write_tokens=30, cache_write_1h_tokens=20),
        {
            "prompt_tokens": 140,
            "completion_tokens": 5,
            "total_tokens": 145,
            "prompt_tokens_details": {
                "cached_tokens": 100,
                "cache_write_tokens": 30,
                "cache_creation_token_details": BY_TTL,
            },
        },
    ),
    "lifetimes of other counts": (
        usage(cache_creation_input_tokens=31, cache_creation=BY_TTL),
        Usage(41, 5, cache_write_tokens=31),
        {
            "prompt_tokens": 41,
            "completion_tokens": 5,
            "total_tokens": 46,
            "prompt_tokens_details": {"cache_write_tokens": 31},
        },
    ),
    "thinking": (
        usage(output_tokens_details={"thinking_tokens": 3}),
        Usage(10, 5, reasoning_tokens=3),
        TOTALS | {"completion_tokens_details": {"reasoning_tokens": 3}},
    ),
    "details without thinking": (usage(output_tokens_details={}), Usage(10, 5), TOTALS),
    "others are kept": (
        usage(server_tool_use={"web_search_requests": 2}, service_tier="standard", future=1),
        Usage(10, 5),
        TOTALS
        | {"server_tool_use": {"web_search_requests": 2}, "service_tier": "standard", "future": 1},
    ),
    "a chat's own names are not": (usage(prompt_tokens=1, total_tokens=1), Usage(10, 5), TOTALS),
}


@pytest.mark.parametrize(("raw", "counted", "told"), COUNTS.values(), ids=COUNTS)
def test_counts_are_brought_into_one_form(raw, counted, told):
    assert usage_of(raw) == (counted, told)


@pytest.mark.parametrize("count", [-1, 1.0, True, "5", MAX_TOKENS + 1, 2**70, [], {}], ids=str)
@pytest.mark.parametrize(
    "name",
    [
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    ],
)
def test_impossible_count_makes_the_report_void(name, count):
    assert usage_of(usage(cache_read_input_tokens=50, service_tier="x") | {name: count}) == (
        None,
        {"service_tier": "x"},
    )


@pytest.mark.parametrize("count", [-1, True, "5", 6])
def test_impossible_thinking_makes_the_report_void(count):
    assert usage_of(usage(output_tokens_details={"thinking_tokens": count})) == (None, {})


@pytest.mark.parametrize("raw", [{}, {"output_tokens": 5}, {"input_tokens": None}], ids=str)
def test_no_input_is_void(raw):
    assert usage_of(raw) == (None, {})
