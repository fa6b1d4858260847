"""A table and a queue that fail as told: by the number of the call, before or after their work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import TypeVar

from waystation.aws.queue import QueueError
from waystation.aws.table import (
    Item,
    Refusal,
    Table,
    TableBusyError,
    TableError,
    TableUnsureError,
    Write,
)

T = TypeVar("T")


class Fault(Enum):
    """What becomes of a call. Only UNSURE_AFTER does its work, and LATE: when it is let go."""

    BUSY = "busy"
    UNSURE_BEFORE = "unsure before"
    UNSURE_AFTER = "unsure after"
    DOWN = "down"
    LATE = "late"


class FaultyTable:
    """Another table behind faults. `calls` are the names of all calls so far, in order.

    `faults` are by the number of the call, from 0; `always` is that of all calls without one.
    Each call lets others work before it and after it.
    """

    def __init__(
        self,
        table: Table,
        faults: Mapping[int, Fault] | None = None,
        *,
        always: Fault | None = None,
    ) -> None:
        self.inner = table
        self.faults = dict(faults or {})
        self.always = always
        self.calls: list[str] = []
        self.writes: list[Sequence[Write]] = []
        self.held_up: list[Callable[[], Awaitable[object]]] = []

    async def let_go(self) -> None:
        """Do the work of the calls that are LATE; what it comes to is told to nobody."""
        held_up, self.held_up = self.held_up, []
        for work in held_up:
            await work()

    async def _do(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        fault = self.faults.get(len(self.calls), self.always)
        self.calls.append(name)
        await asyncio.sleep(0)
        if fault is Fault.BUSY:
            raise TableBusyError("busy")
        if fault is Fault.UNSURE_BEFORE:
            raise TableUnsureError("unsure")
        if fault is Fault.DOWN:
            raise TableError("down")
        if fault is Fault.LATE:
            self.held_up.append(work)
            raise TableUnsureError("late")
        done = await work()
        await asyncio.sleep(0)
        if fault is Fault.UNSURE_AFTER:
            raise TableUnsureError("unsure")
        return done

    async def get(self, pk: str, sk: str) -> Item | None:
        return await self._do("get", lambda: self.inner.get(pk, sk))

    async def put_new(self, *items: Item) -> bool:
        return await self._do("put_new", lambda: self.inner.put_new(*items))

    async def put(self, item: Item) -> None:
        await self._do("put", lambda: self.inner.put(item))

    async def delete(self, pk: str, sk: str) -> None:
        await self._do("delete", lambda: self.inner.delete(pk, sk))

    async def update(self, pk: str, sk: str, changes: Mapping[str, object]) -> bool:
        return await self._do("update", lambda: self.inner.update(pk, sk, changes))

    async def transact(self, *writes: Write) -> Refusal | None:
        self.writes.append(writes)
        return await self._do("transact", lambda: self.inner.transact(*writes))

    async def query(self, pk: str, sk_prefix: str = "") -> Sequence[Item]:
        return await self._do("query", lambda: self.inner.query(pk, sk_prefix))

    async def between(
        self, pk: str, first: str, last: str, *, limit: int, newest_first: bool = False
    ) -> Sequence[Item]:
        return await self._do(
            "between",
            lambda: self.inner.between(pk, first, last, limit=limit, newest_first=newest_first),
        )

    async def indexed(self, index_pk: str, last: str, *, limit: int) -> Sequence[tuple[str, str]]:
        return await self._do("indexed", lambda: self.inner.indexed(index_pk, last, limit=limit))

    async def scan(self, sk_prefix: str) -> Sequence[Item]:
        return await self._do("scan", lambda: self.inner.scan(sk_prefix))


class QueueFault(Enum):
    """What becomes of a message; the sender is told of an error either way."""

    LOST = "lost"
    SENT = "sent"


class FaultyQueue:
    """A queue that keeps its messages. `faults` are by the number of the call, from 0."""

    def __init__(self, faults: Mapping[int, QueueFault] | None = None) -> None:
        self.faults = dict(faults or {})
        self.messages: list[str] = []
        self.calls = 0

    async def send(self, body: str) -> None:
        fault = self.faults.get(self.calls)
        self.calls += 1
        await asyncio.sleep(0)
        if fault is not QueueFault.LOST:
            self.messages.append(body)
        if fault is not None:
            raise QueueError("the queue did not answer")
