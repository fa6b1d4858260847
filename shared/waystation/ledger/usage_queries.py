"""Reads what was used: aggregates of one user or of everybody, or the records of one user.

    A#<user>#<yyyy-mm> / M#<endpoint>#<model>#<dd>          aggregates of a user's month
    index: MONTH#<yyyy-mm>#<shard> / <user>#...             whose aggregates there are in a month
    U#<user> / REQ#<ulid>                                   records

Every read is bounded, by what is given as `limit`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from waystation.aws.table import Item, Table
from waystation.ledger.aggregates import month_partition
from waystation.ledger.records import SHARDS, bounded
from waystation.ledger.usage_sums import (
    Portion,
    key_parts,
    portion_of_aggregate,
    portion_of_record,
)
from waystation.wire.key_parts import encode_part
from waystation.wire.moments import read_moment, write_moment

DAY_MS = 86_400_000

_AT_ONCE = 8  # partitions that are read at the same time
# A record's id is made when the request comes, or the chat that the title is for.
_BEFORE_MS, _AFTER_MS = 3_600_000, 300_000
_ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LAST = "\U0010ffff"
_AFTER_HASH = chr(ord("#") + 1)
_T = TypeVar("_T")


class TooMuchUsageError(Exception):
    """There is more to read than the limit allows."""


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment to before another one, in milliseconds since 1970."""

    from_ms: int
    to_ms: int

    def widened(self) -> "Span":
        """Return the span of whole days (UTC) around this one."""
        last = -(-self.to_ms // DAY_MS)
        return Span(self.from_ms // DAY_MS * DAY_MS, last * DAY_MS)

    def months(self) -> list[str]:
        """Return the months (UTC, `2026-11`) that the span touches."""
        first, last = _month_of(self.from_ms), _month_of(self.to_ms - 1)
        return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Only:
    """What alone is wanted; None is no matter."""

    endpoint: str | None = None
    model: str | None = None
    conversation: str | None = None


ALL = Only()


class UsageQueries:
    """Reads the table. Every method raises TableError, and TooMuchUsageError beyond `limit`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def aggregates_of(
        self, user_id: str, span: Span, only: Only = ALL, *, limit: int
    ) -> list[Portion]:
        """Return what a user used on the days of `span`, which are whole."""
        keys = [f"A#{encode_part(user_id)}#{month}" for month in span.months()]
        return await self._partitions(keys, span, only, limit)

    async def everybodys_aggregates(
        self, span: Span, only: Only = ALL, *, limit: int
    ) -> list[Portion]:
        """Return what all users used on the days of `span`, which are whole.

        Who used anything the index says. A user's first request of a day and model may be missing
        for a moment.
        """
        budget = _Budget(limit)

        async def read(month: str, shard: int) -> Iterable[tuple[str, str]]:
            index = month_partition(month, shard)
            return await budget.spend(lambda most: self._table.indexed(index, _LAST, limit=most))

        shards = [(month, shard) for month in span.months() for shard in range(SHARDS)]
        found = await _all(partial(read, *shard) for shard in shards)
        keys = {pk for page in found for pk, sk in page if _matches(pk, sk, span, only)}
        return await self._partitions(sorted(keys), span, only, limit)

    async def records_of(
        self, user_id: str, span: Span, only: Only = ALL, *, limit: int
    ) -> list[Portion]:
        """Return what a user's records tell, each by itself; `span` need not be of whole days."""
        pk = f"U#{encode_part(user_id)}"
        first = f"REQ#{_ulid_time(max(0, span.from_ms - _BEFORE_MS))}"
        last = f"REQ#{_ulid_time(span.to_ms + _AFTER_MS)}"
        items = await _Budget(limit).spend(
            lambda most: self._table.between(pk, first, last, limit=most)
        )
        first, last = write_moment(span.from_ms), write_moment(span.to_ms)
        wanted = (
            item
            for item in items
            if first <= str(item.get("created_at", "")) < last and _is_wanted(item, only)
        )
        return [portion for item in wanted if (portion := portion_of_record(item)) is not None]

    async def _partitions(
        self, keys: list[str], span: Span, only: Only, limit: int
    ) -> list[Portion]:
        prefix = "M#" if only.endpoint is None else f"M#{_part(only.endpoint)}#"
        end = prefix[:-1] + _AFTER_HASH  # after all that begins with the prefix
        budget = _Budget(limit)

        async def read(pk: str) -> list[Item]:
            items = await budget.spend(
                lambda most: self._table.between(pk, prefix, end, limit=most)
            )
            return [item for item in items if _matches(pk, str(item["SK"]), span, only)]

        found = await _all(partial(read, pk) for pk in keys)
        return [portion_of_aggregate(item) for items in found for item in items]


class _Budget:
    """How many items may still be read."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    async def spend(self, read: Callable[[int], Awaitable[Sequence[_T]]]) -> Sequence[_T]:
        """Return what `read` finds, which is told how much to look for at most."""
        self._check()
        found = await read(self._left + 1)
        self._left -= len(found)
        self._check()
        return found

    def _check(self) -> None:
        if self._left < 0:
            raise TooMuchUsageError


def _matches(pk: str, sk: str, span: Span, only: Only) -> bool:
    """Tell whether an aggregate's key is of a day of `span`, and of what is wanted."""
    endpoint, model, day = key_parts(sk)
    at_ms = read_moment(f"{pk.rpartition('#')[2]}-{day}")
    return (
        span.from_ms <= at_ms < span.to_ms
        and (only.endpoint is None or endpoint == _part(only.endpoint))
        and (only.model is None or model == _part(only.model))
    )


def _is_wanted(item: Item, only: Only) -> bool:
    wanted = {
        "endpoint": bounded(only.endpoint),
        "model": bounded(only.model),
        "conversation_id": bounded(only.conversation),
    }
    return all(text is None or item.get(name) == text for name, text in wanted.items())


def _part(text: str) -> str:
    return encode_part(bounded(text) or "")


def _ulid_time(milliseconds: int) -> str:
    return "".join(_ULID_DIGITS[(milliseconds >> shift) & 31] for shift in range(45, -1, -5))


def _month_of(milliseconds: int) -> int:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.year * 12 + moment.month - 1


async def _all(reads: Iterable[Callable[[], Awaitable[_T]]]) -> list[_T]:
    """Do many reads, a few at the same time. The first that fails ends them, and is raised."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(read: Callable[[], Awaitable[_T]]) -> _T:
        async with gate:
            return await read()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(read)) for read in reads]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
