"""A server of the issuer's keys, for all tests of tokens."""

from collections.abc import Iterator

import pytest

from tests.support.fake_upstream import FakeUpstream
from tests.support.tokens import Times, key_set


@pytest.fixture(scope="session")
def _issuer() -> Iterator[FakeUpstream]:
    with FakeUpstream() as server:
        yield server


@pytest.fixture
def issuer(_issuer: FakeUpstream) -> FakeUpstream:
    """Serve the keys of every algorithm until told otherwise."""
    _issuer.reset()
    _issuer.answer(key_set())
    return _issuer


@pytest.fixture
def times() -> Times:
    return Times()
