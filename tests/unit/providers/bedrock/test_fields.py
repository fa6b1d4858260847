"""The other fields of a chat: limits, sampling, what the API has of its own, what it has not."""

import pytest

from tests.support.converse_shaping import fields_of
from waystation.errors import InvalidBodyError


@pytest.mark.parametrize(
    ("params", "inference"),
    [
        ({"max_tokens": 5}, {"maxTokens": 5}),
        ({"max_completion_tokens": 5}, {"maxTokens": 5}),
        ({"maxTokens": 5}, {"maxTokens": 5}),
        ({"temperature": 0.5, "top_p": 1}, {"temperature": 0.5, "topP": 1}),
        ({"topP": 0.9}, {"topP": 0.9}),
        ({"stop": "A"}, {"stopSequences": ["A"]}),
        ({"stop": ["A", "B"]}, {"stopSequences": ["A", "B"]}),
        ({"inferenceConfig": {"maxTokens": 5, "topP": 0.5}}, {"maxTokens": 5, "topP": 0.5}),
        ({"inferenceConfig": {"maxTokens": 5}, "max_tokens": 6}, {"maxTokens": 6}),
    ],
    ids=str,
)
def test_limits_and_sampling(params, inference):
    assert fields_of(params) == {"inferenceConfig": inference}


def test_what_is_the_apis_own_stays():
    own = {
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
        "performanceConfig": {"latency": "optimized"},
        "outputConfig": {"textFormat": {"type": "json_schema"}},
        "promptVariables": {"a": {"text": "b"}},
        "additionalModelResponseFieldPaths": ["/x"],
    }
    assert fields_of(own) == own


def test_tiers_and_metadata_have_other_names():
    assert fields_of({"service_tier": "flex", "metadata": {"team": "a"}}) == {
        "serviceTier": {"type": "flex"},
        "requestMetadata": {"team": "a"},
    }


def test_the_rest_is_the_models():
    params = {"topK": 3, "additionalModelRequestFields": {"k": 1, "x": None}, "my_field": [1]}
    assert fields_of(params, model="mistral.mistral-large-2407-v1:0") == {
        "additionalModelRequestFields": {"top_k": 3, "k": 1, "my_field": [1]}
    }


@pytest.mark.parametrize(
    "params",
    [
        {"n": 1, "logprobs": False, "top_logprobs": 0, "logit_bias": {}, "store": False},
        {"frequency_penalty": 0, "presence_penalty": 0.0, "verbosity": "medium"},
        {"response_format": {"type": "text"}, "modalities": ["text"], "service_tier": "auto"},
        {"user": "u", "stream_options": {"include_usage": True}, "region": "us-east-1"},
        {"safety_identifier": "u", "prompt_cache_key": "k", "prompt_cache_retention": "24h"},
        {"promptPrefix": "p", "resendFiles": True, "modelLabel": "m", "maxContextTokens": 9},
    ],
    ids=str,
)
def test_what_asks_for_nothing_is_left_out(params):
    assert fields_of(params) == {}


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": True}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"seed": 1}, "seed"),
        ({"frequency_penalty": 0.1}, "frequency_penalty"),
        ({"presence_penalty": -1}, "presence_penalty"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"prediction": {}}, "prediction"),
        ({"verbosity": "low"}, "verbosity"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"web_search": True}, "web_search"),
        ({"system": "s"}, "system"),
        ({"modelId": "m"}, "modelId"),
        ({"toolConfig": {}}, "toolConfig"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": True}, "top_p"),
        ({"stop": 1}, "stop"),
        ({"stop": [1]}, "stop"),
        ({"max_tokens": 0.5}, "max_tokens"),
        ({"inferenceConfig": 1}, "inferenceConfig"),
        ({"inferenceConfig": {"maxTokens": "5"}}, "max_tokens"),
        ({"additionalModelRequestFields": []}, "additionalModelRequestFields"),
        ({"metadata": "m"}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"service_tier": 1}, "service_tier"),
    ],
    ids=str,
)
def test_what_cannot_be_expressed_is_named(params, param):
    with pytest.raises(InvalidBodyError) as caught:
        fields_of(params)
    assert caught.value.param == param


def test_librechats_settings_for_other_apis_are_left_out_for_its_interface():
    assert fields_of({"frequency_penalty": 1, "verbosity": "low", "system": "s"}, ui=True) == {}
