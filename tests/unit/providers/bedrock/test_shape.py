"""A whole Converse request: where it goes, and who decides what is in it."""

import pytest

from tests.support.converse_shaping import (
    CLAUDE,
    NOVA,
    SAID_HI,
    body_of,
    fields_of,
    model_fields_of,
    shape,
    tool,
)
from waystation.errors import EndpointMisconfiguredError, InvalidBodyError
from waystation.wire.upstream_request import AwsCredentials


def test_the_least_request():
    shaped = shape()
    assert shaped.model == NOVA
    assert shaped.request.url == "bedrock:eu-west-1/converse"
    assert shaped.request.via == "bedrock"
    assert (shaped.request.headers, shaped.request.aws) == ((), None)
    assert body_of() == {"modelId": NOVA, "messages": SAID_HI}


def test_streams_are_another_operation():
    assert shape(is_stream=True).request.url == "bedrock:eu-west-1/converse-stream"
    asked_whole = shape({"disableStreaming": True}, is_stream=True)
    assert asked_whole.request.url == "bedrock:eu-west-1/converse"


def test_credentials_travel_unseen():
    credentials = AwsCredentials("the-key-id", "the-secret", "the-token")
    request = shape(aws=credentials).request
    assert request.aws is credentials
    assert "the-" not in f"{request!r} {credentials!r}"


@pytest.mark.parametrize(
    "base_url", ["bedrock:", "bedrock:evil.test/", "bedrock:x@y", "bedrock:EU-WEST-1", "https://x"]
)
def test_a_url_without_a_region_is_a_mistake_of_the_entry(base_url):
    with pytest.raises(EndpointMisconfiguredError):
        shape(base_url=base_url)


def test_the_region_is_for_the_operator_to_say():
    shaped = shape({"region": "x"}, addParams={"region": "us-gov-west-1"})
    assert shaped.request.url == "bedrock:us-gov-west-1/converse"
    with pytest.raises(InvalidBodyError) as caught:
        shape(addParams={"region": "evil.test/"})
    assert caught.value.param == "region"


def test_order_of_client_definitions_and_added_parameters():
    entry = {
        "customParams": {
            "defaultParamsEndpoint": "bedrock-anthropic",
            "paramDefinitions": [
                {"key": "temperature", "default": 0.1},
                {"key": "topP", "default": 0.2},
                {"key": "topK", "default": 7},
            ],
        },
        "addParams": {"topP": 0.3, "my_field": True},
    }
    assert fields_of({"temperature": 0.5, "top_p": 0.6}, model=CLAUDE, **entry) == {
        "inferenceConfig": {"temperature": 0.5, "topP": 0.3},
        "additionalModelRequestFields": {
            "top_k": 7,
            "my_field": True,
            "anthropic_beta": model_fields_of(model=CLAUDE)["anthropic_beta"],
        },
    }


def test_added_objects_of_the_api_are_opened():
    added = {
        "inferenceConfig": {"maxTokens": 7},
        "additionalModelRequestFields": {"k": 1},
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    }
    client = {"max_tokens": 9, "guardrailConfig": {"guardrailIdentifier": "mine"}}
    assert fields_of(client, addParams=added) == added


def test_added_thinking_is_as_the_operator_wrote_it():
    own = {"type": "enabled", "budget_tokens": 1}
    added = {"additionalModelRequestFields": {"thinking": own}}
    fields = model_fields_of({"thinking": False}, model=CLAUDE, addParams=added)
    assert fields["thinking"] == own


def test_added_instructions_and_tools():
    spec = {"tools": [{"toolSpec": {"name": "own"}}]}
    assert fields_of({"tools": [tool()]}, addParams={"system": "S", "toolConfig": spec}) == {
        "system": [{"text": "S"}],
        "toolConfig": spec,
    }
    own = fields_of(addParams={"tools": [tool()], "tool_choice": "required"})
    assert own["toolConfig"]["toolChoice"] == {"any": {}}


def test_an_added_model_is_what_the_upstream_calls_it():
    profile = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc"
    shaped = shape({"thinking": True}, model=CLAUDE, addParams={"model": profile})
    assert shaped.model == profile
    body = body_of({"thinking": True}, model=CLAUDE, addParams={"model": profile})
    assert body["modelId"] == profile
    assert body["additionalModelRequestFields"]["thinking"]["type"] == "enabled"


@pytest.mark.parametrize("added", [{"model": 5}, {"max_tokens": "5"}], ids=str)
def test_added_parameters_of_the_wrong_type_are_refused(added):
    with pytest.raises(InvalidBodyError) as caught:
        shape(addParams=added)
    assert caught.value.param in added


@pytest.mark.parametrize(
    ("dropped", "params"),
    [
        ("max_tokens", {"maxTokens": 5}),
        ("maxTokens", {"inferenceConfig": {"maxTokens": 5}}),
        ("top_k", {"additionalModelRequestFields": {"top_k": 5}}),
        ("topK", {"top_k": 5}),
        ("stop", {"stopSequences": ["A"]}),
        ("tools", {"tools": [tool()], "functions": [{"name": "f"}]}),
        ("guardrailConfig", {"guardrailConfig": {"trace": "enabled"}}),
        ("reasoning_effort", {"reasoning_config": "high"}),
        ("reasoning_effort", {"reasoning_effort": "high"}),
        ("metadata", {"metadata": {"a": "b"}}),
        ("web_search", {"web_search": True}),
        ("additionalModelRequestFields", {"my_field": 1}),
        ("inferenceConfig", {"max_tokens": 5}),
    ],
    ids=str,
)
def test_dropped_parameters_are_dropped_however_they_are_asked_for(dropped, params):
    assert fields_of(params, dropParams=[dropped]) == {}


def test_what_the_operator_drops_of_claudes_fields():
    dropped = ["thinking", "anthropic_beta"]
    assert fields_of({"thinking": True}, model=CLAUDE, dropParams=dropped) == {}


def test_an_added_effort_beats_a_clients():
    client = {"reasoning_config": "high"}
    added = {"reasoning_effort": "low"}
    model = "moonshot.kimi-k2-thinking"
    assert model_fields_of(client, model=model, addParams=added) == {"reasoning_config": "low"}
    own = {"reasoning_config": "medium"}
    fields = model_fields_of(added, model=model, addParams=own)
    assert fields == {"reasoning_config": "medium"}
