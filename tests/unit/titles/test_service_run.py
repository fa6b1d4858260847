"""A title beside a chat: made once, kept, found, and waited for."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.exchanges import until
from tests.support.fakes import BrokenTable, Hang, Reply
from tests.support.logs import fresh_log, kept_lines
from tests.support.titles import NOW_MS, Setting, Titles, build_job, refuses, says, titled_entry
from waystation.aws.table import Item, TableError
from waystation.errors import ConfigUnavailableError, LedgerUnavailableError
from waystation.titles.service import WAITS_S
from waystation.titles.store import StoredTitle, TitleStore
from waystation_cli.local.memory_table import InMemoryTable


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[Any]]:
    with fresh_log(), kept_lines("waystation.titles") as lines:
        logging.getLogger("waystation").setLevel(logging.INFO)
        yield lines


def ends_at(seconds: float = 10) -> float:
    return asyncio.get_running_loop().time() + seconds


async def run(titles: Titles, *, seconds: float = 10, **job: Any) -> StoredTitle | None:
    """Run a job; return what is kept of it."""
    await titles.service.run(build_job(**job), ends_at(seconds))
    return await titles.service.find("alice", "c1")


def told(lines: list[Any]) -> list[tuple[str, str, str | None]]:
    """Return level, message and code of each line."""
    return [(one.levelname, one.message, getattr(one, "error_code", None)) for one in lines]


async def test_title_is_made_and_kept(lines: list[Any]):
    titles = Setting().build(says("A Title"))
    assert await run(titles) == StoredTitle("READY", "A Title")
    assert told(lines) == [("INFO", "title_made", None)]
    (line,) = lines
    assert (line.request_id, line.endpoint, line.upstream_model) == ("r1-title", "Acme", "small")
    assert (line.input_tokens, line.output_tokens) == (10, 5)


async def test_no_line_tells_what_was_said(lines: list[Any]):
    titles = Setting().build(says("canary-title"), refuses("canary-refusal"))
    await run(titles, input="canary-input", output="canary-output", user={"email": "canary-mail"})
    await run(titles, conversation={"conversationId": "c2"}, input="canary-input")
    assert [one.message for one in lines] == ["title_made", "title_failed"]
    assert "canary" not in repr([vars(one) for one in lines])


async def test_conversation_gets_one_title(lines: list[Any]):
    titles = Setting().build(says("First"))
    await run(titles)
    assert await run(titles, request_id="r2-title") == StoredTitle("READY", "First")
    assert len(titles.sent) == len(titles.ledger.records) == 1
    assert told(lines)[1:] == [("INFO", "title_exists", None)]


async def test_jobs_at_once_ask_once():
    titles = Setting().build(says("First"))
    jobs = [titles.service.run(build_job(request_id=f"r{n}"), ends_at()) for n in range(3)]
    await asyncio.gather(*jobs)
    assert len(titles.sent) == len(titles.ledger.records) == 1
    assert await titles.service.find("alice", "c1") == StoredTitle("READY", "First")


async def test_title_that_is_being_made_is_pending():
    titles = Setting().build(Hang())
    task = asyncio.create_task(titles.service.run(build_job(), ends_at()))
    await until(lambda: titles.sent)
    assert await titles.service.find("alice", "c1") == StoredTitle("PENDING")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await titles.service.find("alice", "c1") == StoredTitle("FAILED")


FAILURES: dict[str, tuple[Setting, list[Reply], str | None]] = {
    "refused": (Setting(), [refuses("No.", 401)], "upstream_auth_failed"),
    "no JSON": (
        Setting((titled_entry(titleMethod="structured"),)),
        [says("x")],
        "upstream_invalid_response",
    ),
    "off": (Setting((titled_entry(titleConvo=False),)), [], "titles_off"),
    "endpoint gone": (Setting((titled_entry(name="Beta"),)), [], "endpoint_not_found"),
    "no configuration": (Setting(snapshot=ConfigUnavailableError()), [], "config_unavailable"),
}


@pytest.mark.parametrize(("setting", "script", "code"), FAILURES.values(), ids=FAILURES)
async def test_title_that_fails_is_kept_as_failed(setting, script, code, lines: list[Any]):
    titles = setting.build(*script)
    assert await run(titles) == StoredTitle("FAILED")
    assert told(lines) == [("WARNING", "title_failed", code)]
    assert len(titles.sent) == len(script)
    assert await run(titles) == StoredTitle("FAILED")  # and is not tried again
    assert len(titles.sent) == len(script)


async def test_title_that_takes_too_long_is_kept_as_failed(lines: list[Any]):
    titles = Setting().build(Hang())
    assert await run(titles, seconds=0.05) == StoredTitle("FAILED")
    assert told(lines) == [("WARNING", "title_failed", "upstream_timeout")]


async def test_unforeseen_error_is_kept_as_failed_and_raised(lines: list[Any]):
    titles = Setting().build(ZeroDivisionError("canary"))
    with pytest.raises(ZeroDivisionError):
        await run(titles)
    assert await titles.service.find("alice", "c1") == StoredTitle("FAILED")
    assert lines == []  # it is told by whoever runs the job


async def test_without_a_table_nothing_is_asked(lines: list[Any]):
    titles = Setting(table=BrokenTable()).build()
    with pytest.raises(LedgerUnavailableError):
        await titles.service.run(build_job(), ends_at())
    assert titles.sent == []
    assert told(lines) == [("ERROR", "title_failed", "ledger_unavailable")]
    with pytest.raises(LedgerUnavailableError):
        await titles.service.find("alice", "c1")


class TableWithoutUpdates(InMemoryTable):
    """A table that goes down after it has taken an item."""

    async def update(self, pk: str, sk: str, changes: object) -> bool:
        raise TableError("down")


@pytest.mark.parametrize(
    ("reply", "logged"),
    [
        (says("A"), ["ledger_unavailable"]),
        (refuses("No."), ["invalid_request_error", "ledger_unavailable"]),
    ],
    ids=["made", "refused"],
)
async def test_table_that_goes_down_is_told(reply: Reply, logged, lines: list[Any]):
    titles = Setting(table=TableWithoutUpdates()).build(reply)
    with pytest.raises(LedgerUnavailableError):
        await titles.service.run(build_job(), ends_at())
    assert [line.error_code for line in lines] == logged
    assert await titles.service.find("alice", "c1") == StoredTitle("PENDING")
    assert len(titles.ledger.records) == 1


class Waiting:
    """Somebody who waits for a title that appears after some naps."""

    def __init__(self, naps_before: int, *, fails: bool = False) -> None:
        self.naps: list[float] = []
        self._naps_before = naps_before
        self._fails = fails
        self.table = InMemoryTable()
        self._store = TitleStore(self.table, now_ms=lambda: NOW_MS)
        self.service = Setting(table=self.table, sleep=self._sleep).build().service

    async def wait(self, seconds: float = 60) -> StoredTitle | None:
        return await self.service.wait_for("alice", "c1", ends_at(seconds))

    async def begin(self) -> None:
        await self._store.claim("alice", "c1", "r1")
        if self._naps_before == 0:
            await self._end()

    async def _sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        if len(self.naps) == self._naps_before:
            await self._end()

    async def _end(self) -> None:
        if self._fails:
            await self._store.fail("alice", "c1")
        else:
            await self._store.save("alice", "c1", "A Title")


@pytest.mark.parametrize("naps", range(6))
async def test_title_is_waited_for_as_librechat_does(naps: int):
    waiting = Waiting(naps)
    await waiting.begin()
    assert await waiting.wait() == StoredTitle("READY", "A Title")
    assert waiting.naps == list(WAITS_S[:naps])


async def test_title_that_failed_is_not_waited_for():
    waiting = Waiting(2, fails=True)
    await waiting.begin()
    assert await waiting.wait() == StoredTitle("FAILED")
    assert waiting.naps == [0.5, 1.0]


async def test_title_that_nobody_began_is_waited_for_too():
    waiting = Waiting(99)
    assert await waiting.wait() is None
    assert waiting.naps == [0.5, 1.0, 2.0, 4.0, 8.0]


async def test_nobody_waits_beyond_the_end():
    waiting = Waiting(99)
    await waiting.begin()
    assert await waiting.wait(3) == StoredTitle("PENDING")
    assert waiting.naps == [0.5, 1.0, 2.0]  # the clock stands still here
    assert (await Waiting(99).wait(0)) is None


class CountingTable(InMemoryTable):
    """A table that goes down after some reads."""

    reads = 0

    async def get(self, pk: str, sk: str) -> Item | None:
        self.reads += 1
        if self.reads > 2:
            raise TableError("down")
        return await super().get(pk, sk)


async def test_table_that_goes_down_ends_the_wait():
    titles = Setting(table=CountingTable()).build()
    with pytest.raises(LedgerUnavailableError):
        await titles.service.wait_for("alice", "c1", ends_at())
