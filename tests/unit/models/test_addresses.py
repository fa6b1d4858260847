"""Where lists are asked for."""

import pytest

from waystation.models.addresses import list_url, tags_url

CLOUDFLARE = "https://gateway.ai.cloudflare.com/v1/account/gateway"


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://llm.test/v1", "https://llm.test/v1/models"),
        ("https://llm.test/v1//", "https://llm.test/v1/models"),
        ("https://llm.test", "https://llm.test/models"),
        ("https://llm.test/v1?a=1&b=2", "https://llm.test/v1/models?a=1&b=2"),
    ],
)
def test_list_is_below_the_base_url(base_url, expected):
    assert list_url(base_url, is_direct=False, user_id=None) == expected


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://llm.test/v1/chat/completions", "https://llm.test/v1/models"),
        ("https://llm.test/openai/v1/chat/completions?x=1", "https://llm.test/openai/v1/models"),
        ("https://llm.test/api/generate", "https://llm.test/api/generate/models"),
        ("https://llm.test/api/generate?x=1", "https://llm.test/api/generate/models?x=1"),
        ("https://v1.llm.test/chat", "https://v1.llm.test/chat/models"),
        (f"{CLOUDFLARE}/openai/chat/completions", f"{CLOUDFLARE}/openai/models"),
        (f"{CLOUDFLARE}/groq/chat/completions", f"{CLOUDFLARE}/groq/models"),
        (
            f"{CLOUDFLARE}/azure-openai/resource/deployment/chat/completions?v=1",
            f"{CLOUDFLARE}/azure-openai/resource/deployment/models",
        ),
    ],
)
def test_list_of_a_direct_endpoint_is_beside_its_chats(base_url, expected):
    assert list_url(base_url, is_direct=True, user_id=None) == expected


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://llm.test/v1", "https://llm.test/v1/models?user=a%26b%2Fc%20%C3%A9"),
        ("https://llm.test/v1?x=1", "https://llm.test/v1/models?x=1&user=a%26b%2Fc%20%C3%A9"),
    ],
)
def test_user_is_a_parameter_of_the_query(base_url, expected):
    assert list_url(base_url, is_direct=False, user_id="a&b/c é") == expected


@pytest.mark.parametrize(
    "base_url",
    [
        "http://ollama.test:11434/v1?x=1",
        "http://ollama.test:11434",
        "http://u:p@ollama.test:11434/",
    ],
)
def test_tags_are_at_the_root_of_the_host(base_url):
    assert tags_url(base_url) == "http://ollama.test:11434/api/tags"
