"""What each function may do in AWS, read from template.yaml, and told in docs/security.md."""

import json

import pytest

from tests.support.template import FUNCTIONS, RESOURCES, TEMPLATE, actions, statements

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
        statement["Resource"]["Fn::GetAtt"].removesuffix(".Arn"): actions([statement])
        for statement in statements(policy["PolicyDocument"])
    }
    assert permissions == ROLES[role]
    assert properties["ManagedPolicyArns"] == SHARED_POLICIES[role]


@pytest.mark.parametrize("name", SHARED_ACTIONS)
def test_shared_policy_takes_no_more_than_it_says(name):
    document = RESOURCES[name]["Properties"]["PolicyDocument"]
    assert actions(statements(document)) == SHARED_ACTIONS[name]


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
        for statement in statements(document)
    ]
    secrets, models = [resource for resource in resources if "*" in resource]
    assert "parameter${Prefix}/*" in secrets
    assert all(":bedrock:*:" in arn["Fn::Sub"] for arn in json.loads(models))
