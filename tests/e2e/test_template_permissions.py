"""What each function may do in AWS, read from template.yaml, and told in docs/security.md."""

import json
import re
from typing import Any

import pytest

from tests.support.template import (
    FUNCTIONS,
    RESOURCES,
    ROOT,
    TEMPLATE,
    actions,
    statements,
    statements_of,
)

ROLES = ["ChatRole", "TitleRole", "ModelsRole", "AccountRole", "UpkeepRole"]
WRITTEN = {"ModelsRole": ["PRICES#*"], "AccountRole": ["U#*"]}
READ_IN_INDEX = {"UpkeepRole": ["OPEN#*"], "AccountRole": ["MONTH#*"]}
INDEX = {"Fn::Sub": "${Table.Arn}/index/GSI1"}
MAY_CALL_BEDROCK = {
    "Fn::If": ["MayCallBedrock", {"Ref": "CallBedrockPolicy"}, {"Ref": "AWS::NoValue"}]
}
SHARED_POLICIES = ["ReadConfigPolicy", "CallBedrockPolicy"]
ROW = re.compile(r"^\| ([a-z, ]+) \| (`[a-z0-9]+:.*`) \| (`.*`) \| .+ \|$", re.MULTILINE)


def test_every_function_has_a_role_and_logs_of_its_own():
    roles = [function["Role"]["Fn::GetAtt"] for function in FUNCTIONS.values()]
    logs = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in FUNCTIONS.values()]
    assert sorted(roles) == sorted(f"{role}.Arn" for role in ROLES)
    assert len(set(logs)) == len(FUNCTIONS)
    assert all("RetentionInDays" in RESOURCES[group]["Properties"] for group in logs)


def test_page_lists_what_each_function_may_do_and_nothing_else():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    told = [
        (function, action, frozenset(_code(places)))
        for functions, allowed, places in ROW.findall(page)
        for function in functions.split(", ")
        for action in _code(allowed)
    ]
    allowed = [
        (_names([role])[0], action, _places(statement))
        for role in ROLES
        for statement in statements_of(role)
        for action in actions([statement])
    ]
    assert len(told) == len(set(told))
    assert set(told) == set(allowed)


@pytest.mark.parametrize("role", ROLES)
def test_function_writes_no_item_but_those_of_its_kind(role):
    for statement in statements_of(role):
        writes = {action for action in actions([statement]) if action.startswith("dynamodb:")}
        if writes - {"dynamodb:GetItem"}:
            kinds = WRITTEN.get(role, ["U#*", "A#*"])
            if writes == {"dynamodb:Query"}:
                is_index = statement["Resource"] == INDEX
                kinds = READ_IN_INDEX[role] if is_index else ["U#*", "A#*"]
            assert statement["Condition"] == {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": kinds}
            }


def test_no_statement_is_conditional_but_on_the_kind_of_item():
    """What the page does not tell is not in the template."""
    documents = [*(RESOURCES[name]["Properties"]["PolicyDocument"] for name in SHARED_POLICIES)]
    kinds = {"Effect", "Action", "Resource"}
    assert all(set(one) == kinds for document in documents for one in statements(document))
    for role in ROLES:
        for statement in statements_of(role):
            on_table = statement["Resource"] in ({"Fn::GetAtt": "Table.Arn"}, INDEX)
            assert set(statement) - kinds <= ({"Condition"} if on_table else set())
            assert statement["Effect"] == "Allow"


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


def test_shared_policies_are_shared_as_they_are_meant_to_be():
    reads, calls = {"Ref": "ReadConfigPolicy"}, MAY_CALL_BEDROCK
    attached = {role: RESOURCES[role]["Properties"].get("ManagedPolicyArns") for role in ROLES}
    assert attached == {
        "ChatRole": [reads, calls],
        "TitleRole": [reads, calls],
        "ModelsRole": [reads],
        "AccountRole": [reads],
        "UpkeepRole": None,
    }


def test_no_permission_is_for_every_resource():
    every = {json.dumps(one["Resource"]) for role in ROLES for one in statements_of(role)}
    models, secrets = sorted(resource for resource in every if "*" in resource)
    assert "parameter${Prefix}/*" in secrets
    assert all(":bedrock:*:" in arn["Fn::Sub"] for arn in json.loads(models))


def _names(roles: list[str]) -> list[str]:
    return [role.removesuffix("Role").lower() for role in roles]


def _code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _places(statement: dict[str, Any]) -> frozenset[str]:
    """Return what a statement is about: names of the template, else the ends of ARNs; kinds."""
    condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    kinds = condition.get("dynamodb:LeadingKeys", [])
    resource = json.dumps(statement["Resource"])
    named = set(re.findall(r"\w+", resource)) & {*RESOURCES, *TEMPLATE["Parameters"]}
    ends = {arn["Fn::Sub"].rpartition(":")[2] for arn in statement["Resource"]} if not named else ()
    return frozenset({*named, *ends, *kinds})
