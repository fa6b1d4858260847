"""Token counts of a chat, told as Anthropic's API tells them."""

import pytest

from waystation.wire.anthropic_usage import messages_usage, with_cost

BY_TTL = {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 0}
USAGES = {
    "none": ({}, {"input_tokens": 0, "output_tokens": 0}),
    "plain": (
        {"prompt_tokens": 10, "completion_tokens": 5},
        {"input_tokens": 10, "output_tokens": 5},
    ),
    "all there is": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "prompt_tokens_details": {
                "cached_tokens": 3,
                "cache_write_tokens": 2,
                "cache_creation_token_details": BY_TTL,
            },
            "completion_tokens_details": {"reasoning_tokens": 4},
            "server_tool_use": {"web_search_requests": 1},
            "cost": 0.5,
            "cost_nanousd": 5,
            "estimated": True,
        },
        {
            "input_tokens": 5,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 3,
            "output_tokens": 5,
            "output_tokens_details": {"thinking_tokens": 4},
            "cache_creation": BY_TTL,
            "server_tool_use": {"web_search_requests": 1},
            "cost": 0.5,
            "cost_nanousd": 5,
            "estimated": True,
        },
    ),
    "counted apart": (
        {"input_tokens": 7, "output_tokens": 5, "cache_read_input_tokens": 3},
        {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 5},
    ),
    "impossible": (
        {"prompt_tokens": -1, "prompt_tokens_details": 5, "server_tool_use": 5},
        {"input_tokens": 0, "output_tokens": 0},
    ),
}


@pytest.mark.parametrize(("raw", "expected"), USAGES.values(), ids=USAGES)
def test_counts_are_told_apart(raw, expected):
    assert messages_usage(raw) == expected


def test_own_counts_get_the_cost_beside_them():
    own = {"input_tokens": 1, "new": None}
    assert with_cost(own, {"input_tokens": 9, "cost": 0.5, "cost_nanousd": 5}) == {
        **own,
        "cost": 0.5,
        "cost_nanousd": 5,
    }


def test_estimate_is_told_by_the_apis_names():
    told = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "estimated": True}
    assert with_cost(told, told) == {"input_tokens": 3, "output_tokens": 2, "estimated": True}
