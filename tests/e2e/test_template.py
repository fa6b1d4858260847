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

from waystation.settings import ENVIRONMENT_NAMES

ROOT = Path(__file__).parents[2]

ROLE_ACTIONS = {
    "ChatRole": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "kms:Decrypt",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "bedrock:InvokeModel",
        "bedrock:InvokeModelWithResponseStream",
    },
    "ModelsRole": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "kms:Decrypt",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    },
    "AccountRole": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:DeleteItem",
        "dynamodb:Query",
        "kms:Encrypt",
        "kms:Decrypt",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    },
}
SHARED_ACTIONS = {"s3:GetObject", "ssm:GetParameter", "ssm:GetParameters", "kms:Decrypt"}


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
    assert {*everywhere, *own} == ENVIRONMENT_NAMES


def test_every_function_has_the_layer():
    assert TEMPLATE["Globals"]["Function"]["Layers"] == [{"Ref": "SharedLayer"}]
    assert [name for name, function in FUNCTIONS.items() if "Layers" in function] == []


def test_every_function_has_a_role_and_logs_of_its_own():
    roles = [function["Role"]["Fn::GetAtt"] for function in FUNCTIONS.values()]
    logs = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in FUNCTIONS.values()]
    assert sorted(roles) == sorted(f"{role}.Arn" for role in ROLE_ACTIONS)
    assert len(set(logs)) == len(FUNCTIONS)
    assert all("RetentionInDays" in RESOURCES[group]["Properties"] for group in logs)


@pytest.mark.parametrize("role", ROLE_ACTIONS)
def test_role_may_do_only_what_its_function_needs(role):
    properties = RESOURCES[role]["Properties"]
    statements = [
        statement
        for policy in properties["Policies"]
        for statement in _statements(policy["PolicyDocument"])
    ]
    assert _actions(statements) == ROLE_ACTIONS[role]
    assert properties["ManagedPolicyArns"] == [{"Ref": "ReadConfigPolicy"}]


def test_reading_the_configuration_takes_no_more_than_reading():
    document = RESOURCES["ReadConfigPolicy"]["Properties"]["PolicyDocument"]
    assert _actions(_statements(document)) == SHARED_ACTIONS


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


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        (role, {"kms:Decrypt"} | ({"kms:Encrypt"} if role == "AccountRole" else set()))
        for role in ("AccountRole", "ChatRole", "ModelsRole", "TitleRole")
        if role in RESOURCES
    ],
)
def test_key_of_users_keys_is_used_as_far_as_a_function_needs_it(role, actions):
    (policy,) = RESOURCES[role]["Properties"]["Policies"]
    (statement,) = (
        statement
        for statement in _statements(policy["PolicyDocument"])
        if statement["Resource"] == {"Fn::GetAtt": "UserKeysKey.Arn"}
    )
    assert _actions([statement]) == actions
    assert RESOURCES["UserKeysKey"]["Properties"]["EnableKeyRotation"] is True


def test_bedrock_may_be_called_only_where_the_operator_says_so():
    (policy,) = RESOURCES["ChatRole"]["Properties"]["Policies"]
    (condition,) = (
        statement["Fn::If"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "bedrock" in json.dumps(statement)
    )
    assert condition[0] == "MayCallBedrock"
    assert condition[2] == {"Ref": "AWS::NoValue"}
    assert TEMPLATE["Conditions"]["MayCallBedrock"] == {
        "Fn::Equals": [{"Ref": "BedrockAccess"}, "true"]
    }
    assert TEMPLATE["Parameters"]["BedrockAccess"]["Default"] == "false"


def test_no_permission_is_for_every_resource():
    documents = [RESOURCES["ReadConfigPolicy"]["Properties"]["PolicyDocument"]]
    documents += [
        policy["PolicyDocument"]
        for role in ROLE_ACTIONS
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
    events = [
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for function in FUNCTIONS.values()
        for event in function["Events"].values()
    ]
    assert sorted(events) == [
        ("any", "/{proxy+}"),
        ("delete", "/api/keys"),
        ("delete", "/api/keys/{name+}"),
        ("delete", "/v1/keys/{endpoint+}"),
        ("get", "/api/endpoints"),
        ("get", "/api/endpoints/token-config"),
        ("get", "/api/keys"),
        ("get", "/api/models"),
        ("get", "/healthz"),
        ("get", "/v1/keys/{endpoint+}"),
        ("get", "/v1/models"),
        ("get", "/v1/models/{id+}"),
        ("post", "/v1/chat/completions"),
        ("post", "/v1/messages"),
        ("post", "/v1/messages/count_tokens"),
        ("put", "/api/keys"),
        ("put", "/v1/keys/{endpoint+}"),
    ]


@pytest.mark.parametrize("name", ["Table", "UserKeysKey", "ConfigBucket", "ConfigBucketPolicy"])
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
