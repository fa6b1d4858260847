"""Token counts of every convention, in one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.wire.usage import MAX_TOKENS, Usage, parse_openai_usage

REPORTS = {
    "OpenAI": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 8},
        },
        Usage(100, 20, cache_read_tokens=40, reasoning_tokens=8),
    ),
    "prompt alone": ({"prompt_tokens": 3}, Usage(3, 0)),
    "details null": (
        {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": None},
        Usage(3, 4),
    ),
    "cached zero is a count": (
        {
            "prompt_tokens": 3,
            "completion_tokens": 4,
            "prompt_tokens_details": {"cached_tokens": 0},
        },
        Usage(3, 4, cache_read_tokens=0),
    ),
    "OpenRouter's cache writes": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 20},
        },
        Usage(100, 1, cache_read_tokens=10, cache_write_tokens=20),
    ),
    "Anthropic": (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 30,
        },
        Usage(140, 5, cache_read_tokens=100, cache_write_tokens=30),
    ),
    "Anthropic without a cache": ({"input_tokens": 10, "output_tokens": 5}, Usage(10, 5)),
    "LiteLLM, inclusive": (
        {
            "prompt_tokens": 140,
            "completion_tokens": 5,
            "total_tokens": 145,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 30,
        },
        Usage(140, 5, cache_read_tokens=100, cache_write_tokens=30),
    ),
    "LiteLLM, exclusive as its total tells": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "total_tokens": 160,
            "cache_read_input_tokens": 50,
        },
        Usage(150, 10, cache_read_tokens=50),
    ),
    "LiteLLM, exclusive": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 30,
        },
        Usage(140, 5, cache_read_tokens=100, cache_write_tokens=30),
    ),
    "LiteLLM, both names": (
        {
            "prompt_tokens": 140,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 100, "cache_creation_tokens": 30},
            "cache_read_input_tokens": 100,
        },
        Usage(140, 5, cache_read_tokens=100, cache_write_tokens=30),
    ),
    "reasoning that only the total tells": (
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115},
        Usage(10, 105),
    ),
    "reasoning beside the completion": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 115,
            "completion_tokens_details": {"reasoning_tokens": 100},
        },
        Usage(10, 105, reasoning_tokens=100),
    ),
    "total below the sum": (
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 1},
        Usage(10, 5),
    ),
    "unknown fields": ({"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.1}, Usage(1, 2)),
    "largest": (
        {"prompt_tokens": MAX_TOKENS, "completion_tokens": MAX_TOKENS},
        Usage(MAX_TOKENS, MAX_TOKENS),
    ),
}


@pytest.mark.parametrize(("report", "usage"), REPORTS.values(), ids=REPORTS)
def test_report_is_brought_into_one_form(report, usage):
    assert parse_openai_usage(report) == usage


IMPOSSIBLE = [-1, 1.0, 1.5, True, "5", MAX_TOKENS + 1, 2**70, [], {}]


@pytest.mark.parametrize("count", IMPOSSIBLE)
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens", "total_tokens"])
def test_impossible_count_makes_the_report_void(name, count):
    report = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, name: count}
    assert parse_openai_usage(report) is None


@pytest.mark.parametrize("count", IMPOSSIBLE)
@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("prompt_tokens_details", "cached_tokens"),
        ("prompt_tokens_details", "cache_write_tokens"),
        ("completion_tokens_details", "reasoning_tokens"),
    ],
)
def test_impossible_part_makes_the_report_void(group, name, count):
    report = {"prompt_tokens": 1, "completion_tokens": 1, group: {name: count}}
    assert parse_openai_usage(report) is None


VOID: dict[str, object] = {
    "no report": None,
    "list": [],
    "text": "12",
    "empty": {},
    "no input": {"completion_tokens": 5},
    "prompt null": {"prompt_tokens": None, "completion_tokens": 5},
    "more cached than there is": {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "prompt_tokens_details": {"cached_tokens": 11},
    },
    "cached and written are more than there is": {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "prompt_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 6},
    },
    "more reasoning than output": {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
    "Anthropic, negative": {"input_tokens": 1, "output_tokens": -1},
}


@pytest.mark.parametrize("report", VOID.values(), ids=VOID)
def test_contradictory_report_is_void(report):
    assert parse_openai_usage(report) is None


COUNTS = st.integers(-5, 2 * MAX_TOKENS) | st.none() | st.booleans() | st.floats() | st.text()


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "prompt_tokens",
                "completion_tokens",
                "total_tokens",
                "input_tokens",
                "output_tokens",
                "cache_read_input_tokens",
                "cache_creation_input_tokens",
            ]
        ),
        COUNTS,
    )
)
def test_parts_never_exceed_the_whole(report):
    usage = parse_openai_usage(report)
    if usage is not None:
        cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
        assert 0 <= cached <= usage.input_tokens
        assert 0 <= (usage.reasoning_tokens or 0) <= usage.output_tokens


HOURS = {
    "of OpenAI's convention": {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "prompt_tokens_details": {
            "cache_write_tokens": 8,
            "cache_creation_token_details": {"ephemeral_1h_input_tokens": 5},
        },
    },
    "of Anthropic's": {
        "input_tokens": 2,
        "output_tokens": 1,
        "cache_creation_input_tokens": 8,
        "cache_creation": {"ephemeral_1h_input_tokens": 5, "ephemeral_5m_input_tokens": 3},
    },
}


@pytest.mark.parametrize("usage", HOURS.values(), ids=HOURS)
def test_writes_for_an_hour_are_part_of_the_writes(usage):
    expected = Usage(10, 1, cache_write_tokens=8, cache_write_1h_tokens=5)
    assert parse_openai_usage(usage) == expected


def test_more_writes_for_an_hour_than_writes_are_impossible():
    usage = {"input_tokens": 2, "cache_creation": {"ephemeral_1h_input_tokens": 5}}
    assert parse_openai_usage(usage) is None
