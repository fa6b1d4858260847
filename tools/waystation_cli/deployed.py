"""The configuration of a deployed gateway, as far as the command line shows by it."""

import asyncio
import os
from pathlib import Path

from waystation.aws.parameters import SsmParameters
from waystation.config.schema_currency import Currency
from waystation.config.snapshot import ConfigRejectedError, ConfigSnapshot, build_snapshot
from waystation.config.sources import (
    ConfigSource,
    ConfigSourceError,
    FileLocation,
    FileSource,
    S3Location,
    S3Source,
    SsmSource,
    parse_config_uri,
)
from waystation_cli.console import error_console
from waystation_cli.stack import clients_for, config_uri_of


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
        fetched = asyncio.run(_source(uri).fetch(None))
        return build_snapshot(fetched.document) if fetched else None
    except (ConfigSourceError, ConfigRejectedError, ValueError) as error:
        error_console.print(f"warning: {uri}: {error}; amounts are shown in USD alone")
        return None


def _source(uri: str) -> ConfigSource:
    match parse_config_uri(uri):
        case S3Location(bucket=bucket, key=key):
            return S3Source(clients_for("s3").bucket(bucket), bucket, key)
        case FileLocation(path=path):
            return FileSource(Path(path))
        case location:
            return SsmSource(SsmParameters(clients_for("ssm").service("ssm")), location.name)
