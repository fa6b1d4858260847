"""Where the operator's file comes from: S3, an SSM parameter, or this machine.

Fetches bytes and tells revisions apart; what the bytes mean, and how often to look, is decided
elsewhere. What asks AWS is passed in.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from waystation.aws.failures import AwsError
from waystation.aws.objects import ObjectStore, ObjectTooLargeError
from waystation.aws.parameters import Parameters

MAX_CONFIG_BYTES = 256 * 1024
SSM_LIMITS: dict[Literal["Standard", "Advanced"], int] = {"Standard": 4096, "Advanced": 8192}

_S3_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]+[a-z0-9])/(.+)")
_SSM_NAME = re.compile(r"/[A-Za-z0-9_./-]+")
_GONE = {
    "NoSuchBucket": "there is no such bucket",
    "NoSuchKey": "there is no such object",
    "ParameterNotFound": "there is no such parameter",
}
_TOO_LARGE = f"the file is larger than {MAX_CONFIG_BYTES // 1024} KiB"


class ConfigSourceError(Exception):
    """The store could not be read. The message is safe for the log."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document and the store's mark for this state of it."""

    document: bytes
    revision: str


class ConfigSource(Protocol):
    """A place that holds the configuration file."""

    async def fetch(self, known: str | None) -> Fetched | None:
        """Return the document, or None if its revision is still `known`.

        Raises:
            ConfigSourceError: the store cannot be read, or holds too much.

        """
        ...


@dataclass(frozen=True, slots=True)
class S3Location:
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class SsmLocation:
    name: str


@dataclass(frozen=True, slots=True)
class FileLocation:
    path: Path


Location: TypeAlias = S3Location | SsmLocation | FileLocation


def parse_config_uri(uri: str) -> Location:
    """Return what `s3://bucket/key`, `ssm:/name` or `file:path` names.

    Raises:
        ValueError: it is none of them.

    """
    s3 = _S3_URI.fullmatch(uri)
    if s3:
        return S3Location(bucket=s3[1], key=s3[2])
    scheme, _, rest = uri.partition(":")
    if scheme == "ssm" and _SSM_NAME.fullmatch(rest):
        return SsmLocation(rest)
    if scheme == "file" and rest:
        return FileLocation(Path(rest.removeprefix("//")))
    raise ValueError("expected s3://bucket/key, ssm:/name or file:path")


def check_ssm_size(document: bytes, tier: Literal["Standard", "Advanced"]) -> None:
    """Check that an SSM parameter of this tier can hold `document`.

    Raises:
        ValueError: it cannot; the message says what can.

    """
    limit = SSM_LIMITS[tier]
    if len(document) > limit:
        roomier = "the Advanced tier or S3" if len(document) <= SSM_LIMITS["Advanced"] else "S3"
        raise ValueError(
            f"{len(document)} bytes do not fit an SSM parameter of the {tier} tier, "
            f"which holds {limit}; use {roomier}"
        )


class FileSource:
    """A file on this machine; looking for a change costs one `stat`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self, known: str | None) -> Fetched | None:
        return self._read(known)

    def _read(self, known: str | None) -> Fetched | None:
        try:
            if _file_revision(self._path.stat()) == known:
                return None
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                _check_size(status.st_size)
                return Fetched(file.read(), _file_revision(status))
        except OSError as error:
            reason = error.strerror or "unknown reason"
            raise ConfigSourceError(f"cannot read {self._path}: {reason}") from error


class S3Source:
    """An object in S3, fetched again only when its ETag has changed."""

    def __init__(self, store: ObjectStore, bucket: str, key: str) -> None:
        """Take the store that the bucket is, and its name."""
        self._store = store
        self._bucket = bucket
        self._key = key

    async def fetch(self, known: str | None) -> Fetched | None:
        try:
            found = await self._store.get(self._key, known=known, limit=MAX_CONFIG_BYTES)
        except ObjectTooLargeError as error:
            raise ConfigSourceError(_TOO_LARGE) from error
        except AwsError as error:
            raise _translate(error, f"s3://{self._bucket}/{self._key}") from error
        return None if found is None else Fetched(found.content, found.etag)


class SsmSource:
    """A parameter in SSM; its version tells whether it has changed."""

    def __init__(self, parameters: Parameters, name: str) -> None:
        self._parameters = parameters
        self._name = name

    async def fetch(self, known: str | None) -> Fetched | None:
        try:
            parameter = await self._parameters.get(self._name)
        except AwsError as error:
            raise _translate(error, f"ssm:{self._name}") from error
        revision = str(parameter.version)
        return None if revision == known else Fetched(parameter.value.encode(), revision)


def _translate(error: AwsError, place: str) -> ConfigSourceError:
    return ConfigSourceError(f"cannot read {place}: {_GONE.get(error.cause, error.cause)}")


def _check_size(size: int) -> None:
    if size > MAX_CONFIG_BYTES:
        raise ConfigSourceError(_TOO_LARGE)


def _file_revision(status: os.stat_result) -> str:
    return f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"
