"""The other fields of a chat, in the API's own."""

import pytest

from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.fields import build_fields

SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": SCHEMA}}


def built(ui: bool = False, **fields: object) -> dict[str, object]:
    body = build_fields(fields, user_id="alice", ui_defaults=ui)
    assert body.pop("metadata") == {"user_id": "alice"}
    return body


FIELDS = {
    "sampling": ({"temperature": 0, "top_p": 0.1, "top_k": 3}, "same"),
    "a stop": ({"stop_sequences": "A"}, {"stop_sequences": ["A"]}),
    "stops": ({"stop_sequences": ["A", "B"]}, "same"),
    "no stops": ({"stop_sequences": []}, "same"),
    "fields of the API's own": (
        {"service_tier": "auto", "container": "c", "speed": "fast"},
        "same",
    ),
    "the usual tier": ({"service_tier": "default"}, {"service_tier": "standard_only"}),
    "fields of nobody's": ({"odd": {"a": None}}, "same"),
    "text": ({"response_format": {"type": "text"}}, {}),
    "a schema": (
        {"response_format": FORMAT},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    ),
    "a schema beside an effort": (
        {"response_format": FORMAT, "output_config": {"effort": "low"}},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"}},
    ),
    "what asks for nothing": (
        {
            "n": 1,
            "logprobs": False,
            "top_logprobs": 0,
            "logit_bias": {},
            "frequency_penalty": 0.0,
            "presence_penalty": 0,
            "modalities": ["text"],
            "store": False,
            "verbosity": "medium",
        },
        {},
    ),
    "what changes no answer": (
        {
            "user": "u",
            "safety_identifier": "s",
            "stream_options": {"include_usage": True},
            "prompt_cache_key": "k",
            "prompt_cache_retention": "24h",
        },
        {},
    ),
}


@pytest.mark.parametrize(("fields", "body"), FIELDS.values(), ids=FIELDS)
def test_fields(fields, body):
    assert built(**fields) == (fields if body == "same" else body)


IMPOSSIBLE = {
    "n": 2,
    "logprobs": True,
    "top_logprobs": 3,
    "logit_bias": {"1": 5},
    "frequency_penalty": 0.5,
    "presence_penalty": -1,
    "seed": 0,
    "modalities": ["text", "audio"],
    "audio": {},
    "prediction": {},
    "store": True,
    "verbosity": "low",
    "system": "S",
}


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE.items())
def test_what_the_api_cannot_do_is_refused(name, value):
    with pytest.raises(InvalidBodyError, match="cannot be expressed in Anthropic's") as caught:
        built(**{name: value})
    assert caught.value.param == name


@pytest.mark.parametrize(("name", "value"), [("n", True), ("logprobs", 0), ("n", "1")])
def test_values_of_other_types_ask_for_something_else(name, value):
    with pytest.raises(InvalidBodyError):
        built(**{name: value})


def test_librechats_settings_for_other_apis_are_left_out_for_its_interface():
    foreign = {"frequency_penalty": 0.5, "presence_penalty": 1, "verbosity": "low"}
    assert built(ui=True, **foreign) == {}
    with pytest.raises(InvalidBodyError):
        built(ui=True, seed=1)


WRONG = {
    "an object of any form": ({"type": "json_object"}, "response_format.type"),
    "no type": ({}, "response_format.type"),
    "no format": ("json", "response_format"),
    "no schema": ({"type": "json_schema"}, "response_format.json_schema"),
    "a schema that is none": (
        {"type": "json_schema", "json_schema": {"schema": []}},
        "response_format.json_schema.schema",
    ),
}


@pytest.mark.parametrize(("value", "param"), WRONG.values(), ids=WRONG)
def test_wrong_formats_are_named(value, param):
    with pytest.raises(InvalidBodyError) as caught:
        built(response_format=value)
    assert caught.value.param == param


def test_the_user_is_named_where_the_api_looks_for_it():
    given = {"metadata": {"user_id": "mallory", "trace": "t"}}
    body = build_fields(given, user_id="alice", ui_defaults=False)
    assert body["metadata"] == {"user_id": "alice", "trace": "t"}


def test_metadata_is_an_object():
    with pytest.raises(InvalidBodyError) as caught:
        build_fields({"metadata": "m"}, user_id="alice", ui_defaults=False)
    assert caught.value.param == "metadata"
