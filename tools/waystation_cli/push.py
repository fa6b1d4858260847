"""`waystation push`: a checked file, to where the functions read it."""

from pathlib import Path
from typing import Annotated, Literal

import boto3
import typer

from waystation.config.snapshot import inspect
from waystation.config.sources import (
    S3Location,
    SsmLocation,
    check_ssm_size,
    parse_config_uri,
)
from waystation_cli.console import fail
from waystation_cli.stack import (
    ConfigUriOption,
    StackOption,
    aws_errors,
    config_uri_of,
    ssm_client,
)
from waystation_cli.validate import print_findings, read_document


def push(
    file: Annotated[Path, typer.Argument(help="Your librechat.yaml.")],
    stack: StackOption = None,
    config_uri: ConfigUriOption = None,
    advanced: Annotated[
        bool, typer.Option(help="Use SSM's Advanced tier, which holds 8 KB and costs money.")
    ] = False,
) -> None:
    """Validate a file and put it where the functions read it; live within a minute."""
    document = read_document(file)
    findings = inspect(document)
    print_findings(file, findings)
    if findings.errors:
        fail("not pushed: mend the errors first")
    uri = config_uri_of(stack, config_uri)
    try:
        location = parse_config_uri(uri)
    except ValueError as error:
        fail(f"{uri}: {error}")
    with aws_errors():
        match location:
            case S3Location(bucket=bucket, key=key):
                boto3.client("s3").put_object(
                    Bucket=bucket, Key=key, Body=document, ContentType="application/yaml"
                )
            case SsmLocation(name=name):
                _put_parameter(name, document, is_advanced=advanced)
            case _:
                fail("a file: URI is read where it is; there is nothing to push")
    print(f"Pushed to {uri}.")


def _put_parameter(name: str, document: bytes, *, is_advanced: bool) -> None:
    tier: Literal["Standard", "Advanced"] = "Advanced" if is_advanced else "Standard"
    try:
        check_ssm_size(document, tier)
        text = document.decode("utf-8-sig")
    except ValueError as error:
        fail(str(error))
    ssm_client().put_parameter(Name=name, Value=text, Type="String", Tier=tier, Overwrite=True)
