"""How long an upstream may take."""

import asyncio

import pytest

from waystation.egress.deadlines import Deadline, Patience
from waystation.errors import UpstreamTimeoutError


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_call_that_is_quick_is_left_alone():
    async with Deadline(now() + 10).total():
        pass
    async with Deadline(now() + 10).within(5):
        pass


async def test_call_ends_with_its_total():
    with pytest.raises(UpstreamTimeoutError) as caught:
        async with Deadline(now() + 0.01).total():
            await asyncio.sleep(10)
    assert caught.value.status == 504


@pytest.mark.parametrize(("total_s", "within_s"), [(10, 0.01), (0.01, 10), (-1, 10)])
async def test_step_ends_with_the_sooner_of_its_limit_and_the_total(total_s, within_s):
    began = now()
    with pytest.raises(UpstreamTimeoutError):
        async with Deadline(began + total_s).within(within_s):
            await asyncio.sleep(10)
    assert now() - began < 1


async def sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "slept"


async def test_what_comes_in_time_is_returned():
    with Patience(Deadline(now() + 10, idle_s=0.3), now() + 5) as patience:
        assert await patience.wait(sleep(0)) == "slept"
        patience.has_begun()
        assert [await patience.wait(sleep(0.01)) for _ in range(3)] == ["slept"] * 3


async def test_silence_after_the_beginning_is_bounded():
    with Patience(Deadline(now() + 10, idle_s=0.05), now() + 5) as patience:
        patience.has_begun()
        await patience.wait(sleep(0.03))
        await patience.wait(sleep(0.03))  # each wait has the whole time
        with pytest.raises(UpstreamTimeoutError):
            await patience.wait(sleep(10))


async def test_beginning_is_bounded_whatever_the_idle_limit():
    began = now()
    with Patience(Deadline(began + 10), began + 0.05) as patience:
        for _ in range(3):
            await patience.wait(sleep(0.01))  # heartbeats, say
        with pytest.raises(UpstreamTimeoutError):
            await patience.wait(sleep(10))
        assert now() - began < 0.1


@pytest.mark.parametrize("has_begun", [False, True])
async def test_stream_ends_with_the_total(has_begun):
    with Patience(Deadline(now() + 0.01), now() + 10) as patience:
        if has_begun:
            patience.has_begun()
        with pytest.raises(UpstreamTimeoutError):
            await patience.wait(sleep(10))


async def test_time_between_waits_does_not_count():
    with Patience(Deadline(now() + 10, idle_s=0.02), now() + 5) as patience:
        patience.has_begun()
        for _ in range(2):
            await patience.wait(sleep(0))
            await asyncio.sleep(0.05)
        assert await patience.wait(sleep(0)) == "slept"


async def test_limit_that_has_passed_already_ends_a_wait():
    with (
        Patience(Deadline(now() - 1), now() + 5) as patience,
        pytest.raises(UpstreamTimeoutError),
    ):
        await patience.wait(sleep(10))


async def test_who_is_cancelled_from_elsewhere_stays_cancelled():
    async def wait() -> None:
        with Patience(Deadline(now() + 0.01), now() + 5) as patience:
            await patience.wait(sleep(10))

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0.02)
    assert task.cancelled()


async def test_nothing_is_left_behind():
    with Patience(Deadline(now() + 0.02), now() + 5) as patience:
        await patience.wait(sleep(0))
    await asyncio.sleep(0.04)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
