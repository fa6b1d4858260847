"""What template.yaml and the layer's build promise, read from the files themselves."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from waystation.errors import InvalidApiKeyError
from waystation.settings import ENVIRONMENT_NAMES
from waystation.titles.jobs import TITLE_S
from waystation.web.request import RESERVE_S

ROOT = Path(__file__).parents[2]

READS_CONFIG = {"Ref": "ReadConfigPolicy"}
MAY_CALL_BEDROCK = {
    "Fn::If": ["MayCallBedrock", {"Ref": "CallBedrockPolicy"}, {"Ref": "AWS::NoValue"}]
}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
ROLES: dict[str, dict[str, set[str]]] = {
    "ChatRole": {
        "Table": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "TitleFunction": {"lambda:InvokeFunction"},
        "UserKeysKey": {"kms:Decrypt"},
        "ChatLogs": LOGS,
    },
    "TitleRole": {
        "Table": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "TitleJobsNotRun": {"sqs:SendMessage"},
        "UserKeysKey": {"kms:Decrypt"},
        "TitleLogs": LOGS,
    },
    "ModelsRole": {
        "Table": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "UserKeysKey": {"kms:Decrypt"},
        "ModelsLogs": LOGS,
    },
    "AccountRole": {
        "Table": {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:DeleteItem",
            "dynamodb:Query",
        },
        "UserKeysKey": {"kms:Encrypt", "kms:Decrypt"},
        "AccountLogs": LOGS,
    },
}
SHARED_POLICIES = {
    "ChatRole": [READS_CONFIG, MAY_CALL_BEDROCK],
    "TitleRole": [READS_CONFIG, MAY_CALL_BEDROCK],
    "ModelsRole": [READS_CONFIG],
    "AccountRole": [READS_CONFIG],
}
SHARED_ACTIONS = {
    "ReadConfigPolicy": {"s3:GetObject", "ssm:GetParameter", "ssm:GetParameters", "kms:Decrypt"},
    "CallBedrockPolicy": {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"},
}
OWN_VARIABLES = {"ChatFunction": {"TITLE_FUNCTION": {"Ref": "TitleFunction"}}}


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as its long ones."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, object]:
    if isinstance(node, yaml.ScalarNode):
        value: object = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


_TemplateLoader.add_multi_constructor("!", _long_form)

TEMPLATE: dict[str, Any] = yaml.load(
    (ROOT / "template.yaml").read_text(encoding="utf-8"), _TemplateLoader
)
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function"
}
API: dict[str, Any] = RESOURCES["Api"]["Properties"]
EVENTS = [
    (event["Properties"]["Method"], event["Properties"]["Path"])
    for function in FUNCTIONS.values()
    for event in function["Events"].values()
]
NOTHING = {"Ref": "AWS::NoValue"}
REF_MODES = {"Ref": "AuthModes"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handler_exists(name):
    module, _, attribute = TEMPLATE["Globals"]["Function"]["Handler"].partition(".")
    path = ROOT / FUNCTIONS[name]["CodeUri"] / f"{module}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assigned = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    assert attribute in assigned


@pytest.mark.parametrize("name", FUNCTIONS)
def test_environment_is_what_the_settings_read(name):
    everywhere = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    own = FUNCTIONS[name].get("Environment", {}).get("Variables", {})
    of_some = {variable for variables in OWN_VARIABLES.values() for variable in variables}
    assert own == OWN_VARIABLES.get(name, {})
    assert {*everywhere} == ENVIRONMENT_NAMES - of_some


def test_every_function_has_the_layer():
    assert TEMPLATE["Globals"]["Function"]["Layers"] == [{"Ref": "SharedLayer"}]
    assert [name for name, function in FUNCTIONS.items() if "Layers" in function] == []


def test_every_function_has_a_role_and_logs_of_its_own():
    roles = [function["Role"]["Fn::GetAtt"] for function in FUNCTIONS.values()]
    logs = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in FUNCTIONS.values()]
    assert sorted(roles) == sorted(f"{role}.Arn" for role in ROLES)
    assert len(set(logs)) == len(FUNCTIONS)
    assert all("RetentionInDays" in RESOURCES[group]["Properties"] for group in logs)


@pytest.mark.parametrize("role", ROLES)
def test_role_may_do_only_what_its_function_needs(role):
    properties = RESOURCES[role]["Properties"]
    (policy,) = properties["Policies"]
    permissions = {
        statement["Resource"]["Fn::GetAtt"].removesuffix(".Arn"): _actions([statement])
        for statement in _statements(policy["PolicyDocument"])
    }
    assert permissions == ROLES[role]
    assert properties["ManagedPolicyArns"] == SHARED_POLICIES[role]


@pytest.mark.parametrize("name", SHARED_ACTIONS)
def test_shared_policy_takes_no_more_than_it_says(name):
    document = RESOURCES[name]["Properties"]["PolicyDocument"]
    assert _actions(_statements(document)) == SHARED_ACTIONS[name]


def test_key_may_be_used_only_where_there_is_one():
    document = RESOURCES["ReadConfigPolicy"]["Properties"]["PolicyDocument"]
    (condition,) = (
        statement["Fn::If"]
        for statement in document["Statement"]
        if "kms:Decrypt" in json.dumps(statement)
    )
    assert condition[0] == "SecretsHaveKey"
    assert condition[1]["Resource"] == {"Ref": "SecretsKeyArn"}
    assert condition[2] == {"Ref": "AWS::NoValue"}


def test_key_of_users_keys_is_replaced_every_year():
    assert RESOURCES["UserKeysKey"]["Properties"]["EnableKeyRotation"] is True


def test_bedrock_may_be_called_only_where_the_operator_says_so():
    assert RESOURCES["CallBedrockPolicy"]["Condition"] == "MayCallBedrock"
    assert TEMPLATE["Conditions"]["MayCallBedrock"] == {
        "Fn::Equals": [{"Ref": "BedrockAccess"}, "true"]
    }
    assert TEMPLATE["Parameters"]["BedrockAccess"]["Default"] == "false"


def test_no_permission_is_for_every_resource():
    documents = [RESOURCES[name]["Properties"]["PolicyDocument"] for name in SHARED_ACTIONS]
    documents += [
        policy["PolicyDocument"]
        for role in ROLES
        for policy in RESOURCES[role]["Properties"]["Policies"]
    ]
    resources = [
        json.dumps(statement["Resource"])
        for document in documents
        for statement in _statements(document)
    ]
    secrets, models = [resource for resource in resources if "*" in resource]
    assert "parameter${Prefix}/*" in secrets
    assert all(":bedrock:*:" in arn["Fn::Sub"] for arn in json.loads(models))


def test_layer_is_built_for_the_architecture_of_the_functions():
    makefile = (ROOT / "shared" / "Makefile").read_text(encoding="utf-8")
    default = re.search(r"^ARCH \?= (\S+)$", makefile, re.MULTILINE)
    assert default is not None
    assert default[1] == TEMPLATE["Parameters"]["Architecture"]["Default"]
    assert TEMPLATE["Globals"]["Function"]["Architectures"] == [{"Ref": "Architecture"}]


def test_layer_is_built_for_the_python_of_the_functions():
    makefile = (ROOT / "shared" / "Makefile").read_text(encoding="utf-8")
    target = re.search(r"^TARGET := (\S+)$", makefile, re.MULTILINE)
    assert target is not None
    assert TEMPLATE["Globals"]["Function"]["Runtime"] == f"python{target[1]}"


def test_lock_means_the_same_wherever_the_layer_is_built():
    """A marker is evaluated by the Python that builds, not by the one it builds for."""
    lock = (ROOT / "shared" / "requirements.txt").read_text(encoding="utf-8")
    lines = [line.rstrip("\\ ") for line in lock.splitlines() if line and line[0] not in " #"]
    target = _marker_environment("3.13", "linux")
    differing = [
        line
        for line in lines
        if (marker := Requirement(line).marker) is not None
        and {
            marker.evaluate(_marker_environment(version, platform))
            for version in ("3.11", "3.12", "3.13", "3.14")
            for platform in ("linux", "darwin", "win32")
        }
        != {marker.evaluate(target)}
    ]
    assert differing == []


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
        ("get", "/v1/keys/{endpoint+}"),
        ("get", "/v1/models"),
        ("get", "/v1/models/{id+}"),
        ("get", "/v1/titles/{conversationId}"),
        ("post", "/v1/chat/completions"),
        ("post", "/v1/messages"),
        ("post", "/v1/messages/count_tokens"),
        ("post", "/v1/titles"),
        ("put", "/api/keys"),
        ("put", "/v1/keys/{endpoint+}"),
    ]


def test_title_job_is_run_once_and_kept_encrypted_if_it_cannot_be_run():
    assert FUNCTIONS["TitleFunction"]["EventInvokeConfig"] == {
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 300,
        "DestinationConfig": {
            "OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": "TitleJobsNotRun.Arn"}}
        },
    }
    queue = RESOURCES["TitleJobsNotRun"]
    assert queue["Type"] == "AWS::SQS::Queue"
    assert queue["Properties"] == {
        "MessageRetentionPeriod": 4 * 24 * 3600,
        "SqsManagedSseEnabled": True,
    }


def test_title_function_has_the_time_that_a_job_may_take():
    assert FUNCTIONS["TitleFunction"]["Timeout"] >= TITLE_S + RESERVE_S


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
        if operation == {"security": {"Fn::If": ["HasAuthorizer", [{"caller": []}], NOTHING]}}
    ]
    open_to_all = {("get", "/healthz"), ("any", "/{proxy+}")}
    routes = {event for event in EVENTS if event[0] != "options"}
    assert sorted(secured) == sorted(routes - open_to_all)
    assert API["MergeDefinitions"] is True


def test_authorizers_answers_are_kept_for_all_that_it_decides_by():
    schemes = API["DefinitionBody"]["components"]["securitySchemes"]["Fn::If"]
    assert schemes[0] == "HasUserPool"
    assert schemes[2]["Fn::If"][0] == "HasAuthorizerFunction"
    asked = schemes[2]["Fn::If"][1]["caller"]["x-amazon-apigateway-authorizer"]
    assert asked["type"] == "request"
    assert asked["identitySource"] == {"Ref": "AuthorizerIdentitySource"}
    assert asked["authorizerResultTtlInSeconds"] == {"Ref": "AuthorizerTtl"}
    assert TEMPLATE["Parameters"]["AuthorizerTtl"]["MaxValue"] <= 300
    assert schemes[2]["Fn::If"][2] == NOTHING


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


@pytest.mark.parametrize("name", ["Table", "ConfigBucket", "ConfigBucketPolicy"])
def test_data_outlives_the_stack(name):
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def _statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the statements, of conditional ones all that may come to be."""
    for statement in document["Statement"]:
        choices = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
        yield from (choice for choice in choices if "Action" in choice)


def _actions(statements: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> set[str]:
    actions = [statement["Action"] for statement in statements]
    return {name for a in actions for name in ([a] if isinstance(a, str) else a)}


def _marker_environment(version: str, platform: str) -> dict[str, str]:
    return {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": platform,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[platform],
        "os_name": "nt" if platform == "win32" else "posix",
    }
