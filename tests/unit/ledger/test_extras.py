"""What rates per token do not tell the price of."""

import pytest

from waystation.ledger.extras import extras_of


@pytest.mark.parametrize(
    ("raw", "tier", "extras"),
    [
        ({}, None, ()),
        ({}, "auto", ()),
        ({}, "priority", ("service_tier",)),
        ({"service_tier": "standard"}, "priority", ()),
        ({"service_tier": "batch"}, None, ("service_tier",)),
        ({"service_tier": 7}, None, ()),
        ({"service_tier": None}, ["flex"], ()),
        ({"server_tool_use": {"web_search_requests": 2}}, None, ("search",)),
        ({"server_tool_use": {"web_search_requests": 0}}, None, ()),
        ({"server_tool_use": 3}, None, ()),
        ({"num_search_queries": 1}, None, ("search",)),
        ({"num_search_queries": True}, None, ()),
        ({"prompt_tokens_details": {"audio_tokens": 1}}, None, ("audio",)),
        ({"completion_tokens_details": {"audio_tokens": 1}}, None, ("audio",)),
        ({"completion_tokens_details": {"audio_tokens": "1"}}, None, ()),
        ({"speed": "standard", "inference_geo": "not_available"}, None, ()),
        ({"speed": "fast"}, None, ("speed",)),
        ({"inference_geo": "us"}, None, ("inference_geo",)),
        (
            {"num_search_queries": 1, "prompt_tokens_details": {"audio_tokens": 1}},
            "flex",
            ("audio", "search", "service_tier"),
        ),
    ],
)
def test_extras_are_named(raw, tier, extras):
    assert extras_of(raw, tier) == extras
