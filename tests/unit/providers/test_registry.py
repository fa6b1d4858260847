"""Dialects by name."""

from tests.support.config_entries import build_entry
from waystation.providers.anthropic import Anthropic
from waystation.providers.openai_compatible import OpenAiCompatible
from waystation.providers.registry import provider_of


def test_entry_without_a_provider_speaks_openai():
    assert isinstance(provider_of(build_entry()), OpenAiCompatible)


def test_entry_with_a_provider_speaks_its_dialect():
    assert isinstance(provider_of(build_entry(provider="anthropic")), Anthropic)
