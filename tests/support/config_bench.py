"""A loader of the configuration on a bench: its source and its clock are a test's."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.config_entries import MINIMAL
from tests.support.fakes import Clock
from waystation.config.reload import ConfigLoader
from waystation.config.sources import ConfigSourceError, Fetched

if TYPE_CHECKING:
    from waystation.config.snapshot import ConfigProblem


def file_for(name: str) -> bytes:
    return json.dumps({"endpoints": {"custom": [MINIMAL | {"name": name}]}}).encode()


@dataclass
class StaticConfigSource:
    """A source whose document, failure and delay a test sets."""

    document: bytes
    fails: bool = False
    wait: Callable[[], Awaitable[object]] | None = None
    known: list[str | None] = field(default_factory=list)

    async def fetch(self, known: str | None) -> Fetched | None:
        self.known.append(known)
        if self.wait:
            await self.wait()
        if self.fails:
            raise ConfigSourceError("unreadable")
        revision = str(hash(self.document))
        return None if revision == known else Fetched(self.document, revision)


@dataclass
class Bench:
    """A loader with its source, its clock and what it reported."""

    def __init__(
        self, document: bytes = b"", refresh_after_s: float = 60, budget_s: float = 5, **more: Any
    ) -> None:
        self.source = StaticConfigSource(document or file_for("one"))
        self.clock = Clock()
        self.rejected: list[tuple[ConfigProblem, ...]] = []
        self.flawed: list[tuple[ConfigProblem, ...]] = []
        self.unreadable: list[str] = []
        self.loader = ConfigLoader(
            self.source,
            refresh_after_s=refresh_after_s,
            stale_after_s=300,
            now=self.clock,
            on_rejected=self.rejected.append,
            on_flawed=self.flawed.append,
            on_unreadable=self.unreadable.append,
            first_load_budget_s=budget_s,
            refresh_budget_s=budget_s,
            **more,
        )

    async def name(self) -> str:
        return (await self.loader.snapshot()).endpoints[0].name

    async def settle(self) -> None:
        """Let a refresh in the background end."""
        running = [task for task in asyncio.all_tasks() if "ConfigLoader._load" in repr(task)]
        await asyncio.gather(*running)
