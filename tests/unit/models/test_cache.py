"""What is kept of lists, for how long, and who waits for whom."""

import asyncio

import pytest

from tests.support.fakes import Clock
from waystation.models.cache import MAX_ENTRIES, Failed, ListCache
from waystation.models.reading import ModelList

LIST = ModelList(("m",))


@pytest.mark.parametrize(("found", "seconds"), [(LIST, 120), (Failed("http_500"), 10)])
def test_lists_are_kept_for_two_minutes_and_failures_for_ten_seconds(found, seconds):
    clock = Clock()
    cache = ListCache(now=clock)
    cache.keep("k", found)
    clock.at += seconds - 0.1
    assert cache.get("k") == found
    clock.at += 0.1
    assert cache.get("k") is None


def test_the_least_used_goes_first():
    cache = ListCache(now=Clock())
    for n in range(MAX_ENTRIES):
        cache.keep(str(n), LIST)
    assert cache.get("0") == LIST
    cache.keep("new", LIST)
    assert [cache.get("0"), cache.get("1"), cache.get("new")] == [LIST, None, LIST]


def test_long_lists_do_not_fill_the_memory():
    cache = ListCache(now=Clock())
    long = ModelList(tuple(f"m{n}" for n in range(5000)))
    for n in range(25):
        cache.keep(str(n), long)
    assert [n for n in range(25) if cache.get(str(n))] == list(range(5, 25))


class Fetch:
    """A call that answers when it is let, and counts how often it was made."""

    def __init__(self) -> None:
        self.calls = 0
        self.was_cancelled = False
        self.gate = asyncio.Event()

    async def __call__(self) -> ModelList | Failed:
        self.calls += 1
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return LIST


async def ask(cache: ListCache, fetch: Fetch, key: str = "k") -> "asyncio.Task[ModelList | Failed]":
    task = asyncio.ensure_future(cache.share(key, fetch))
    await asyncio.sleep(0.01)
    return task


async def test_equal_questions_share_one_call():
    cache, fetch = ListCache(now=Clock()), Fetch()
    tasks = [await ask(cache, fetch) for _ in range(20)]
    other = await ask(cache, fetch, "other")
    fetch.gate.set()
    assert await asyncio.gather(*tasks, other) == [LIST] * 21
    assert fetch.calls == 2


async def test_who_asked_first_may_leave():
    cache, fetch = ListCache(now=Clock()), Fetch()
    first, second = await ask(cache, fetch), await ask(cache, fetch)
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    fetch.gate.set()
    assert await second == LIST
    assert (fetch.calls, fetch.was_cancelled) == (1, False)


async def test_with_the_last_one_the_call_ends_and_the_next_begins_anew():
    cache, fetch = ListCache(now=Clock()), Fetch()
    only = await ask(cache, fetch)
    only.cancel()
    await asyncio.wait([only])
    again = await ask(cache, fetch)
    assert fetch.was_cancelled
    fetch.gate.set()
    assert await again == LIST
    assert fetch.calls == 2


async def test_a_call_that_fails_unforeseen_fails_for_all_and_is_not_kept():
    async def broken() -> ModelList:
        await asyncio.sleep(0)
        raise RuntimeError("unforeseen")

    cache = ListCache(now=Clock())
    results = await asyncio.gather(
        cache.share("k", broken), cache.share("k", broken), return_exceptions=True
    )
    assert [type(result) for result in results] == [RuntimeError] * 2
    fetch = Fetch()
    fetch.gate.set()
    assert await cache.share("k", fetch) == LIST


def test_another_loop_does_not_wait_for_the_first():
    cache = ListCache(now=Clock())

    async def leave_one_under_way() -> None:
        await ask(cache, Fetch())

    async def ask_again() -> ModelList | Failed:
        fetch = Fetch()
        fetch.gate.set()
        return await cache.share("k", fetch)

    asyncio.run(leave_one_under_way())
    assert asyncio.run(ask_again()) == LIST
