"""Where a deployed gateway keeps its things: from the outputs of its stack, or from options."""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from waystation.aws.clients import AwsClients
from waystation.aws.dynamo_table import DynamoTable
from waystation.aws.table import TableError
from waystation.wire.upstream_request import AwsCredentials
from waystation_cli.console import fail

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

StackOption = Annotated[
    str | None, typer.Option("--stack", help="Name of the stack that `sam deploy` made.")
]
TableOption = Annotated[str | None, typer.Option("--table", help="Name of the table.")]
PrefixOption = Annotated[str | None, typer.Option("--prefix", help="SSM path of the secrets.")]
ConfigUriOption = Annotated[
    str | None, typer.Option("--config-uri", help="s3://bucket/key or ssm:/name.")
]


@contextmanager
def aws_errors() -> Iterator[None]:
    """End with a message, not a trace, when AWS refuses or cannot be reached."""
    try:
        yield
    except ClientError as error:
        details = error.response["Error"]
        fail(f"AWS refused {error.operation_name}: {details['Code']}: {details.get('Message')}")
    except (BotoCoreError, TableError) as error:
        fail(str(error))


def table_of(stack: str | None, table: str | None) -> DynamoTable:
    """Return the table that is meant."""
    name = _pick(table, "TABLE_NAME", stack, "TableName", "--table")
    return DynamoTable(clients_for("dynamodb").service("dynamodb"), name)


def clients_for(
    service: Literal["dynamodb", "s3", "ssm"],
    session: boto3.session.Session | None = None,
    url: str | None = None,
) -> AwsClients:
    """Return what calls a service as the functions do, where and as whom boto3 would."""
    session = session or boto3.session.Session()
    meta = session.client(service, endpoint_url=url).meta
    place = {"AWS_REGION": meta.region_name, "AWS_ENDPOINT_URL": meta.endpoint_url}
    return AwsClients(place, credentials=_OperatorsCredentials(session))


class _OperatorsCredentials:
    """What boto3 finds on the operator's machine: profiles, single sign-on, the environment."""

    def __init__(self, session: boto3.session.Session) -> None:
        self._session = session

    async def current(self) -> AwsCredentials:
        found = self._session.get_credentials()
        frozen = found.get_frozen_credentials() if found else None
        if frozen is None or not (frozen.access_key and frozen.secret_key):
            raise NoCredentialsError
        return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token)


def prefix_of(stack: str | None, prefix: str | None) -> str:
    """Return the SSM path that is meant, without a slash at its end."""
    return _pick(prefix, "SECRETS_PREFIX", stack, "SecretsPrefix", "--prefix").rstrip("/")


def config_uri_of(stack: str | None, uri: str | None) -> str:
    """Return the place of the configuration that is meant."""
    return _pick(uri, "CONFIG_URI", stack, "ConfigUri", "--config-uri")


def ssm_client() -> "SSMClient":
    """Return a client of SSM."""
    return boto3.client("ssm")


def _pick(given: str | None, variable: str, stack: str | None, output: str, option: str) -> str:
    if given:
        return given
    if stack:
        found = _outputs(stack).get(output)
        return found or fail(f"the stack {stack} has no output {output}")
    return os.environ.get(variable) or fail(f"say which: --stack NAME, {option}, or {variable}")


@functools.cache
def _outputs(stack: str) -> dict[str, str]:
    with aws_errors():
        answer = boto3.client("cloudformation").describe_stacks(StackName=stack)
    outputs = answer["Stacks"][0].get("Outputs", [])
    return {o["OutputKey"]: o["OutputValue"] for o in outputs}
