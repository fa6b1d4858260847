"""Repeats a transaction that the table was too busy for, or did not answer.

The same writes are asked for again, never others: with their conditions, they are done once. At
most six tries within the time that is given, with pauses of a random length.

What must be written is written to its end, however often its request is cancelled meanwhile.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from waystation.aws.table import (
    Refusal,
    Table,
    TableBusyError,
    TableError,
    TableUnsureError,
    Write,
)

T = TypeVar("T")

MAX_TRIES = 6
FIRST_PAUSE_S = 0.05  # at most; each further one may be twice as long


def _no_matter() -> None:
    """Do nothing: writes that hold once are no worse for being late."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Asks a table for transactions. `pause` waits at most so many seconds, as it likes."""

    table: Table
    pause: Callable[[float], Awaitable[None]]

    async def transact(
        self,
        writes: Sequence[Write],
        *,
        ends_at: float,
        on_unsure: Callable[[], None] = _no_matter,
    ) -> Refusal | None:
        """Do all writes or none; None if they are done. `ends_at` is on the event loop's clock.

        A refusal may tell of what an unanswered try has written. Of each such try, which may even
        write after a refusal, `on_unsure` is told.

        Raises TableBusyError if nothing was written, TableUnsureError if that is not known,
        TableError if the table refused for good.
        """
        is_unsure = False
        for n in range(MAX_TRIES):
            try:
                async with asyncio.timeout_at(ends_at):
                    return await self.table.transact(*writes)
            except TableUnsureError:
                is_unsure = True
                on_unsure()
            except TimeoutError:
                on_unsure()
                raise TableUnsureError("the table did not answer in time") from None
            except TableBusyError:
                pass
            except TableError as error:
                if is_unsure:
                    raise TableUnsureError(str(error)) from error
                raise
            longest = FIRST_PAUSE_S * 2**n
            if n + 1 == MAX_TRIES or asyncio.get_running_loop().time() + longest >= ends_at:
                break
            await self.pause(longest)
        if is_unsure:
            raise TableUnsureError("the table did not answer")
        raise TableBusyError("the table is too busy")


async def random_pause(longest_s: float) -> None:
    """Wait for a random time."""
    await asyncio.sleep(random.uniform(0, longest_s))  # noqa: S311 (no secret)


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do a short work to its end, and only then tell that it was cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
