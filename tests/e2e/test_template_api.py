"""The routes of the API, who may call them, and what API Gateway answers by itself."""

import json

import pytest

from tests.support.template import API, EVENTS, NOTHING, RESOURCES, STREAMING, TEMPLATE
from waystation.errors import InvalidApiKeyError

REF_MODES = {"Ref": "AuthModes"}


@pytest.mark.parametrize("name", RESOURCES["Api"]["Properties"]["GatewayResponses"])
def test_gateway_response_is_an_envelope(name):
    response = RESOURCES["Api"]["Properties"]["GatewayResponses"][name]
    body = json.loads(response["ResponseTemplates"]["application/json"])
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    assert body["error"]["message"]
    assert body["error"]["type"]
    assert response["ResponseParameters"]["Headers"]["x-request-id"] == "context.requestId"


def test_every_path_has_a_function():
    assert sorted(event for event in EVENTS if event[0] != "options") == [
        ("any", "/{proxy+}"),
        ("delete", "/api/keys"),
        ("delete", "/api/keys/{name+}"),
        ("delete", "/v1/keys/{endpoint+}"),
        ("get", "/api/convos/gen_title/{conversationId}"),
        ("get", "/api/endpoints"),
        ("get", "/api/endpoints/token-config"),
        ("get", "/api/keys"),
        ("get", "/api/models"),
        ("get", "/healthz"),
        ("get", "/v1/balance"),
        ("get", "/v1/keys/{endpoint+}"),
        ("get", "/v1/models"),
        ("get", "/v1/models/{id+}"),
        ("get", "/v1/titles/{conversationId}"),
        ("get", "/v1/usage"),
        ("post", "/v1/chat/completions"),
        ("post", "/v1/messages"),
        ("post", "/v1/messages/count_tokens"),
        ("post", "/v1/titles"),
        ("put", "/api/keys"),
        ("put", "/v1/keys/{endpoint+}"),
    ]


def test_browsers_may_ask_about_every_path():
    """What `/{proxy+}` serves gets every method; a path beside it only those it names."""
    paths = {path for _, path in EVENTS} - {"/{proxy+}"}
    asked = [path for method, path in EVENTS if method == "options"]
    assert sorted(asked) == sorted(paths)


def test_every_route_but_health_asks_the_authorizer():
    secured = [
        (method, path)
        for path, methods in API["DefinitionBody"]["paths"].items()
        for method, operation in methods.items()
        if operation["security"] == {"Fn::If": ["HasAuthorizer", [{"caller": []}], []]}
    ]
    open_to_all = {("get", "/healthz"), ("any", "/{proxy+}")}
    routes = {event for event in EVENTS if event[0] != "options"}
    assert sorted(secured) == sorted(routes - open_to_all)
    assert API["MergeDefinitions"] is True


LAMBDA = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path"


def test_all_of_the_chat_function_streams_or_nothing():
    """A function that streams answers every invocation in that form."""
    chat = "functions/${ChatFunction.Arn}"
    assert {path for _, path in STREAMING} == {
        "/v1/chat/completions",
        "/v1/messages",
        "/v1/messages/count_tokens",
    }
    for integration in STREAMING.values():
        assert integration == {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": {
                "Fn::If": [
                    "Streams",
                    {"Fn::Sub": f"{LAMBDA}/2021-11-15/{chat}/response-streaming-invocations"},
                    {"Fn::Sub": f"{LAMBDA}/2015-03-31/{chat}/invocations"},
                ]
            },
            "responseTransferMode": {"Fn::If": ["Streams", "STREAM", NOTHING]},
            "timeoutInMillis": {"Fn::If": ["Streams", 900_000, NOTHING]},
        }
    assert "Events" not in RESOURCES["ChatFunction"]["Properties"]
    assert API["AlwaysDeploy"] is True  # SAM does not see that a condition has changed
    assert TEMPLATE["Conditions"]["Streams"] == {"Fn::Equals": [{"Ref": "ResponseMode"}, "stream"]}
    assert TEMPLATE["Parameters"]["ResponseMode"]["AllowedValues"] == ["stream", "buffered"]


def test_api_may_invoke_the_chat_function_on_its_routes():
    permission = RESOURCES["AskChatPermission"]["Properties"]
    assert permission["FunctionName"] == {"Ref": "ChatFunction"}
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${Api}/*/POST/v1/*")


def test_authorizers_answers_are_kept_for_all_that_it_decides_by():
    components = API["DefinitionBody"]["components"]["Fn::If"]
    assert components[0] == "HasUserPool"
    assert components[2]["Fn::If"][0] == "HasAuthorizerFunction"
    schemes = components[2]["Fn::If"][1]["securitySchemes"]
    asked = schemes["caller"]["x-amazon-apigateway-authorizer"]
    assert asked["type"] == "request"
    assert asked["identitySource"] == {"Ref": "AuthorizerIdentitySource"}
    assert asked["authorizerResultTtlInSeconds"] == {"Ref": "AuthorizerTtl"}
    assert TEMPLATE["Parameters"]["AuthorizerTtl"]["MaxValue"] <= 300
    assert components[2]["Fn::If"][2] == NOTHING


def test_functions_believe_the_authorizer_only_where_there_is_one():
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["AUTH_MODES"] == {"Fn::If": ["HasAuthorizer", "authorizer", REF_MODES]}
    assert TEMPLATE["Parameters"]["AuthModes"]["AllowedValues"] == ["keys", "jwt", "keys,jwt"]
    both = [{"Condition": "HasUserPool"}, {"Condition": "HasAuthorizerFunction"}]
    assert TEMPLATE["Conditions"]["HasAuthorizer"] == {"Fn::Or": both}


@pytest.mark.parametrize("name", API["GatewayResponses"])
def test_gateway_response_is_readable_by_the_first_origin(name):
    headers = API["GatewayResponses"][name]["ResponseParameters"]["Headers"]
    condition, value, otherwise = headers["access-control-allow-origin"]["Fn::If"]
    assert (condition, otherwise) == ("HasOrigins", NOTHING)
    first = {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "CorsOrigins"}]}]}
    assert value == {"Fn::Sub": ["'${Origin}'", {"Origin": first}]}


def test_authorizers_refusal_is_the_functions_own():
    for name in ("UNAUTHORIZED", "EXPIRED_TOKEN"):
        response = API["GatewayResponses"][name]
        body = json.loads(response["ResponseTemplates"]["application/json"])
        assert (response["StatusCode"], body) == (401, InvalidApiKeyError().to_envelope())
