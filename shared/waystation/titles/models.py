"""What titles need to know of models by their names."""

import re

_NO_SCHEMA = re.compile(r"gpt-3|gpt-4(?:-|$)")
_LARGE = re.compile(r"claude-(?:(?:opus|sonnet|haiku|fable|mythos)[-.]?)?(?:[4-9]|\d{2,})(?!\d)")
_MIDDLE = re.compile(r"claude-3[-.][57]")


def takes_schema(model: str) -> bool:
    """Tell whether a model can answer by a JSON schema; OpenAI's older ones cannot.

    Source: https://platform.openai.com/docs/guides/structured-outputs, 2026-11.
    """
    return _NO_SCHEMA.match(model) is None


def anthropic_limit(model: str) -> int:
    """Return the limit of tokens that Anthropic's API asks for, where nobody has set one."""
    if _LARGE.search(model):
        return 16_384
    return 8192 if _MIDDLE.search(model) else 4096
