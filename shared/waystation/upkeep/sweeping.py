"""Ends the open records whose time is over: their functions were stopped before they settled."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from waystation.aws.table import Table, TableError
from waystation.ledger.ledger import ExpireResult
from waystation.ledger.records import SHARDS, open_partition

PAGE = 100  # records of a shard that are asked for at once

_log = logging.getLogger("waystation.upkeep")

_Key: TypeAlias = tuple[str, str]


class Expires(Protocol):
    async def expire(self, user_pk: str, sk: str) -> ExpireResult:
        """End an open record whose time is over. Raises TableError."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep has done.

    `lag_s` is for how long the oldest record that is still open should have been ended; 0 if none
    is left. `unread` are the shards that the table did not tell.
    """

    swept: int = 0
    failures: int = 0
    lag_s: int = 0
    unread: int = 0


class Sweeper:
    """Goes through the shards side by side, and through the records of each one after another."""

    def __init__(self, table: Table, ledger: Expires, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._ledger = ledger
        self._now_ms = now_ms

    async def sweep(self, ends_at: float) -> Sweep:
        """End what is over, the oldest first, until `ends_at` on the event loop's clock.

        What fails, and what is left when the time is up, is for the next sweep. The outcome is
        logged as `upkeep_swept`.
        """
        shards = [_Shard(number) for number in range(SHARDS)]
        await asyncio.gather(*(self._sweep(shard, ends_at) for shard in shards))
        lags = [await self._lag_s(shard.left) for shard in shards if shard.left is not None]
        swept = Sweep(
            swept=sum(shard.swept for shard in shards),
            failures=sum(shard.failures for shard in shards),
            lag_s=max(lags, default=0),
            unread=sum(shard.is_unread for shard in shards),
        )
        told = {"swept": swept.swept, "sweep_failures": swept.failures + swept.unread}
        _log.info("upkeep_swept", extra=told | {"sweep_lag_s": swept.lag_s})
        return swept

    async def _sweep(self, shard: "_Shard", ends_at: float) -> None:
        now, seen = f"{self._now_ms():013d}", set[_Key]()
        while True:
            try:
                found = await self._table.indexed(
                    open_partition(shard.number), now, limit=PAGE + len(seen)
                )
            except TableError as error:
                shard.is_unread = True
                _log.error("sweep_failed", extra={"shard": shard.number, "cause": str(error)})
                return
            fresh = [key for key in found if key not in seen]
            for key in fresh:
                if asyncio.get_running_loop().time() >= ends_at:
                    shard.left = shard.left or key
                    return
                seen.add(key)
                await self._expire(shard, key)
            if not fresh:
                return

    async def _expire(self, shard: "_Shard", key: _Key) -> None:
        try:
            result = await self._ledger.expire(*key)
        except Exception as error:  # whatever is wrong with one must not keep the others
            shard.failures += 1
            shard.left = shard.left or key
            cause = str(error) if isinstance(error, TableError) else type(error).__name__
            told = {"request_id": key[1].removeprefix("REQ#"), "cause": cause}
            _log.error("sweep_failed", extra=told)
        else:
            shard.swept += result == "expired"

    async def _lag_s(self, key: _Key) -> int:
        """Return for how long a record should have been ended; 0 where that is not known."""
        try:
            item = await self._table.get(*key)
        except TableError:  # which has failed for this record before, and was told
            return 0
        expires_at = item.get("expires_at") if item and item.get("state") == "RESERVED" else None
        return (self._now_ms() - expires_at) // 1000 if isinstance(expires_at, int) else 0


@dataclass(slots=True)
class _Shard:
    """How far one shard is; `left` is the key of its oldest record that could not be ended."""

    number: int
    swept: int = 0
    failures: int = 0
    left: _Key | None = None
    is_unread: bool = False
