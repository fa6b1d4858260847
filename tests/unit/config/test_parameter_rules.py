"""Definitions of parameters that are refused, and where the mistake is."""

import pytest

from tests.support.config_entries import find_problems

BASE = "customParams.paramDefinitions"


def problems(*definitions: dict[str, object], params_set: str = "custom") -> dict[str, str]:
    found = find_problems(
        customParams={"defaultParamsEndpoint": params_set, "paramDefinitions": list(definitions)}
    )
    return {path.removeprefix(BASE): message for path, message in found.items()}


def test_key_belongs_to_the_set():
    found = problems({"key": "topK"}, {"key": "temperature"}, {"key": ""})
    assert found == {"[0].key": found["[0].key"], "[2].key": found["[0].key"]}
    assert found["[0].key"] == (
        "expected one of the keys of custom: modelLabel, promptPrefix, maxContextTokens, "
        "max_tokens, temperature, top_p, frequency_penalty, presence_penalty, stop, resendFiles, "
        "imageDetail, web_search, reasoning_effort, useResponsesApi, reasoning_summary, "
        "reasoning_mode, reasoning_context, verbosity, disableStreaming, fileTokenLimit"
    )


@pytest.mark.parametrize(
    ("definition", "path", "message"),
    [
        ({"key": "temperature", "default": 9}, "default", "expected a number from 0 to 2"),
        ({"key": "temperature", "default": "hot"}, "default", "expected a number"),
        ({"key": "temperature", "default": ["1", "2"]}, "default", "expected a number"),
        ({"key": "max_tokens", "default": "."}, "default", "expected a number"),
        (
            {"key": "temperature", "range": {"min": 0, "max": 1}, "default": 1.5},
            "default",
            "expected a number within the range",
        ),
        (
            {"key": "temperature", "range": {"min": 2, "max": 3}},
            "default",
            "expected a number within the range; the built-in default does not fit, so give one",
        ),
        (
            {"key": "max_tokens", "default": 4, "range": {"min": -1, "max": 9, "positiveMin": 5}},
            "default",
            "expected a number within the range",
        ),
        ({"key": "web_search", "default": "yes"}, "default", "expected true or false"),
        ({"key": "modelLabel", "default": 5}, "default", "expected text"),
        ({"key": "modelLabel", "type": "enum", "default": 5}, "default", "expected text"),
        (
            {"key": "verbosity", "default": "loud"},
            "default",
            "expected one of empty text, 'low', 'medium', 'high'",
        ),
        (
            {"key": "reasoning_effort", "options": ["low", "high"], "default": "medium"},
            "default",
            "expected one of the options",
        ),
        (
            {"key": "reasoning_effort", "options": ["low", "high"]},
            "default",
            "expected one of the options; the built-in default does not fit, so give one",
        ),
        (
            {"key": "max_tokens", "type": "enum", "options": ["1"]},
            "default",
            "expected one of the options; there is no built-in default, so give one",
        ),
        (
            {"key": "verbosity", "options": ["a", "b"], "default": "a"},
            "enumMappings",
            "expected each of the options as a key",
        ),
        (
            {"key": "verbosity", "enumMappings": {"low": 1}},
            "enumMappings",
            "expected each of the options as a key",
        ),
        ({"key": "stop", "default": "END"}, "default", "expected a list of strings"),
        (
            {"key": "stop", "default": ["1", "2", "3", "4", "5"]},
            "default",
            "expected no more strings than maxTags says",
        ),
        (
            {"key": "stop", "default": ["1"], "minTags": 2},
            "default",
            "expected as many strings as minTags says",
        ),
        (
            {"key": "stop", "minTags": 1},
            "default",
            "expected as many strings as minTags says; the built-in default does not fit, "
            "so give one",
        ),
        (
            {"key": "max_tokens", "type": "array"},
            "type",
            "expected another type than array, which needs the component tags",
        ),
        (
            {"key": "max_tokens", "component": "tags"},
            "type",
            "expected array, the type of the component tags",
        ),
        (
            {"key": "max_tokens", "component": "textarea"},
            "type",
            "expected another type than number, which a textarea cannot take",
        ),
        (
            {"key": "max_tokens", "component": "slider"},
            "range",
            "this key is required: a slider of numbers has a range",
        ),
        (
            {"key": "verbosity", "options": [""]},
            "options",
            "expected at least 2 options",
        ),
        (
            {"key": "modelLabel", "component": "dropdown"},
            "options",
            "expected at least 2 options",
        ),
        (
            {"key": "modelLabel", "component": "combobox", "options": ["a"]},
            "options",
            "expected at least 2 options",
        ),
        (
            {"key": "web_search", "options": ["a", "b", "c"]},
            "options",
            "expected at most 2 options",
        ),
        (
            {"key": "modelLabel", "minText": -1},
            "minText",
            "expected a number of at least 0",
        ),
        (
            {"key": "modelLabel", "maxText": -1},
            "maxText",
            "expected a number of at least 0",
        ),
        (
            {"key": "modelLabel", "minText": 3, "maxText": 2},
            "minText",
            "expected a number that is not greater than maxText",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_definition_that_stops_librechat_is_refused(definition, path, message):
    assert problems(definition) == {f"[0].{path}": message}


def test_every_definition_is_reported_with_the_rest_of_the_entry():
    found = find_problems(
        titleConvo="yes",
        customParams={
            "paramDefinitions": [{"key": "top_p", "default": 2}, {"key": "x"}],
        },
    )
    assert found.keys() == {"titleConvo", f"{BASE}[0].default", f"{BASE}[1].key"}


def test_definitions_wait_until_their_set_is_known():
    found = find_problems(baseURL=5, customParams={"paramDefinitions": [{"key": "promptCache"}]})
    assert found.keys() == {"baseURL"}
