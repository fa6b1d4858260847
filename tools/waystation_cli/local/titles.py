"""Makes the titles beside chats in this process, where AWS has a function for them."""

import asyncio

from waystation.titles.jobs import TITLE_S
from waystation.titles.service import TitleService
from waystation.web.log import log_unexpected
from waystation.wire.title_job import TitleJob


class LocalTitles:
    """Runs each job as a task of its own, so that no chat waits for it."""

    def __init__(self, titles: TitleService) -> None:
        self._titles = titles
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, job: TitleJob) -> None:
        """Begin a job, and leave it to itself."""
        task = asyncio.create_task(self._run(job))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, job: TitleJob) -> None:
        try:
            await self._titles.run(job, asyncio.get_running_loop().time() + TITLE_S)
        except Exception as error:
            log_unexpected(error, job.request_id)
