"""Working stand-ins for what the rooms are given: clocks, tables, stores, an upstream."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.config_entries import build_entry
from waystation.aws.table import Item, Refusal, TableError, Write
from waystation.config.built_ins import BuiltIns
from waystation.config.schema import Endpoint
from waystation.config.snapshot import ConfigProblem, ConfigSnapshot
from waystation.credentials.own import OwnCredentials
from waystation.credentials.sources import SecretSourceError
from waystation.egress.client import Egress, UpstreamResponse
from waystation.egress.deadlines import Deadline
from waystation.errors import ResponseTooLargeError
from waystation.ledger.balances import BalanceRules
from waystation.ledger.records import LedgerRecord, Opening
from waystation.wire.upstream_request import UpstreamRequest


class Clock:
    """A clock that moves only when told to."""

    def __init__(self, at: float = 1000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def build_snapshot_of(
    *endpoints: Endpoint,
    broken: Mapping[str, ConfigProblem] | None = None,
    version: str = "v1",
) -> ConfigSnapshot:
    """Return a snapshot of these endpoints; without any, of the minimal entry."""
    return ConfigSnapshot(
        version=version,
        endpoints=endpoints or (build_entry(),),
        broken=broken or {},
        allowed_addresses=frozenset(),
    )


class StaticConfig:
    """A configuration that stays as it is; an exception in its place is raised."""

    def __init__(self, snapshot: ConfigSnapshot | Exception) -> None:
        self._snapshot = snapshot

    async def snapshot(self) -> ConfigSnapshot:
        if isinstance(self._snapshot, Exception):
            raise self._snapshot
        return self._snapshot


class StaticSecrets:
    """Secrets that are at hand."""

    def __init__(self, **values: str) -> None:
        self.values = values

    async def resolve(self, names: Iterable[str]) -> Mapping[str, str]:
        return {name: self.values[name] for name in names if name in self.values}


class StaticUserKeys:
    """What every user has stored for every endpoint; an exception in its place is raised."""

    def __init__(self, own: OwnCredentials | Exception | None = None) -> None:
        self._own = own
        self.asked: list[tuple[str, str]] = []

    async def find(self, user_id: str, endpoint: str) -> OwnCredentials | None:
        self.asked.append((user_id, endpoint))
        if isinstance(self._own, Exception):
            raise self._own
        return self._own


def built_ins(**values: str) -> BuiltIns:
    """Return the built-in endpoints whose variables have these values."""
    return BuiltIns(StaticSecrets(**values), now=lambda: 0.0)


class ScriptedSecretStore:
    """A store of secrets that can be down or slow, and writes down what it is asked."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.is_down = False
        self.gate: asyncio.Event | None = None
        self.asked: list[set[str]] = []

    async def fetch(self, names: Iterable[str]) -> Mapping[str, str]:
        wanted = set(names)
        self.asked.append(wanted)
        if self.gate is not None:
            await self.gate.wait()
        if self.is_down:
            raise SecretSourceError("the store is down")
        return {name: self.values[name] for name in wanted if name in self.values}


class BrokenTable:
    """A table that never answers."""

    async def get(self, pk: str, sk: str) -> Item | None:
        raise TableError("down")

    async def put_new(self, *items: Item) -> bool:
        raise TableError("down")

    async def put(self, item: Item) -> None:
        raise TableError("down")

    async def delete(self, pk: str, sk: str) -> None:
        raise TableError("down")

    async def update(self, pk: str, sk: str, changes: Mapping[str, object]) -> bool:
        raise TableError("down")

    async def transact(self, *writes: Write) -> Refusal | None:
        raise TableError("down")

    async def query(self, pk: str, sk_prefix: str = "") -> Sequence[Item]:
        raise TableError("down")

    async def between(
        self, pk: str, first: str, last: str, *, limit: int, newest_first: bool = False
    ) -> Sequence[Item]:
        raise TableError("down")

    async def indexed(self, index_pk: str, last: str, *, limit: int) -> Sequence[tuple[str, str]]:
        raise TableError("down")

    async def scan(self, sk_prefix: str) -> Sequence[Item]:
        raise TableError("down")


class InMemoryLedger:
    """A ledger that remembers every opening and every record it was given."""

    def __init__(self) -> None:
        self.openings: list[Opening] = []
        self.records: list[LedgerRecord] = []

    async def open(self, opening: Opening) -> None:
        await asyncio.sleep(0)
        self.openings.append(opening)

    async def reserve(self, opening: Opening, balance: BalanceRules | None) -> None:
        await asyncio.sleep(0)
        self.openings.append(opening)

    async def settle(self, record: LedgerRecord) -> None:
        await asyncio.sleep(0)
        self.records.append(record)


class Hang:
    """In a script: nothing more comes, ever."""


Step = bytes | Exception | Hang


@dataclass
class Reply:
    """What an upstream answers: a status and headers, then the steps of the body in turn."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    is_closed: bool = False


class ScriptedResponse(UpstreamResponse):
    """An answer that comes from a script instead of a connection."""

    def __init__(self, reply: Reply) -> None:
        self._steps = iter(reply.steps)
        self._size = 0
        self.status = reply.status
        self.headers = reply.headers

    async def receive(self, limit: int = 2**25) -> bytes:
        await asyncio.sleep(0)
        step = next(self._steps, b"")
        if isinstance(step, Hang):
            await asyncio.Event().wait()
        if isinstance(step, Exception):
            raise step
        assert isinstance(step, bytes)
        self._size += len(step)
        if self._size > limit:
            raise ResponseTooLargeError("The upstream's answer is too large.")
        return step


class ScriptedEgress(Egress):
    """Answers requests from a script, in order, and keeps what was sent."""

    def __init__(self, *script: Reply | Exception | Hang) -> None:
        super().__init__()
        self.script = list(script)
        self.sent: list[UpstreamRequest] = []

    @asynccontextmanager
    async def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AsyncIterator[UpstreamResponse]:
        self.sent.append(request)
        reply = self.script.pop(0)
        async with deadline.within(deadline.first_byte_s):
            if isinstance(reply, Hang):
                await asyncio.Event().wait()
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, Reply)
        try:
            yield ScriptedResponse(reply)
        finally:
            reply.is_closed = True
