"""A fake Bedrock, and a sender that asks it."""

from collections.abc import Iterator

import pytest

from tests.support.bedrock_upstream import point_boto3_at
from tests.support.fake_upstream import FakeUpstream
from waystation.aws.bedrock import BedrockSender


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(keeps_connections=True) as upstream:
        yield upstream


@pytest.fixture
def sender(upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> BedrockSender:
    point_boto3_at(upstream, monkeypatch)
    return BedrockSender()
