"""How much memory and how many files a process has while it works."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.chat_function import memory_of, open_files_of

EVERY_S = 0.1
BYTES_OF_A_RECORD = 4096
"""The table of `waystation dev` is in its process, and keeps every record."""
BYTES_ANYWAY = 16 * 1024 * 1024
FILES_ANYWAY = 10


@dataclass(slots=True)
class Samples:
    """What was seen, in order."""

    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)


@asynccontextmanager
async def watching(process: Any) -> AsyncIterator[Samples]:
    """Look at a process again and again."""
    samples = Samples()

    async def look() -> None:
        while True:
            samples.memory.append(memory_of(process))
            samples.files.append(open_files_of(process))
            await asyncio.sleep(EVERY_S)

    task = asyncio.create_task(look())
    try:
        yield samples
    finally:
        task.cancel()


def quarters(values: Sequence[int]) -> tuple[float, float]:
    """Return the medians of the first and the last quarter."""
    quarter = max(1, len(values) // 4)
    return statistics.median(values[:quarter]), statistics.median(values[-quarter:])


def check_is_flat(samples: Samples, records: int, kept: int) -> None:
    """Expect no growth but that of so many records, and of so many connections."""
    (memory, more_memory), (files, more_files) = quarters(samples.memory), quarters(samples.files)
    assert more_memory - memory <= records * BYTES_OF_A_RECORD + BYTES_ANYWAY
    assert more_files - files <= FILES_ANYWAY + kept
