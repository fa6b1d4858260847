"""Where a Messages request goes, with what headers."""

import json
from dataclasses import replace

import pytest

from tests.support.messages_shaping import shape
from tests.support.native_shaping import context_of
from waystation.errors import EndpointMisconfiguredError, InvalidUserKeyError
from waystation.providers.anthropic.target import key_of, messages_url

URLS = {
    "https://a.test": "https://a.test/v1/messages",
    "https://a.test/": "https://a.test/v1/messages",
    "https://a.test/v1": "https://a.test/v1/messages",
    "https://a.test/v1/": "https://a.test/v1/messages",
    "https://a.test/gateway": "https://a.test/gateway/v1/messages",
    "https://a.test/gateway/v1?a=1": "https://a.test/gateway/v1/messages?a=1",
    "https://a.test/?api-version=2": "https://a.test/v1/messages?api-version=2",
    "https://a.test/v1/messages": "https://a.test/v1/messages/v1/messages",
    "https://a.test/av1": "https://a.test/av1/v1/messages",
}


@pytest.mark.parametrize(("base_url", "url"), URLS.items())
def test_urls(base_url, url):
    assert messages_url(base_url) == url


def test_a_directendpoint_is_ignored():
    url = shape(directEndpoint=True, base_url="https://a.test/x").request.url
    assert url == "https://a.test/x/v1/messages"


def headers_of(**kwargs: object) -> dict[str, str]:
    return dict(shape(**kwargs).request.headers)  # type: ignore[arg-type]


OWN = {
    "x-api-key": "key",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "fine-grained-tool-streaming-2025-05-14",
    "accept": "application/json",
    "content-type": "application/json",
}


def test_own_headers():
    assert headers_of() == OWN
    assert headers_of(is_stream=True) == OWN | {"accept": "text/event-stream"}


def test_configured_headers_win():
    configured = {
        "X-Api-Key": "other",
        "Anthropic-Version": "2024-10-01",
        "Authorization": "Bearer t",
        "Content-Type": "text/plain",
        "X-Own": "1",
    }
    assert headers_of(headers=configured) == OWN | {
        "x-api-key": "other",
        "anthropic-version": "2024-10-01",
        "authorization": "Bearer t",
        "x-own": "1",
    }


def test_betas_are_joined_to_the_configured_ones():
    beta = OWN["anthropic-beta"]
    assert (
        headers_of(headers={"Anthropic-Beta": f"mine, {beta}"})["anthropic-beta"] == f"mine,{beta}"
    )


MODERN = "claude-3-7-sonnet-20250219"
BETAS = {
    "cached": ({"promptCache": True}, {}, True),
    "not cached": ({}, {}, False),
    "cached by default": ({}, {"ui": True}, True),
    "cached by default, marks dropped": ({}, {"ui": True, "dropParams": ["promptCache"]}, True),
    "cache refused": ({"promptCache": False}, {"ui": True}, False),
}


@pytest.mark.parametrize(("params", "entry", "has_own"), BETAS.values(), ids=BETAS)
def test_a_cached_model_has_betas_of_its_own(params, entry, has_own):
    own = "token-efficient-tools-2025-02-19,output-128k-2025-02-19,"
    betas = headers_of(params=params, model=MODERN, **entry)["anthropic-beta"]
    assert betas == (own if has_own else "") + OWN["anthropic-beta"]


KEYS = {
    "a key": ("sk-ant-1", "sk-ant-1"),
    "JSON with a key": (json.dumps({"ANTHROPIC_API_KEY": "sk-2", "other": 1}), "sk-2"),
    "almost JSON": ("{sk", "{sk"),
    "deep": ("[" * 100_000, "[" * 100_000),
}


@pytest.mark.parametrize(("configured", "key"), KEYS.values(), ids=KEYS)
def test_keys(configured, key):
    assert headers_of(api_key=configured)["x-api-key"] == key


@pytest.mark.parametrize(
    "configured",
    [
        '{"a":1}',
        "12345",
        "1" * 5000,
        "null",
        '"text"',
        "[]",
        '{"ANTHROPIC_API_KEY": ""}',
        '{"ANTHROPIC_API_KEY": 5}',
        '{"ANTHROPIC_API_KEY": "a\\nb"}',
        '{"ANTHROPIC_API_KEY": "ключ"}',
    ],
)
def test_json_without_a_key_makes_the_entry_unusable(configured):
    with pytest.raises(EndpointMisconfiguredError, match="Endpoint 'Acme': apiKey is JSON without"):
        shape(api_key=configured)


def test_a_users_json_without_a_key_is_the_users_own_mistake():
    context = replace(context_of(model="m", api_key='{"a": "canary"}'), is_users_key=True)
    with pytest.raises(InvalidUserKeyError, match="Your key for endpoint 'Acme'") as caught:
        key_of(context)
    assert "canary" not in caught.value.message
