"""`customParams` of an entry."""

import pytest

from tests.support.config_entries import build_entry, find_problems


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("max_tokens", 1),
        ("temperature", 0.5),
        ("web_search", True),
        ("modelLabel", "x"),
        ("stop", ["a", "b"]),
    ],
)
def test_definition_has_a_default_of_a_simple_type(key, default):
    params = build_entry(
        customParams={"paramDefinitions": [{"key": key, "default": default}]}
    ).custom_params
    expected = tuple(default) if isinstance(default, list) else default
    [definition] = params.param_definitions
    assert (definition.default, type(definition.default)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("definition", "path"),
    [
        ({}, "key"),
        ({"key": 5}, "key"),
        ({"key": "k", "default": {}}, "default"),
        ({"key": "k", "default": None}, "default"),
        ({"key": "k", "default": ["a", 1]}, "default"),
        ({"key": "k", "type": "float"}, "type"),
        ({"key": "k", "columns": 5}, "columns"),
        ({"key": "k", "columnSpan": -1}, "columnSpan"),
        ({"key": "k", "range": {"min": "0", "max": 1}}, "range.min"),
        ({"key": "k", "range": {"min": 0}}, "range.max"),
        ({"key": "k", "range": {"min": 0, "max": 1, "positiveMin": 2}}, "range.positiveMin"),
        ({"key": "k", "range": {"min": 0, "max": 1, "positiveMin": None}}, "range.positiveMin"),
        ({"key": "k", "options": None}, "options"),
        ({"key": "k", "options": "low"}, "options"),
        ({"key": "k", "component": "knob"}, "component"),
        ({"key": "k", "showLabel": "yes"}, "showLabel"),
        ({"key": "k", "minTags": -1}, "minTags"),
    ],
)
def test_malformed_definition_is_refused(definition, path):
    found = find_problems(customParams={"paramDefinitions": [definition]})
    assert found.keys() == {f"customParams.paramDefinitions[0].{path}"}


def test_custom_params_knows_its_keys():
    assert find_problems(customParams={"reasoning_format": "disabled"}) == {
        "customParams.reasoning_format": "there is no such key"
    }


@pytest.mark.parametrize("name", ["", "Anthropic", "ollama"])
def test_parameter_set_exists(name):
    found = find_problems(customParams={"defaultParamsEndpoint": name})
    assert found.keys() == {"customParams.defaultParamsEndpoint"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "custom"),
        ({"provider": "anthropic"}, "anthropic"),
        ({"provider": "anthropic", "customParams": {"defaultParamsEndpoint": "google"}}, "google"),
        ({"customParams": {"defaultParamsEndpoint": "anthropic"}}, "anthropic"),
        ({"name": "My OpenRouter"}, "openrouter"),
        ({"baseURL": "https://OPENROUTER.ai/api/v1"}, "openrouter"),
        ({"baseURL": "${OPENROUTER_URL}"}, "openrouter"),
        (
            {"name": "openrouter", "customParams": {"defaultParamsEndpoint": "custom"}},
            "openrouter",
        ),
        ({"name": "openrouter", "customParams": {"defaultParamsEndpoint": "openAI"}}, "openAI"),
        ({"name": "openrouter", "provider": "anthropic"}, "anthropic"),
    ],
)
def test_set_is_the_chosen_one_else_of_the_provider_else_of_openrouter(changes, expected):
    assert build_entry(**changes).params_endpoint == expected
