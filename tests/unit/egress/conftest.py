"""Both event loops that the gateway runs on, and an egress that is closed behind a test."""

from collections.abc import AsyncIterator

import pytest

from tests.support.reaching import dial_local
from waystation.egress.client import Egress


@pytest.fixture(
    params=[("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    egress = Egress(dialler=dial_local)
    yield egress
    await egress._transport_of_this_loop().aclose()
