"""What the name of a Claude model tells."""

import pytest

from waystation.providers.claude import models as claude_models

#          model, limit, thinking, refuses sampling, told not to think, caches
MODELS = [
    ("claude-3-opus-20240229", 8192, "none", False, False, True),
    ("claude-3-5-sonnet-20240620", 8192, "none", False, False, True),
    ("claude-3-5-sonnet-latest", 8192, "none", False, False, False),
    ("claude-3-7-sonnet-20250219", 8192, "enabled", False, False, True),
    ("claude-opus-4-1", 32000, "enabled", False, False, True),
    ("claude-opus-4-5", 64000, "enabled", False, False, True),
    ("claude-opus-4-6", 128000, "adaptive", False, False, True),
    ("claude-opus-4-7", 128000, "adaptive", True, False, True),
    ("claude-opus-5", 128000, "adaptive", True, True, True),
    ("claude-opus-5-5", 128000, "adaptive", True, False, True),
    ("claude-sonnet-4-20250514", 64000, "enabled", False, False, True),
    ("claude-sonnet-4-5", 64000, "enabled", False, False, True),
    ("claude-sonnet-4-6", 128000, "adaptive", False, False, True),
    ("claude-sonnet-5", 128000, "adaptive", True, True, True),
    ("claude-haiku-5", 64000, "enabled", False, False, False),
    ("claude-haiku-4-5-20251001", 64000, "enabled", False, False, True),
    ("claude-fable-5", 128000, "adaptive", True, False, True),
    ("claude-4-sonnet", 8192, "none", False, False, True),
    ("anthropic/claude-sonnet-4.5", 64000, "enabled", False, False, True),
    ("us.anthropic.claude-sonnet-4-5-v1:0", 64000, "enabled", False, False, True),
    ("claude-2.1", 8192, "none", False, False, False),
    ("my-alias", 8192, "none", False, False, False),
]


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row[0])
def test_models(row):
    model, limit, thinking, refuses, told, caches = row
    assert claude_models.output_limit(model) == limit
    assert claude_models.default_thinking(model) == thinking
    assert claude_models.refuses_sampling(model) == refuses
    assert claude_models.must_be_told_not_to_think(model) == told
    assert claude_models.caps_effort(model) == (told and "opus" in model)
    assert claude_models.supports_caching(model) == caches
