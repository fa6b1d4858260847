"""Warnings about what an entry may say but hardly means."""

import json

import pytest

from tests.support.config_entries import MINIMAL
from waystation.config.snapshot import Findings, inspect


def inspect_entries(*entries: object) -> Findings:
    return inspect(json.dumps({"endpoints": {"custom": entries}}).encode())


def warnings_for(**changes: object) -> dict[str, str]:
    findings = inspect_entries(MINIMAL | changes)
    assert findings.errors == ()
    base = "endpoints.custom[0]."
    return {w.path.removeprefix(base): w.message for w in findings.warnings}


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"fooBar": 1}, "fooBar", "unknown key, ignored"),
        ({"titelModel": "m"}, "titelModel", "unknown key, ignored; did you mean titleModel?"),
        ({"title_convo": 1}, "title_convo", "unknown key, ignored; did you mean titleConvo?"),
        ({"models": {"default": ["a"], "x": 1}}, "models.x", "unknown key, ignored"),
        (
            {"customParams": {"paramDefinitions": [{"key": "stop", "Default": 1}]}},
            "customParams.paramDefinitions[0].Default",
            "unknown key, ignored; did you mean default?",
        ),
        (
            {"tokenConfig": {"m": {"prompt": 1, "completion": 1, "context": 1, "cacheread": 1}}},
            "tokenConfig.m.cacheread",
            "unknown key, ignored; did you mean cacheRead?",
        ),
        ({"name": "Acme "}, "name", "has blanks at its ends, and they count"),
        ({"models": {"default": [""]}}, "models.default", "has an empty model name"),
        (
            {"titleConvo": True, "titleEndpoint": "acme"},
            "titleEndpoint",
            "there is no such endpoint; titles use this one",
        ),
        (
            {"baseURL": "llm.acme.test"},
            "baseURL",
            "expected a URL that begins with https:// or http://",
        ),
        (
            {"baseURL": "user_provided"},
            "apiKey",
            "never sent: with baseURL user_provided users bring their own key",
        ),
        (
            {"baseURL": "user_provided", "apiKey": "user_provided", "headers": {"X-A": "b"}},
            "headers",
            "never sent: baseURL is user_provided",
        ),
        (
            {"apiKey": "Bearer {{LIBRECHAT_USER_ID}}"},
            "apiKey",
            "sent as it stands: placeholders work in headers only",
        ),
        (
            {"headers": {"X-A": "{{ LIBRECHAT_USER_ID }}"}},
            "headers.X-A",
            "almost a placeholder, but sent as it stands",
        ),
        (
            {"provider": "anthropic", "models": {"default": ["a"], "fetch": True}},
            "models.fetch",
            "has no effect with a provider; models.default is the list",
        ),
        (
            {"models": {"default": ["a"], "userIdQuery": True}},
            "models.userIdQuery",
            "without effect: models.fetch is not true",
        ),
        (
            {"titleModel": "small"},
            "titleModel",
            "without effect: titleConvo is not true",
        ),
        ({"streamRate": 25}, "streamRate", "without effect: only LibreChat itself reads it"),
        (
            {"baseURL": "http://localhost:11434/v1"},
            "baseURL",
            "this machine: only `waystation dev` asks it",
        ),
    ],
)
def test_setting_that_is_hardly_meant_gets_a_warning(changes, path, message):
    assert warnings_for(**changes) == {path: message}


@pytest.mark.parametrize("name", ["Acme", "openAI", "bedrock", "current"])
def test_title_endpoint_that_exists_gets_no_warning(name):
    findings = inspect_entries(
        MINIMAL | {"titleConvo": True, "titleEndpoint": name},
        MINIMAL | {"name": "current", "baseURL": ""},
    )
    assert findings.warnings == ()


@pytest.mark.parametrize(
    "key", ["sk-abcdefghijkl", "gsk_0123456789ab", "AIzaSyA0123456789", "a1b2c3d4e5f6a7b8c9d0"]
)
def test_key_that_looks_like_a_secret_gets_a_warning(key):
    message = "looks like a secret; write ${NAME} and keep it out of the file"
    assert warnings_for(apiKey=key) == {"apiKey": message}


@pytest.mark.parametrize(
    "key", ["ollama", "your_api_key", "sk-test", "${SK_A1B2C3D4E5F6}", "none-at-all"]
)
def test_key_that_does_not_look_like_a_secret_gets_none(key):
    assert warnings_for(apiKey=key) == {}


def test_address_of_this_machine_that_is_allowed_gets_no_warning():
    entry = MINIMAL | {"baseURL": "http://127.0.0.1:11434/v1"}
    endpoints = {"allowedAddresses": ["127.0.0.1:11434"], "custom": [entry]}
    assert inspect(json.dumps({"endpoints": endpoints}).encode()).warnings == ()


@pytest.mark.parametrize(
    ("sections", "path", "message"),
    [
        (
            {"azureOpenAI": {"titleConvo": True, "groups": []}},
            "endpoints.azureOpenAI.groups",
            "without effect: only the keys of titles are read here",
        ),
        (
            {"all": {"streamRate": 1}},
            "endpoints.all.streamRate",
            "without effect: only the keys of titles are read here",
        ),
        (
            {"all": {"titleConvo": True}, "openAI": {"titleConvo": True}},
            "endpoints.openAI",
            "without effect: endpoints.all is there, and hides it",
        ),
    ],
)
def test_what_nobody_reads_beside_the_entries_gets_a_warning(sections, path, message):
    findings = inspect(json.dumps({"endpoints": sections | {"custom": []}}).encode())
    assert {w.path: w.message for w in findings.warnings} == {path: message}
