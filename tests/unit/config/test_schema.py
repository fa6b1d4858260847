"""One entry of `endpoints.custom`: keys, defaults, types."""

import pytest

from tests.support.config_entries import MINIMAL, build_entry, find_problems, token_config
from waystation.config.parts import RefusedError
from waystation.config.schema import Endpoint


def test_minimal_entry_gets_the_documented_defaults():
    assert build_entry().as_yaml(with_defaults=True) == {
        "name": "Acme",
        "apiKey": "${ACME_KEY}",
        "baseURL": "https://llm.acme.test/v1",
        "models": {"default": ("acme-large",), "fetch": False, "userIdQuery": False},
        "headers": {},
        "addParams": {},
        "dropParams": (),
        "customParams": {
            "defaultParamsEndpoint": "custom",
            "includeReasoningContent": False,
            "includeReasoningHistory": False,
            "paramDefinitions": (),
        },
        "tokenConfig": {},
        "directEndpoint": False,
        "waystation": {"uiDefaults": False},
        "titleConvo": False,
        "titleTiming": "immediate",
        "titleMethod": "completion",
        "titleModel": "gpt-3.5-turbo",
        "titlePrompt": (
            "Analyze this conversation and provide:\n"
            "1. The detected language of the conversation\n"
            "2. A concise title in the detected language (5 words or less, no punctuation or "
            "quotation)\n\n{convo}"
        ),
        "titlePromptTemplate": "User: {input}\nAI: {output}",
        "titleMessageRole": "system",
        "iconURL": "",
        "modelDisplayLabel": "AI",
    }


def test_entry_is_frozen():
    with pytest.raises(AttributeError, match="frozen"):
        build_entry().name = "Other"  # type: ignore[misc]


@pytest.mark.parametrize("key", ["name", "apiKey", "baseURL", "models"])
def test_required_key_is_missed(key):
    given = {k: v for k, v in MINIMAL.items() if k != key}
    with pytest.raises(RefusedError) as caught:
        Endpoint.read(given)
    assert caught.value.problems == {(key,): "this key is required"}


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"name": 5}, "name", "expected text, found a number; put it in quotes"),
        ({"name": True}, "name", "expected text, found true or false; put it in quotes"),
        ({"name": None}, "name", "expected text, found nothing"),
        ({"models": ["a"]}, "models", "expected a mapping, found a list"),
        ({"models": {}}, "models.default", "this key is required"),
        (
            {"models": {"default": "a"}},
            "models.default",
            "expected a list of model names, found text",
        ),
        ({"models": {"default": []}}, "models.default", "expected at least one model"),
        ({"models": {"default": [None]}}, "models.default[0]", "expected text, found nothing"),
        ({"models": {"default": [{}]}}, "models.default[0].name", "this key is required"),
        ({"titleConvo": "true"}, "titleConvo", "expected true or false, found text"),
        ({"directEndpoint": 1}, "directEndpoint", "expected true or false, found a number"),
        ({"titleTiming": "later"}, "titleTiming", "expected 'immediate' or 'final'"),
        ({"provider": "openai"}, "provider", "expected 'anthropic'"),
        ({"headers": {"X-A": 5}}, "headers.X-A", "expected text, found a number; put it in quotes"),
        ({"headers": None}, "headers", "expected a mapping, found nothing"),
        ({"dropParams": "stop"}, "dropParams", "expected a list of strings, found text"),
        ({"streamRate": -1}, "streamRate", "expected a number of at least 0"),
        ({"maxToolResultChars": 0}, "maxToolResultChars", "expected a number greater than 0"),
        (
            {"activityMaxPerRun": 1.5},
            "activityMaxPerRun",
            "expected a whole number, found a number",
        ),
        ({"waystation": {"uiDefault": True}}, "waystation.uiDefault", "there is no such key"),
    ],
)
def test_wrong_type_is_named_in_plain_words(changes, path, message):
    assert find_problems(**changes) == {path: message}


@pytest.mark.parametrize("key", ["provider", "titleEndpoint", "streamRate", "reasoningLabel"])
def test_null_is_not_an_absent_key(key):
    message = "expected a value, found nothing: give one or leave the key out"
    assert find_problems(**{key: None}) == {key: message}


def test_every_mistake_is_reported_at_once():
    assert find_problems(name="", headers={"Host": "x", "X-A": 1}, titleConvo=1).keys() == {
        "name",
        "headers.Host",
        "headers.X-A",
        "titleConvo",
    }


def test_unknown_keys_are_ignored():
    assert build_entry(summarize="x", models={"default": ["a"], "extra": 1}).models.default == (
        "a",
    )


def test_models_may_be_objects_with_a_name():
    models = {"default": ["a", {"name": "b", "description": "second"}]}
    assert build_entry(models=models).models.default == ("a", "b")


def test_add_params_holds_any_json():
    params = {"a": [1, {"b": None}], "c": {"d": [True, "x", 1.5]}, "web_search": True}
    assert build_entry(addParams=params).add_params == params


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"web_search": "true"}, "addParams.web_search"),
        ({"web_search": None}, "addParams.web_search"),
        ({"a": float("nan")}, "addParams"),
        ({"a": [object()]}, "addParams"),
        (["a"], "addParams"),
    ],
)
def test_add_params_refuses_anything_else(params, path):
    assert find_problems(addParams=params).keys() == {path}


@pytest.mark.parametrize("prompt", ["", "no mark", "{ convo }", "{Convo}"])
def test_title_prompt_holds_the_conversation(prompt):
    assert find_problems(titlePrompt=prompt) == {
        "titlePrompt": "expected text that contains {convo}"
    }


@pytest.mark.parametrize("template", ["", "{input}", "{output}"])
def test_title_template_holds_input_and_output(template):
    assert find_problems(titlePromptTemplate=template) == {
        "titlePromptTemplate": "expected text that contains {input} and {output}"
    }


def test_empty_title_model_and_endpoint_mean_the_defaults():
    endpoint = build_entry(titleModel="", titleEndpoint="")
    assert (endpoint.title_model, endpoint.title_endpoint) == ("gpt-3.5-turbo", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"apiKey": "${canary-value}"},
        {"headers": {"X-A": "canary-value\n\x01"}},
        {"name": "canary-value" * 9},
        {"titleTiming": "canary-value"},
        {"titleConvo": "canary-value"},
        {"customParams": {"defaultParamsEndpoint": "canary-value"}},
        {"customParams": {"paramDefinitions": [{"key": "canary-value"}]}},
        {"customParams": {"paramDefinitions": [{"key": "verbosity", "default": "canary-value"}]}},
        {"customParams": {"paramDefinitions": [{"key": "verbosity", "options": ["canary-value"]}]}},
        {"titlePrompt": "canary-value"},
        {"tokenConfig": token_config(prompt="canary-value")},
    ],
)
def test_message_never_holds_the_value(changes):
    assert "canary" not in str(find_problems(**changes))


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ({}, True),
        ({"uiDefaults": True}, False),
        ({"uiDefaults": True, "thinkTags": "split"}, True),
        ({"thinkTags": "keep"}, False),
    ],
)
def test_think_tags_are_split_off_unless_the_interface_does_it(extension, expected):
    assert build_entry(waystation=extension).splits_think_tags is expected


@pytest.mark.parametrize("value", [None, True, "drop"])
def test_think_tags_have_two_values(value):
    assert find_problems(waystation={"thinkTags": value}).keys() == {"waystation.thinkTags"}
