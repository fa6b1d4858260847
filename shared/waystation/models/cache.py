"""Keeps what upstreams told, and lets equal questions share one call.

Bound to the event loop that asks: what another loop has begun is not waited for. What is kept are
plain values, which any loop may use.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from waystation.models.reading import ModelList

LIST_S = 120.0
FAILURE_S = 10.0
MAX_ENTRIES = 256
MAX_KEPT_MODELS = 100_000  # so that many long lists do not fill the memory


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no list; `code` says why, in our own words."""

    code: str


@dataclass(frozen=True, slots=True)
class _Kept:
    found: ModelList | Failed
    ends_at: float

    @property
    def size(self) -> int:
        return len(self.found.ids) if isinstance(self.found, ModelList) else 0


@dataclass(slots=True)
class _Flight:
    """A call under way, and how many wait for it."""

    task: "asyncio.Task[ModelList | Failed]"
    waiting: int = 0


class ListCache:
    """Lists for two minutes, failures for ten seconds; the least used go first."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        """Take a clock in seconds."""
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._flights: dict[str, _Flight] = {}

    def get(self, key: str) -> ModelList | Failed | None:
        """Return what is known, None if nothing is."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.ends_at <= self._now():
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return kept.found

    def keep(self, key: str, found: ModelList | Failed) -> None:
        """Remember what an upstream told."""
        lasts_s = LIST_S if isinstance(found, ModelList) else FAILURE_S
        self._kept[key] = _Kept(found, self._now() + lasts_s)
        self._kept.move_to_end(key)
        size = sum(kept.size for kept in self._kept.values())
        while len(self._kept) > MAX_ENTRIES or (size > MAX_KEPT_MODELS and len(self._kept) > 1):
            _, oldest = self._kept.popitem(last=False)
            size -= oldest.size

    async def share(
        self, key: str, fetch: Callable[[], Coroutine[None, None, ModelList | Failed]]
    ) -> ModelList | Failed:
        """Return what `fetch` does, called once for all who ask at the same time.

        One who is cancelled leaves the others their answer; with the last one the call ends.
        """
        flight = self._flights.get(key)
        loop = asyncio.get_running_loop()
        if flight is None or flight.task.get_loop() is not loop:
            flight = self._flights[key] = _Flight(loop.create_task(fetch()))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0:
                flight.task.cancel()  # does nothing to one that is done
                if self._flights.get(key) is flight:
                    del self._flights[key]
