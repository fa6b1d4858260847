"""Keeps the configuration fresh while requests use it.

A young snapshot is used as it is, an older one is used while a new one is fetched beside the
request, and a stale one waits for that fetch, but not for long. Whatever goes wrong, the last good
snapshot stays. Several requests share one fetch.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from waystation.config.snapshot import (
    ConfigProblem,
    ConfigRejectedError,
    ConfigSnapshot,
    build_snapshot,
)
from waystation.config.sources import ConfigSource, ConfigSourceError
from waystation.errors import ConfigUnavailableError

RETRY_AFTER_S = 1.0


class ConfigLoader:
    """Loads snapshots from `source` and decides when to look again.

    `now` is a monotonic clock in seconds. `refresh_after_s=0` looks before every answer, which
    suits files. A request waits no longer than the budget of its case. `on_rejected` is called
    once for each revision that is unusable as a whole, with its problems; `on_flawed` for each that
    is used but for some entries; `on_unreadable` once for each time the store becomes unreadable,
    with the reason. `allowed_addresses` are allowed beside those of each file.
    """

    def __init__(
        self,
        source: ConfigSource,
        *,
        refresh_after_s: float,
        stale_after_s: float,
        now: Callable[[], float],
        on_rejected: Callable[[tuple[ConfigProblem, ...]], None],
        on_flawed: Callable[[tuple[ConfigProblem, ...]], None],
        on_unreadable: Callable[[str], None],
        allowed_addresses: frozenset[str] = frozenset(),
        first_load_budget_s: float = 3.0,
        refresh_budget_s: float = 1.0,
    ) -> None:
        self._source = source
        self._refresh_after_s = refresh_after_s
        self._stale_after_s = stale_after_s
        self._now = now
        self._on_rejected = on_rejected
        self._on_flawed = on_flawed
        self._on_unreadable = on_unreadable
        self._allowed_addresses = allowed_addresses
        self._first_load_budget_s = first_load_budget_s
        self._refresh_budget_s = refresh_budget_s
        self._current: ConfigSnapshot | None = None
        self._revision: str | None = None
        self._checked_at = now()
        self._failed_at: float | None = None
        self._is_unreadable = False
        self._refresh: asyncio.Task[None] | None = None

    async def snapshot(self) -> ConfigSnapshot:
        """Return the configuration to use for one request.

        Raises:
            ConfigUnavailableError: there has been no usable configuration yet.

        """
        age = self._now() - self._checked_at
        if self._current is None:
            await self._wait_for_refresh(self._first_load_budget_s)
        elif self._refresh_after_s == 0:
            await self._load()  # a look at a file waits for nothing
        elif age >= self._stale_after_s:
            await self._wait_for_refresh(self._refresh_budget_s)
        elif age >= self._refresh_after_s:
            self._start_refresh()
        if self._current is None:
            raise ConfigUnavailableError
        return self._current

    async def _wait_for_refresh(self, budget_s: float) -> None:
        """Wait for a look at the source; one that began earlier does where age is allowed."""
        running, checked_at = self._running_refresh(), self._checked_at
        if running and (self._refresh_after_s == 0 or self._current is not None):
            await asyncio.wait({running}, timeout=budget_s)
            if self._refresh_after_s > 0 and (self._checked_at > checked_at or not running.done()):
                return
            self._failed_at = None  # it may have failed only because the process was frozen
        refresh = self._start_refresh()
        if refresh:
            done, _ = await asyncio.wait({refresh}, timeout=budget_s)
            for task in done:
                task.result()

    def _running_refresh(self) -> asyncio.Task[None] | None:
        """Return the refresh of this event loop; one of an earlier loop never ends."""
        task = self._refresh
        if task and not task.done() and task.get_loop() is asyncio.get_running_loop():
            return task
        return None

    def _start_refresh(self) -> asyncio.Task[None] | None:
        """Return the running refresh or a new one; None while a failure is too recent."""
        running = self._running_refresh()
        if running:
            return running
        has_just_failed = (
            self._failed_at is not None and self._now() - self._failed_at < RETRY_AFTER_S
        )
        if has_just_failed and self._refresh_after_s > 0:
            return None
        self._refresh = asyncio.get_running_loop().create_task(self._load())
        return self._refresh

    async def _load(self) -> None:
        began = self._now()
        try:
            async with asyncio.timeout(self._first_load_budget_s):
                fetched = await self._source.fetch(self._revision)
        except (ConfigSourceError, TimeoutError) as error:
            if self._now() - began > self._first_load_budget_s + RETRY_AFTER_S:
                return  # the process was frozen meanwhile, which tells nothing of the store
            self._failed_at = self._now()
            if not self._is_unreadable:
                self._is_unreadable = True
                self._on_unreadable(str(error) or "the store took too long to answer")
            return
        self._is_unreadable = False
        if fetched:
            try:
                snapshot = await asyncio.to_thread(build_snapshot, fetched.document)
                allowed = snapshot.allowed_addresses | self._allowed_addresses
                self._current = replace(snapshot, allowed_addresses=allowed)
                if snapshot.errors:
                    self._on_flawed(snapshot.errors)
            except ConfigRejectedError as error:
                self._on_rejected(error.problems)
            self._revision = fetched.revision
        self._checked_at = self._now()
        self._failed_at = self._checked_at if self._current is None else None
