"""When the configuration is looked at again, and what is used meanwhile."""

import asyncio
import json

import pytest

from tests.support.config_bench import Bench, file_for
from tests.support.config_entries import MINIMAL
from waystation.config.snapshot import ConfigProblem
from waystation.errors import ConfigUnavailableError

INVALID = b"endpoints: []"
PROBLEM = ConfigProblem("endpoints", "expected a mapping, found a list", 1)


async def test_first_use_loads():
    bench = Bench()
    assert await bench.name() == "one"


async def test_young_snapshot_is_used_as_it_is():
    bench = Bench()
    first = await bench.loader.snapshot()
    bench.source.document = file_for("two")
    bench.clock.at += 59
    assert await bench.loader.snapshot() is first
    assert len(bench.source.known) == 1


async def test_older_snapshot_is_used_while_a_new_one_is_fetched():
    bench = Bench()
    await bench.name()
    bench.source.document = file_for("two")
    bench.clock.at += 61
    assert [await bench.name(), await bench.name()] == ["one", "one"]
    await bench.settle()
    assert await bench.name() == "two"
    assert len(bench.source.known) == 2


async def test_stale_snapshot_waits_for_the_new_one():
    bench = Bench()
    await bench.name()
    bench.source.document = file_for("two")
    bench.clock.at += 301
    assert await bench.name() == "two"


async def test_stale_snapshot_is_used_when_the_store_fails():
    bench = Bench()
    await bench.name()
    bench.source.fails = True
    bench.clock.at += 301
    assert await bench.name() == "one"


async def test_stale_snapshot_is_used_when_the_store_is_slow():
    bench = Bench(budget_s=0.1)
    await bench.name()
    released = asyncio.Event()
    bench.source.wait = released.wait
    bench.source.document = file_for("two")
    bench.clock.at += 301
    assert await bench.name() == "one"
    released.set()
    await bench.settle()
    bench.clock.at += 301
    assert await bench.name() == "two"


async def test_store_that_never_answers_counts_as_unreadable():
    bench = Bench(budget_s=0.01)
    bench.source.wait = asyncio.Event().wait
    with pytest.raises(ConfigUnavailableError):
        await bench.loader.snapshot()
    await bench.settle()
    assert bench.unreadable == ["the store took too long to answer"]


async def test_concurrent_requests_share_one_fetch():
    bench = Bench()
    snapshots = await asyncio.gather(*[bench.loader.snapshot() for _ in range(10)])
    assert len(bench.source.known) == 1
    assert len({id(snapshot) for snapshot in snapshots}) == 1


async def test_request_that_is_cancelled_does_not_stop_the_fetch_of_others():
    bench = Bench()
    released = asyncio.Event()
    bench.source.wait = released.wait
    leaving = asyncio.create_task(bench.loader.snapshot())
    staying = asyncio.create_task(bench.loader.snapshot())
    await asyncio.sleep(0)
    leaving.cancel()
    released.set()
    assert (await staying).endpoints[0].name == "one"


async def test_without_any_configuration_the_request_is_refused():
    bench = Bench(INVALID)
    with pytest.raises(ConfigUnavailableError):
        await bench.loader.snapshot()
    assert bench.rejected == [(PROBLEM,)]


@pytest.mark.parametrize("fails", [True, False], ids=["unreadable", "invalid"])
async def test_first_load_is_tried_again_after_a_second(fails):
    bench = Bench(INVALID)
    bench.source.fails = fails
    for _ in range(3):
        with pytest.raises(ConfigUnavailableError):
            await bench.loader.snapshot()
    assert len(bench.source.known) == 1
    bench.source.fails, bench.source.document = False, file_for("two")
    bench.clock.at += 1
    assert await bench.name() == "two"


async def test_invalid_file_keeps_the_last_good_one_and_is_reported_once():
    bench = Bench()
    await bench.name()
    bench.source.document = INVALID
    for _ in range(3):
        bench.clock.at += 301
        assert await bench.name() == "one"
    assert bench.rejected == [(PROBLEM,)]
    bench.source.document = b"[]"
    bench.clock.at += 301
    assert await bench.name() == "one"
    assert len(bench.rejected) == 2


async def test_addresses_of_the_environment_are_allowed_beside_those_of_the_file():
    document = b'{"endpoints": {"allowedAddresses": ["a.test:1"], "custom": []}}'
    bench = Bench(document, allowed_addresses=frozenset({"b.test:2"}))
    assert (await bench.loader.snapshot()).allowed_addresses == {"a.test:1", "b.test:2"}


async def test_invalid_entry_is_told_and_does_not_reject_the_file():
    bench = Bench(json.dumps({"endpoints": {"custom": [MINIMAL, {"name": "Two"}]}}).encode())
    snapshot = await bench.loader.snapshot()
    assert (bench.rejected, bench.flawed, [*snapshot.broken]) == ([], [snapshot.errors], ["Two"])


async def test_unreadable_store_is_reported_once_until_it_answers():
    bench = Bench()
    await bench.name()
    for fails in (True, True, False, True):
        bench.source.fails = fails
        bench.clock.at += 301
        await bench.name()
    assert bench.unreadable == ["unreadable", "unreadable"]


async def test_failed_refresh_is_not_repeated_at_once():
    bench = Bench()
    await bench.name()
    bench.source.fails = True
    bench.clock.at += 301
    for _ in range(5):
        await bench.name()
    assert len(bench.source.known) == 2


async def test_file_is_looked_at_before_every_answer():
    bench = Bench(refresh_after_s=0)
    names = []
    for name in ("one", "two", "three"):
        bench.source.document = file_for(name)
        names.append(await bench.name())
    assert names == ["one", "two", "three"]


async def test_file_that_was_repaired_is_in_force_at_once():
    bench = Bench(INVALID, refresh_after_s=0)
    with pytest.raises(ConfigUnavailableError):
        await bench.loader.snapshot()
    bench.source.document = file_for("two")
    assert await bench.name() == "two"


async def test_file_changed_while_another_request_looks_is_in_force():
    bench = Bench(refresh_after_s=0)
    await bench.name()
    released = asyncio.Event()
    bench.source.wait = released.wait
    early = asyncio.create_task(bench.name())
    await asyncio.sleep(0)
    late = asyncio.create_task(bench.name())
    await asyncio.sleep(0)
    bench.source.document = file_for("two")
    released.set()
    await early
    assert await late == "two"


def test_another_event_loop_may_go_on():
    bench = Bench()
    assert asyncio.run(bench.name()) == "one"
    bench.source.document = file_for("two")
    bench.clock.at += 61

    async def leave_early() -> str:
        bench.source.wait = asyncio.Event().wait
        return await bench.name()

    assert asyncio.run(leave_early()) == "one"
    bench.source.wait, bench.clock.at = None, bench.clock.at + 301
    assert asyncio.run(bench.name()) == "two"


async def test_unforeseen_error_reaches_the_request():
    bench = Bench()

    async def fail() -> None:
        raise RuntimeError("a defect")

    bench.source.wait = fail
    with pytest.raises(RuntimeError, match="a defect"):
        await bench.loader.snapshot()
