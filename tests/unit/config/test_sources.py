"""Stores of the operator's file: revisions, bounds, errors, URIs."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from waystation.aws.failures import NoAnswerError, RefusedError
from waystation.aws.objects import ObjectTooLargeError, StoredObject
from waystation.aws.parameters import Parameter
from waystation.config.sources import (
    MAX_CONFIG_BYTES,
    ConfigSourceError,
    Fetched,
    FileLocation,
    FileSource,
    S3Location,
    S3Source,
    SsmLocation,
    SsmSource,
    check_ssm_size,
    parse_config_uri,
)


def refusal(code: str) -> RefusedError:
    return RefusedError("Operation", code, 400, {"message": "secret-detail"})


class InMemoryStore:
    """A bucket of one object, or of one error."""

    def __init__(self, document: bytes = b"", error: Exception | None = None) -> None:
        self.document = document
        self.error = error
        self.keys: list[str] = []

    async def get(self, key: str, *, known: str | None, limit: int) -> StoredObject | None:
        self.keys.append(key)
        if self.error:
            raise self.error
        if len(self.document) > limit:
            raise ObjectTooLargeError
        etag = f'"{len(self.document)}"'
        return None if etag == known else StoredObject(self.document, etag)


class InMemoryParameter:
    """One parameter, or one error."""

    def __init__(self, value: str = "", version: int = 1, error: Exception | None = None) -> None:
        self.value = value
        self.version = version
        self.error = error

    async def get(self, name: str) -> Parameter:
        if self.error:
            raise self.error
        return Parameter(name, self.value, self.version)

    async def get_several(self, names: Sequence[str]) -> list[Parameter]:
        raise AssertionError("a configuration is one parameter")


async def test_file_is_fetched_again_only_when_changed(tmp_path):
    path = tmp_path / "librechat.yaml"
    path.write_bytes(b"one")
    source = FileSource(path)
    first = await source.fetch(None)
    assert first is not None
    assert first.document == b"one"
    assert await source.fetch(first.revision) is None

    replacement = tmp_path / "new"
    replacement.write_bytes(b"two")
    os.utime(replacement, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    replacement.replace(path)
    second = await source.fetch(first.revision)
    assert second is not None
    assert second.document == b"two"


async def test_file_that_cannot_be_read_is_a_source_error(tmp_path):
    path = tmp_path / "absent.yaml"
    with pytest.raises(ConfigSourceError) as caught:
        await FileSource(path).fetch(None)
    assert str(caught.value) == f"cannot read {path}: No such file or directory"


async def test_large_file_is_not_read(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * (MAX_CONFIG_BYTES + 1))
    with pytest.raises(ConfigSourceError, match="larger than 256 KiB"):
        await FileSource(path).fetch(None)


async def test_object_is_fetched_again_only_when_its_etag_has_changed():
    client = InMemoryStore(b"one")
    source = S3Source(client, "bucket", "dir/librechat.yaml")
    assert await source.fetch(None) == Fetched(b"one", '"3"')
    assert await source.fetch('"3"') is None
    client.document = b"three"
    assert await source.fetch('"3"') == Fetched(b"three", '"5"')
    assert set(client.keys) == {"dir/librechat.yaml"}


async def test_large_object_is_not_read():
    source = S3Source(InMemoryStore(b"#" * (MAX_CONFIG_BYTES + 1)), "bucket", "key")
    with pytest.raises(ConfigSourceError, match="larger than 256 KiB"):
        await source.fetch(None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refusal("NoSuchKey"), "there is no such object"),
        (refusal("NoSuchBucket"), "there is no such bucket"),
        (refusal("AccessDenied"), "AccessDenied"),
        (NoAnswerError("NotConnected", is_sent=False), "NotConnected"),
    ],
)
async def test_failure_of_s3_is_a_source_error(error, reason):
    with pytest.raises(ConfigSourceError) as caught:
        await S3Source(InMemoryStore(error=error), "bucket", "key").fetch(None)
    assert str(caught.value) == f"cannot read s3://bucket/key: {reason}"


async def test_parameter_is_new_when_its_version_is():
    client = InMemoryParameter("väl", version=3)
    source = SsmSource(client, "/waystation/config")
    assert await source.fetch(None) == Fetched("väl".encode(), "3")
    assert await source.fetch("3") is None
    client.version = 4
    assert await source.fetch("3") == Fetched("väl".encode(), "4")


async def test_failure_of_ssm_is_a_source_error():
    source = SsmSource(InMemoryParameter(error=refusal("ParameterNotFound")), "/name")
    with pytest.raises(ConfigSourceError) as caught:
        await source.fetch(None)
    assert str(caught.value) == "cannot read ssm:/name: there is no such parameter"


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("s3://my-bucket/dir/librechat.yaml", S3Location("my-bucket", "dir/librechat.yaml")),
        ("ssm:/waystation/config", SsmLocation("/waystation/config")),
        ("file:librechat.yaml", FileLocation(Path("librechat.yaml"))),
        ("file:/etc/librechat.yaml", FileLocation(Path("/etc/librechat.yaml"))),
        ("file:///etc/librechat.yaml", FileLocation(Path("/etc/librechat.yaml"))),
    ],
)
def test_uri_names_a_location(uri, location):
    assert parse_config_uri(uri) == location


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "librechat.yaml",
        "s3://bucket",
        "s3://bucket/",
        "s3:///key",
        "S3://bucket/key",
        "ssm:name",
        "ssm:/",
        "ssm:/a b",
        "file:",
        "https://a.test/c.yaml",
    ],
)
def test_other_uri_is_refused(uri):
    with pytest.raises(ValueError, match="expected s3://bucket/key, ssm:/name or file:path"):
        parse_config_uri(uri)


@pytest.mark.parametrize(("tier", "limit"), [("Standard", 4096), ("Advanced", 8192)])
def test_parameter_holds_what_its_tier_allows(tier, limit):
    check_ssm_size(b"x" * limit, tier)
    with pytest.raises(ValueError, match=f"the {tier} tier, which holds {limit}; use .*S3"):
        check_ssm_size(b"x" * (limit + 1), tier)
