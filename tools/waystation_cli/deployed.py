"""The configuration of a deployed gateway, as far as the command line shows by it."""

import os
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from waystation.config.schema_currency import Currency
from waystation.config.snapshot import ConfigRejectedError, ConfigSnapshot, build_snapshot
from waystation.config.sources import FileLocation, S3Location, parse_config_uri
from waystation_cli.console import error_console
from waystation_cli.stack import config_uri_of, ssm_client


def currency_of(stack: str | None, config_uri: str | None) -> Currency | None:
    """Return what the deployed file shows amounts in beside USD."""
    snapshot = snapshot_of(stack, config_uri)
    return None if snapshot is None else snapshot.currency


def snapshot_of(stack: str | None, config_uri: str | None) -> ConfigSnapshot | None:
    """Return the deployed configuration.

    None without a place to look for it; and, with a warning, if it cannot be read.
    """
    if not (stack or config_uri or os.environ.get("CONFIG_URI")):
        return None
    uri = config_uri_of(stack, config_uri)
    try:
        return build_snapshot(_read(uri))
    except (ClientError, OSError, ConfigRejectedError, ValueError) as error:
        error_console.print(f"warning: {uri}: {error}; amounts are shown in USD alone")
        return None


def _read(uri: str) -> bytes:
    match parse_config_uri(uri):
        case S3Location(bucket=bucket, key=key):
            return boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        case FileLocation(path=path):
            return Path(path).read_bytes()
        case location:
            found = ssm_client().get_parameter(Name=location.name, WithDecryption=True)
            return found["Parameter"]["Value"].encode()
