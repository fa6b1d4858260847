"""Upkeep that is killed while it ends a record: it comes again, and the record is ended once."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.aws_server import AwsServer, aws_server
from tests.support.fake_lambda import ROOT, until
from tests.support.killing import PATIENCE_S, IsIt, expires, held, settles
from tests.support.lambda_events import queue_event
from tests.support.lambda_gateway import TABLE
from tests.support.ledgers import (
    COST,
    DRAWING,
    ESTIMATED,
    SETTLED,
    balance_of,
    drawn,
    hold,
    put_balance,
    record_of,
    sums_of,
)
from tests.support.tables import open_table
from waystation.aws.dynamo_table import DynamoTable
from waystation.ledger.outbox import write_message

SCHEDULE = json.loads((ROOT / "events" / "sweep.json").read_text("utf-8"))
MESSAGE = queue_event(write_message("settle", drawn(SETTLED).to_item()))
AVAIL = 1_000_000
PROGRAM = """
import json, sys
from app import handler

class Context:
    def get_remaining_time_in_millis(self):
        return 60_000

print(json.dumps(handler(json.loads(sys.argv[1]), Context())))
"""

at_either_side = pytest.mark.parametrize("when_done", [False, True], ids=["not done", "done"])


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with aws_server() as aws:
        yield aws


class Upkeep:
    """The function, in a process of its own for each event."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = {**environment, "PYTHONPATH": str(ROOT / "shared")}

    async def run(self, event: object) -> object:
        """Have an event served; return the answer."""
        process = await self._start(event)
        out, _ = await process.communicate()
        assert process.returncode == 0, out
        return json.loads(out.splitlines()[-1])

    async def kill_at(self, event: object, is_it: IsIt, *, when_done: bool) -> None:
        """Have an event served, and kill the process when it asks the table for this."""
        with held(is_it, when_done=when_done) as waiting:
            process = await self._start(event)
            await until(waiting.is_reached.is_set, PATIENCE_S)
            process.kill()
            await process.communicate()
        assert process.returncode == -signal.SIGKILL

    async def _start(self, event: object) -> Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, json.dumps(event)),
            cwd=ROOT / "functions" / "upkeep",
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )


@pytest.fixture(scope="module")
def upkeep(aws: AwsServer) -> Upkeep:
    return Upkeep(aws.environment(""))


@pytest.fixture
async def table(aws: AwsServer) -> AsyncIterator[DynamoTable]:
    """A table with one open record, which draws on a balance."""
    table = open_table(TABLE)
    await put_balance(table, AVAIL)
    await hold(table, DRAWING)
    yield table
    for item in await table.scan(""):
        if str(item["SK"]).startswith(("REQ#", "M#", "BAL")):
            await table.delete(str(item["PK"]), str(item["SK"]))


@at_either_side
async def test_sweep_that_is_killed_is_made_up_for(
    upkeep: Upkeep, table: DynamoTable, *, when_done: bool
) -> None:
    await upkeep.kill_at(SCHEDULE, expires, when_done=when_done)
    for _ in range(2):
        assert await upkeep.run(SCHEDULE) is None
    record = await record_of(table)
    assert (record["state"], record["cost"]) == ("EXPIRED", ESTIMATED)
    assert await balance_of(table) == (AVAIL - ESTIMATED, 0, ESTIMATED, 0)
    sums = await sums_of(table)
    assert (sums["requests"], sums["estimated"], sums["cost"]) == (1, 1, ESTIMATED)


@at_either_side
async def test_message_that_was_being_applied_comes_again(
    upkeep: Upkeep, table: DynamoTable, *, when_done: bool
) -> None:
    await upkeep.kill_at(MESSAGE, settles, when_done=when_done)
    for _ in range(2):
        assert await upkeep.run(MESSAGE) == {"batchItemFailures": []}
    record = await record_of(table)
    assert (record["state"], record["cost"]) == ("SETTLED", COST)
    assert await balance_of(table) == (AVAIL - COST, 0, COST, 0)
    sums = await sums_of(table)
    assert (sums["requests"], sums["cost"]) == (1, COST)
