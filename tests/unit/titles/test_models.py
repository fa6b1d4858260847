"""What titles know of models by their names."""

import pytest

from waystation.titles.models import anthropic_limit, takes_schema

SCHEMA = {
    "gpt-3.5-turbo": False,
    "gpt-4": False,
    "gpt-4-turbo": False,
    "gpt-4-0613": False,
    "gpt-4o": True,
    "gpt-4o-mini": True,
    "gpt-4.1": True,
    "gpt-5": True,
    "o3": True,
    "mistral-small": True,
    "my-gpt-4": True,
}


@pytest.mark.parametrize(("model", "takes"), SCHEMA.items(), ids=SCHEMA)
def test_older_models_of_openai_take_no_schema(model: str, takes: bool):
    assert takes_schema(model) is takes


LIMITS = {
    "claude-sonnet-4-5": 16_384,
    "claude-opus-4-20250514": 16_384,
    "claude-4-sonnet": 16_384,
    "claude-haiku-10": 16_384,
    "claude-3-7-sonnet-latest": 8192,
    "claude-3.5-haiku": 8192,
    "claude-3-5-sonnet-20240620": 8192,
    "claude-3-haiku-20240307": 4096,
    "claude-3-opus-20240229": 4096,
    "claude-2.1": 4096,
    "another": 4096,
}


@pytest.mark.parametrize(("model", "limit"), LIMITS.items(), ids=LIMITS)
def test_limit_of_a_native_title_goes_by_the_model(model: str, limit: int):
    assert anthropic_limit(model) == limit
