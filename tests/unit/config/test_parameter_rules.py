"""Definitions of parameters: what they inherit, what is sent of them, what is refused."""

import pytest

from tests.support.config_entries import build_entry, find_problems
from waystation.config.schema import Endpoint, ParamDefinition

BASE = "customParams.paramDefinitions"


def entry(*definitions: dict[str, object], params_set: str = "custom") -> Endpoint:
    return build_entry(
        customParams={"defaultParamsEndpoint": params_set, "paramDefinitions": list(definitions)}
    )


def complete(definition: dict[str, object], params_set: str = "custom") -> ParamDefinition:
    [completed] = entry(definition, params_set=params_set).custom_params.param_definitions
    return completed


def problems(*definitions: dict[str, object], params_set: str = "custom") -> dict[str, str]:
    found = find_problems(
        customParams={"defaultParamsEndpoint": params_set, "paramDefinitions": list(definitions)}
    )
    return {path.removeprefix(BASE): message for path, message in found.items()}


def test_definition_inherits_what_it_leaves_out():
    definition = complete({"key": "temperature", "label": "Heat"})
    assert definition.model_dump(by_alias=True, exclude_none=True) == {
        "key": "temperature",
        "type": "number",
        "component": "slider",
        "default": 1,
        "range": {"min": 0, "max": 2, "step": 0.01},
        "label": "Heat",
        "optionType": "custom",
    }


def test_range_is_replaced_as_a_whole():
    definition = complete({"key": "temperature", "range": {"min": 0, "max": 1}})
    assert definition.range is not None
    assert definition.range.step is None


@pytest.mark.parametrize(
    ("params_set", "definition", "default"),
    [
        ("custom", {"key": "max_tokens"}, None),
        ("custom", {"key": "stop"}, ()),
        ("custom", {"key": "stop", "default": ""}, ()),
        ("custom", {"key": "resendFiles", "default": 0}, False),
        ("openrouter", {"key": "promptCacheTtl"}, "5m"),
        ("bedrock-anthropic", {"key": "region", "options": ["eu", "us"]}, "eu"),
        (
            "custom",
            {"key": "reasoning_effort", "component": "dropdown", "options": ["low", "max"]},
            "low",
        ),
        # The middle of the range, halves going up.
        ("bedrock-mistral", {"key": "topP"}, 1),
        (
            "custom",
            {"key": "max_tokens", "component": "slider", "range": {"min": -10, "max": 5}},
            -2,
        ),
        (
            "google",
            {
                "key": "thinkingBudget",
                "component": "slider",
                "range": {"min": -1, "max": 20, "positiveMin": 10},
            },
            15,
        ),
    ],
    ids=lambda value: value["key"] if isinstance(value, dict) else None,
)
def test_missing_or_blank_default_is_the_one_the_interface_would_show(
    params_set, definition, default
):
    assert complete(definition, params_set).default == default


@pytest.mark.parametrize(
    "definition",
    [
        {"key": "temperature", "default": 2},
        {"key": "temperature", "default": "0.5"},
        {"key": "temperature", "default": ""},
        {"key": "temperature", "default": True},
        {"key": "temperature", "default": ["1e2"]},
        {"key": "max_tokens", "default": 10**9},
        {"key": "max_tokens", "range": {"min": 2, "max": 1}},
        {"key": "max_tokens", "default": -1, "range": {"min": -1, "max": 9, "positiveMin": 5}},
        {"key": "modelLabel", "default": "long", "minText": 0, "maxText": 1},
        {"key": "modelLabel", "type": "enum"},
        {"key": "stop", "default": [], "maxTags": 0},
        {"key": "reasoning_effort", "default": ""},
        {"key": "temperature", "minText": -1},
        {"key": "web_search", "component": "checkbox", "options": ["a", "b"]},
    ],
    ids=str,
)
def test_what_librechat_starts_with_is_legal(definition):
    assert complete(definition).key == definition["key"]


def test_key_belongs_to_the_set():
    found = problems({"key": "topK"}, {"key": "temperature"}, {"key": ""})
    assert found == {"[0].key": found["[0].key"], "[2].key": found["[0].key"]}
    assert found["[0].key"] == (
        "expected one of the keys of custom: modelLabel, promptPrefix, maxContextTokens, "
        "max_tokens, temperature, top_p, frequency_penalty, presence_penalty, stop, resendFiles, "
        "imageDetail, web_search, reasoning_effort, useResponsesApi, reasoning_summary, "
        "reasoning_mode, reasoning_context, verbosity, disableStreaming, fileTokenLimit"
    )


def test_key_of_another_set_is_legal_there():
    assert complete({"key": "topK"}, "anthropic").default == 5
    native = build_entry(
        provider="anthropic", customParams={"paramDefinitions": [{"key": "thinkingBudget"}]}
    )
    assert native.param_defaults == {"thinkingBudget": 2000}


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


def test_last_default_of_a_key_wins():
    endpoint = entry(
        {"key": "temperature", "default": 0.1},
        {"key": "max_tokens", "default": 5},
        {"key": "temperature", "default": 0.2},
        {"key": "max_tokens"},
    )
    assert [d.default for d in endpoint.custom_params.param_definitions] == [0.1, 5, 0.2, None]
    assert endpoint.param_defaults == {"temperature": 0.2, "max_tokens": 5}


def test_defaults_have_no_empty_text_and_what_is_built_in():
    endpoint = entry(
        {"key": "top_p"},
        {"key": "web_search"},
        {"key": "frequency_penalty"},
        {"key": "stop"},
        {"key": "reasoning_effort"},
        {"key": "verbosity", "default": "low"},
        {"key": "verbosity", "default": ""},
    )
    assert endpoint.param_defaults == {
        "top_p": 1,
        "web_search": False,
        "frequency_penalty": 0,
        "stop": (),
    }


def test_defaults_are_computed_once_and_cannot_be_changed():
    endpoint = entry({"key": "top_p"})
    assert endpoint.param_defaults is endpoint.param_defaults
    with pytest.raises(TypeError):
        endpoint.param_defaults["top_p"] = 2  # type: ignore[index]


def test_entry_without_definitions_has_no_defaults():
    assert build_entry(name="OpenRouter").param_defaults == {}
