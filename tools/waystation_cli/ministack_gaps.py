"""Makes up for what MiniStack 1.5 leaves undone of this stack. AWS needs none of it.

Each function can go once the deployment tests pass without it.
"""

import json
from collections.abc import Mapping
from typing import Any

from waystation_cli.ministack import MiniStack

SECRETS_POLICY = "secret-batches"

_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_RESPONSES = "x-amazon-apigateway-gateway-responses"


def complete(aws: MiniStack, stack_name: str) -> None:
    """Make up for all of it in a deployed stack."""
    cloudformation = aws.session().client("cloudformation", endpoint_url=aws.url)
    found = cloudformation.describe_stack_resource(
        StackName=stack_name, LogicalResourceId="ConfigBucket"
    )
    complete_api(aws, stack_name)
    allow_secret_batches(aws, stack_name)
    open_config_bucket(aws, found["StackResourceDetail"]["PhysicalResourceId"])


def complete_api(aws: MiniStack, stack_name: str) -> None:
    """Put the `any` methods and the gateway responses, which the emulator's import passes over."""
    cloudformation = aws.session().client("cloudformation", endpoint_url=aws.url)
    apigateway = aws.session().client("apigateway", endpoint_url=aws.url)
    answer = cloudformation.get_template(StackName=stack_name, TemplateStage="Processed")
    text = answer["TemplateBody"]
    template = json.loads(text) if isinstance(text, str) else text
    body = template["Resources"]["Api"]["Properties"]["Body"]
    found = cloudformation.describe_stack_resource(StackName=stack_name, LogicalResourceId="Api")
    api_id = found["StackResourceDetail"]["PhysicalResourceId"]
    for response_type, response in body[_RESPONSES].items():
        parameters = _unconditional(response["responseParameters"])
        apigateway.put_gateway_response(
            restApiId=api_id,
            responseType=response_type,
            **response | {"responseParameters": parameters},
        )
    resources = apigateway.get_resources(restApiId=api_id, limit=500)["items"]
    ids = {resource["path"]: resource["id"] for resource in resources}
    for path, uri in _any_methods(body["paths"]).items():
        twin, verb = _imported_method(body["paths"], uri)
        imported = apigateway.get_integration(
            restApiId=api_id, resourceId=ids[twin], httpMethod=verb.upper()
        )
        method = {"restApiId": api_id, "resourceId": ids[path], "httpMethod": "ANY"}
        apigateway.put_method(**method, authorizationType="NONE")
        apigateway.put_integration(
            **method, type="AWS_PROXY", integrationHttpMethod="POST", uri=imported["uri"]
        )
    apigateway.create_deployment(restApiId=api_id, stageName="prod")


def open_config_bucket(aws: MiniStack, bucket: str) -> None:
    """Drop the bucket's TLS-only rule: the emulator speaks plain HTTP."""
    aws.session().client("s3", endpoint_url=aws.url).delete_bucket_policy(Bucket=bucket)


def allow_secret_batches(aws: MiniStack, stack_name: str) -> None:
    """Allow `GetParameters` on all: the emulator passes over the names a call asks for."""
    cloudformation = aws.session().client("cloudformation", endpoint_url=aws.url)
    iam = aws.session().client("iam", endpoint_url=aws.url)
    statement = {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    found = cloudformation.describe_stack_resources(StackName=stack_name)["StackResources"]
    for resource in found:
        if resource["ResourceType"] == "AWS::IAM::Role":
            iam.put_role_policy(
                RoleName=resource["PhysicalResourceId"],
                PolicyName=SECRETS_POLICY,
                PolicyDocument=document,
            )


def _unconditional(parameters: Mapping[str, object]) -> dict[str, str]:
    """Return the headers that do not hang on a parameter of the stack."""
    return {name: value for name, value in parameters.items() if isinstance(value, str)}


def _any_methods(paths: Mapping[str, Any]) -> dict[str, object]:
    """Return the function's URI, as the template writes it, by path."""
    return {path: item[_ANY][_INTEGRATION]["uri"] for path, item in paths.items() if _ANY in item}


def _imported_method(paths: Mapping[str, Any], uri: object) -> tuple[str, str]:
    """Return path and verb of another method of the same function."""
    return next(
        (path, verb)
        for path, item in paths.items()
        for verb, operation in item.items()
        if verb != _ANY and operation[_INTEGRATION]["uri"] == uri
    )
