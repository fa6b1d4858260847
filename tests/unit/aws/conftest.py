"""A fake Bedrock, and a sender that asks it: one of each, because clients are slow to make."""

from collections.abc import Iterator

import pytest

from tests.support.bedrock_upstream import point_boto3_at
from tests.support.fake_upstream import FakeUpstream
from waystation.aws.bedrock import BedrockSender


@pytest.fixture(scope="module")
def _upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(keeps_connections=True) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def sender(_upstream: FakeUpstream) -> Iterator[BedrockSender]:
    with pytest.MonkeyPatch.context() as patch:
        point_boto3_at(_upstream, patch)
        yield BedrockSender()


@pytest.fixture
def upstream(_upstream: FakeUpstream) -> FakeUpstream:
    _upstream.reset()
    return _upstream
