"""template.yaml, read as CloudFormation reads it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


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
# The routes that the API's definition sends to the chat function by itself.
STREAMING = {
    (method, path): operation["x-amazon-apigateway-integration"]
    for path, operations in API["DefinitionBody"]["paths"].items()
    for method, operation in operations.items()
    if "x-amazon-apigateway-integration" in operation
}
EVENTS = [
    (event["Properties"]["Method"], event["Properties"]["Path"])
    for function in FUNCTIONS.values()
    for event in function.get("Events", {}).values()
    if event["Type"] == "Api"
] + list(STREAMING)
NOTHING = {"Ref": "AWS::NoValue"}


def statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the statements, of conditional ones all that may come to be."""
    for statement in document["Statement"]:
        choices = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
        yield from (choice for choice in choices if "Action" in choice)


def statements_of(role: str) -> Iterator[dict[str, Any]]:
    """Yield all statements of a role, those of the policies that it may share included."""
    properties = RESOURCES[role]["Properties"]
    for policy in properties["Policies"]:
        yield from statements(policy["PolicyDocument"])
    for shared in properties.get("ManagedPolicyArns", []):
        name = (shared["Fn::If"][1] if "Fn::If" in shared else shared)["Ref"]
        yield from statements(RESOURCES[name]["Properties"]["PolicyDocument"])


def actions(statements: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> set[str]:
    actions = [statement["Action"] for statement in statements]
    return {name for a in actions for name in ([a] if isinstance(a, str) else a)}
