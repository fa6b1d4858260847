"""Token counts as each provider of chat completions reports them."""

import pytest

from waystation.wire.usage import Usage, parse_openai_usage

SHAPES = {
    "DeepSeek": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_cache_hit_tokens": 64,
            "prompt_cache_miss_tokens": 36,
            "completion_tokens_details": {"reasoning_tokens": 12},
        },
        Usage(100, 20, cache_read_tokens=64, reasoning_tokens=12),
    ),
    "DeepSeek, with OpenAI's name beside": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 64},
            "prompt_cache_hit_tokens": 64,
        },
        Usage(100, 20, cache_read_tokens=64),
    ),
    "Kimi": (
        {"prompt_tokens": 19, "completion_tokens": 21, "total_tokens": 40, "cached_tokens": 10},
        Usage(19, 21, cache_read_tokens=10),
    ),
    "Gemini, which counts thoughts in the total alone": (
        {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 514},
        Usage(9, 505),
    ),
    "xAI, whose completion is without reasoning": (
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "prompt_tokens_details": {"text_tokens": 32, "audio_tokens": 0, "cached_tokens": 6},
            "completion_tokens_details": {"reasoning_tokens": 94, "audio_tokens": 0},
            "num_sources_used": 0,
        },
        Usage(32, 103, cache_read_tokens=6, reasoning_tokens=94),
    ),
    "Groq": (
        {
            "queue_time": 0.037493756,
            "prompt_tokens": 18,
            "prompt_time": 0.000680594,
            "completion_tokens": 556,
            "completion_time": 0.463333333,
            "total_tokens": 574,
            "total_time": 0.464013927,
        },
        Usage(18, 556),
    ),
    "Mistral": (
        {
            "prompt_audio_seconds": None,
            "prompt_tokens": 13,
            "completion_tokens": 7,
            "total_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 0},
        },
        Usage(13, 7, cache_read_tokens=0),
    ),
    "OpenRouter": (
        {
            "prompt_tokens": 194,
            "completion_tokens": 2,
            "total_tokens": 196,
            "cost": 0.00095,
            "is_byok": False,
            "cost_details": {"upstream_inference_cost": None},
            "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 50},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
        Usage(194, 2, cache_read_tokens=100, cache_write_tokens=50, reasoning_tokens=0),
    ),
    "Perplexity": (
        {
            "prompt_tokens": 8,
            "completion_tokens": 439,
            "total_tokens": 447,
            "search_context_size": "low",
            "cost": {"total_cost": 0.006},
        },
        Usage(8, 439),
    ),
    "Ollama and vLLM": (
        {
            "prompt_tokens": 8,
            "total_tokens": 12,
            "completion_tokens": 4,
            "prompt_tokens_details": None,
        },
        Usage(8, 4),
    ),
    "details that are no objects": (
        {"prompt_tokens": 8, "completion_tokens": 4, "prompt_tokens_details": [], "cost": "x"},
        Usage(8, 4),
    ),
}


@pytest.mark.parametrize(("report", "usage"), SHAPES.values(), ids=SHAPES)
def test_shape_of_a_provider_is_read(report, usage):
    assert parse_openai_usage(report) == usage


@pytest.mark.parametrize("count", [-1, 0.5, True, "64", 10**9 + 1, [], 11])
@pytest.mark.parametrize("name", ["prompt_cache_hit_tokens", "cached_tokens"])
def test_impossible_count_under_another_name_makes_the_report_void(name, count):
    assert parse_openai_usage({"prompt_tokens": 10, "completion_tokens": 1, name: count}) is None
