"""Titles beside chats: the job that the chat function sends."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from waystation.titles.service import TitleService
from waystation.wire.title_job import parse_title_job

TITLE_S = 45.0  # LibreChat's patience with a title


class TitlesRuntime(Protocol):
    @property
    def titles(self) -> TitleService: ...


def title_job_runner(
    get_runtime: Callable[[], TitlesRuntime],
) -> Callable[[Mapping[str, object], float], Awaitable[None]]:
    """Return what makes the title that an event asks for.

    It raises ValueError for an event that cannot be read, LedgerUnavailableError without a table.
    """

    async def run(event: Mapping[str, object], ends_at: float) -> None:
        await get_runtime().titles.run(parse_title_job(event), ends_at)

    return run
