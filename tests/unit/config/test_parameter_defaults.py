"""Definitions of parameters: what they inherit, and which defaults an entry has by them."""

import pytest

from tests.support.config_entries import build_defining_entry, build_entry, complete_definition


def test_definition_inherits_what_it_leaves_out():
    definition = complete_definition({"key": "temperature", "label": "Heat"})
    assert definition.as_yaml(with_defaults=True) == {
        "key": "temperature",
        "type": "number",
        "component": "slider",
        "default": 1,
        "range": {"min": 0, "max": 2, "step": 0.01},
        "label": "Heat",
        "optionType": "custom",
    }


def test_range_is_replaced_as_a_whole():
    definition = complete_definition({"key": "temperature", "range": {"min": 0, "max": 1}})
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
    assert complete_definition(definition, params_set).default == default


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
    assert complete_definition(definition).key == definition["key"]


def test_key_of_another_set_is_legal_there():
    assert complete_definition({"key": "topK"}, "anthropic").default == 5
    native = build_entry(
        provider="anthropic", customParams={"paramDefinitions": [{"key": "thinkingBudget"}]}
    )
    assert native.param_defaults == {"thinkingBudget": 2000}


def test_last_default_of_a_key_wins():
    endpoint = build_defining_entry(
        {"key": "temperature", "default": 0.1},
        {"key": "max_tokens", "default": 5},
        {"key": "temperature", "default": 0.2},
        {"key": "max_tokens"},
    )
    assert [d.default for d in endpoint.custom_params.param_definitions] == [0.1, 5, 0.2, None]
    assert endpoint.param_defaults == {"temperature": 0.2, "max_tokens": 5}


def test_defaults_have_no_empty_text_and_what_is_built_in():
    endpoint = build_defining_entry(
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
    endpoint = build_defining_entry({"key": "top_p"})
    assert endpoint.param_defaults is endpoint.param_defaults
    with pytest.raises(TypeError):
        endpoint.param_defaults["top_p"] = 2  # type: ignore[index]


def test_entry_without_definitions_has_no_defaults():
    assert build_entry(name="OpenRouter").param_defaults == {}
