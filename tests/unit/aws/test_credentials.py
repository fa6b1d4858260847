"""What signs: from the environment, or from what hands credentials out over loopback."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.aws_services import answer, raw_answer
from tests.support.fake_upstream import RESET, FakeUpstream, Step
from waystation.aws.credentials import (
    REFRESH_BEFORE_S,
    ContainerCredentials,
    CredentialSource,
    read_credentials,
)
from waystation.aws.failures import NoCredentialsError
from waystation.aws.transport import Transport
from waystation.wire.upstream_request import AwsCredentials

FIXED = {
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}
ENDS_AT = 1_800_000_000.0  # 2027-01-15T08:00:00Z
LATE = ENDS_AT - REFRESH_BEFORE_S


def handed_out(key: str, expires: str = "2027-01-15T08:00:00Z") -> list[Step]:
    told = {"AccessKeyId": key, "SecretAccessKey": "canary", "Token": "t", "Expiration": expires}
    return answer(told)


class Clock:
    def __init__(self) -> None:
        self.now = ENDS_AT - 3600

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def transport() -> Transport:
    return Transport(lambda: pytest.fail("no TLS"))


@pytest.fixture
def beside() -> Iterator[FakeUpstream]:
    with FakeUpstream() as upstream:
        yield upstream


def from_env(transport: Transport, **env: str) -> CredentialSource:
    return read_credentials(env, transport)


async def test_environment_has_credentials(transport):
    source = from_env(transport, **FIXED, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:1/")
    assert await source.current() == AwsCredentials("AKID", "secret", "token")
    without_token = {**FIXED, "AWS_SESSION_TOKEN": ""}
    assert (await from_env(transport, **without_token).current()).session_token is None


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
async def test_what_is_missing_is_named(transport, missing):
    source = from_env(transport, **{**FIXED, missing: ""})
    with pytest.raises(NoCredentialsError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        await source.current()


@pytest.mark.parametrize("name", FIXED)
def test_credentials_that_cannot_be_sent_are_refused_by_name(transport, name):
    with pytest.raises(ValueError, match=name) as caught:
        from_env(transport, **{**FIXED, name: "canary\r\nx: y"})
    assert "canary" not in str(caught.value)


async def test_credentials_are_handed_out_and_kept(transport, beside):
    beside.answer(handed_out("FIRST"))
    url = f"http://{beside.address}/2021-04-23/credentials?x=y"
    source = from_env(
        transport,
        AWS_CONTAINER_CREDENTIALS_FULL_URI=url,
        AWS_CONTAINER_AUTHORIZATION_TOKEN="the-token",
    )
    for _ in range(2):
        assert await source.current() == AwsCredentials("FIRST", "canary", "t")
    (asked,) = beside.received
    assert asked.request_line == "GET /2021-04-23/credentials?x=y HTTP/1.1"
    assert asked.header("authorization") == ["the-token"]
    assert "canary" not in repr(await source.current())


async def test_credentials_are_fetched_anew_before_they_end(transport, beside):
    clock = Clock()
    url = f"http://{beside.address}/"
    source = ContainerCredentials(url, "", transport, now=clock)
    beside.answer(handed_out("FIRST"), handed_out("SECOND", "2027-01-16T08:00:00Z"))
    assert (await source.current()).access_key_id == "FIRST"
    clock.now = LATE - 1
    assert (await source.current()).access_key_id == "FIRST"
    clock.now = LATE
    assert (await source.current()).access_key_id == "SECOND"
    assert [one.header("authorization") for one in beside.received] == [[], []]


BROKEN: list[list[Step]] = [
    [RESET],
    raw_answer(b"", status=500),
    raw_answer(b"canary"),
    answer([]),
    answer({"AccessKeyId": "canary"}),
    handed_out("canary", "soon"),
]


@pytest.mark.parametrize("steps", BROKEN)
async def test_old_credentials_serve_until_they_end(transport, beside, steps: Any):
    clock = Clock()
    source = ContainerCredentials(f"http://{beside.address}/", "", transport, now=clock)
    beside.answer(handed_out("FIRST"), steps)
    await source.current()
    clock.now = ENDS_AT - 1
    assert (await source.current()).access_key_id == "FIRST"
    clock.now = ENDS_AT
    with pytest.raises(NoCredentialsError, match="AWS_CONTAINER_CREDENTIALS_FULL_URI") as caught:
        await source.current()
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.170.2/v2",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1@example.com/",
        "https://127.0.0.1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nb",
        "127.0.0.1",
    ],
)
def test_credentials_come_from_this_machine_only(transport, url):
    with pytest.raises(ValueError, match="AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        from_env(transport, AWS_CONTAINER_CREDENTIALS_FULL_URI=url)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "127.8.9.10", "[::1]:9", "localhost:9"])
def test_each_name_of_this_machine_will_do(transport, host):
    source = from_env(transport, AWS_CONTAINER_CREDENTIALS_FULL_URI=f"http://{host}/x")
    assert isinstance(source, ContainerCredentials)
