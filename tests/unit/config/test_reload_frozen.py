"""The configuration in a process that Lambda freezes between its requests."""

import asyncio

from tests.support.config_bench import Bench, file_for
from waystation.config.sources import ConfigSourceError


async def test_refresh_that_a_frozen_process_spoiled_is_made_again():
    bench = Bench()
    await bench.name()
    bench.source.document = file_for("two")

    async def fail_once():
        bench.source.wait = None
        raise ConfigSourceError("the deadline passed while the process was frozen")

    bench.source.wait = fail_once
    bench.clock.at += 61
    assert await bench.name() == "one"  # its refresh has begun, and stands still
    bench.clock.at += 301
    assert await bench.name() == "two"


async def test_refresh_that_ends_as_a_frozen_process_goes_on_is_no_failure_of_the_store():
    bench = Bench()
    await bench.name()
    bench.source.document = file_for("two")
    goes_on = asyncio.Event()

    async def fail_once():
        await goes_on.wait()
        bench.source.wait = None
        raise ConfigSourceError("the connection broke while the process was frozen")

    bench.source.wait = fail_once
    bench.clock.at += 61
    assert await bench.name() == "one"
    await asyncio.sleep(0)  # the fetch begins, and the process is frozen
    bench.clock.at += 301
    goes_on.set()
    await bench.settle()  # while the next request does something else
    assert await bench.name() == "two"
    assert bench.unreadable == []
