"""Resolves the operator's variables when a call needs them, so that rotation works.

Values are cached for five minutes and, while the store is down, served for up to an hour. A name
that no source knows is not cached: it may be put there any moment.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from waystation.credentials.sources import SecretSource, SecretSourceError
from waystation.errors import SecretUnavailableError

_log = logging.getLogger("waystation.credentials")

FRESH_S = 300.0
STALE_S = 3600.0


class Secrets:
    """Looks names up in each source in turn. One per process; safe for concurrent requests."""

    def __init__(
        self,
        local: Sequence[SecretSource],
        remote: SecretSource | None = None,
        *,
        now: Callable[[], float],
    ) -> None:
        """Ask `local` sources every time, in order; `remote` for the rest, cached."""
        self._local = tuple(local)
        self._remote = remote
        self._now = now
        self._cache: dict[str, tuple[str, float]] = {}
        self._live: dict[str, str] = {}
        self._fetching: dict[str, asyncio.Task[Mapping[str, str]]] = {}

    async def resolve(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the non-empty values that were found. Raises SecretUnavailableError.

        A name without a value is simply absent: the caller knows which endpoint that breaks.
        """
        wanted = set(names)
        found: dict[str, str] = {}
        for source in self._local:
            if wanted - found.keys():
                found.update(await source.fetch(wanted - found.keys()))
        missing = wanted - found.keys()
        if missing and self._remote is not None:
            found.update(await self._cached(missing, self._remote))
        values = {name: value for name, value in found.items() if value}
        self._live.update(values)
        return values

    def live_values(self) -> list[str]:
        """Return the values in use, for the filter that keeps them out of logs."""
        return list(self._live.values())

    async def _cached(self, names: set[str], remote: SecretSource) -> Mapping[str, str]:
        now = self._now()
        cached = {name: self._cache[name] for name in names if name in self._cache}
        fresh = {name: value for name, (value, at) in cached.items() if now - at < FRESH_S}
        rest = names - fresh.keys()
        if not rest:
            return fresh
        try:
            fetched = await self._fetch(rest, remote)
        except SecretSourceError as error:
            stale = {name: value for name, (value, at) in cached.items() if now - at < STALE_S}
            if rest <= stale.keys():
                return fresh | stale
            _log.error("secrets_unavailable", extra={"cause": str(error)})
            raise SecretUnavailableError(
                "The store of the gateway's secrets cannot be reached."
            ) from error
        self._cache.update({name: (value, now) for name, value in fetched.items()})
        return fresh | fetched

    async def _fetch(self, names: set[str], remote: SecretSource) -> dict[str, str]:
        """Fetch each name once, however many requests want it at the same time."""
        loop = asyncio.get_running_loop()
        running = {
            name: task
            for name in names
            if (task := self._fetching.get(name)) is not None and task.get_loop() is loop
        }
        rest = names - running.keys()
        if rest:
            task = asyncio.ensure_future(remote.fetch(rest))
            for name in rest:
                running[name] = self._fetching[name] = task
            task.add_done_callback(lambda _: self._forget(rest))
        answers = [await asyncio.shield(task) for task in set(running.values())]
        return {
            name: value for answer in answers for name, value in answer.items() if name in names
        }

    def _forget(self, names: set[str]) -> None:
        for name in names:
            self._fetching.pop(name, None)
