"""Dialects by name."""

import pytest

from tests.support.config_entries import build_entry
from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible import OpenAiCompatible
from waystation.providers.registry import provider_of


def test_entry_without_a_provider_speaks_openai():
    assert isinstance(provider_of(build_entry()), OpenAiCompatible)


def test_provider_that_is_not_served_is_named():
    with pytest.raises(InvalidBodyError) as caught:
        provider_of(build_entry(provider="anthropic"))
    assert caught.value.to_envelope()["error"] == {
        "message": "Endpoint 'Acme' has provider: anthropic, "
        "which this version of the gateway does not serve.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "invalid_body",
    }
