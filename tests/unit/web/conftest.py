"""A log of its own for each test of the web."""

from collections.abc import Iterator

import pytest

from tests.support.logs import fresh_log


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    with fresh_log():
        yield
