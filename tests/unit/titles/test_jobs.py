"""The job that the chat function sends, run."""

import asyncio
from dataclasses import dataclass

import pytest

from tests.support.titles import Setting, build_job, says
from waystation.titles.jobs import title_job_runner
from waystation.titles.service import TitleService
from waystation.titles.store import StoredTitle


@dataclass
class TitlesOnly:
    """A runtime with nothing but titles."""

    titles: TitleService


async def test_event_becomes_a_title():
    titles = Setting().build(says("A Title"))
    run = title_job_runner(lambda: TitlesOnly(titles.service))
    await run(build_job().to_event(), asyncio.get_running_loop().time() + 10)
    assert await titles.service.find("alice", "c1") == StoredTitle("READY", "A Title")


async def test_event_that_is_none_is_raised():
    titles = Setting().build()
    run = title_job_runner(lambda: TitlesOnly(titles.service))
    with pytest.raises(ValueError, match="no usable input"):
        await run({**build_job().to_event(), "input": 5}, 0)
    assert titles.sent == []
