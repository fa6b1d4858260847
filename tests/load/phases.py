"""What is done to a gateway under load, and what must be true of it afterwards."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.load.clients import KEY, Heard, ask
from tests.load.upstream import CHUNKS, EVENTS, RATES, MeteringUpstream, usage_of
from tests.support.dev_process import DevProcess

USERS = 20
MAX_INFLIGHT = 20
SETTLED_WITHIN_S = 20.0


@dataclass(slots=True)
class Load:
    """A gateway in a process of its own, its upstream, and whom it has answered."""

    gateway: DevProcess
    upstream: MeteringUpstream
    heard: dict[int, Heard] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=dict)
    refused: list[Heard] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    async def streams(self, at_once: int, seconds: float, *, leaving: float = 0.0) -> None:
        """Have so many streams at once for so long; this share of clients hang up within one."""
        ends_at = time.monotonic() + seconds

        async def client() -> None:
            while time.monotonic() < ends_at:
                number = next(self._numbers)
                leaves = self._random.random() < leaving
                after = self._random.randint(1, CHUNKS) if leaves else None
                await self._ask(number, f"user-{number % USERS}", after)

        await asyncio.gather(*(client() for _ in range(at_once)))

    async def hot_user(self, at_once: int, each: int) -> None:
        """Have one user ask by so many clients at once; who is refused asks again."""

        async def client() -> None:
            for _ in range(each):
                number = next(self._numbers)
                await self._until_answered(number)

        await asyncio.gather(*(client() for _ in range(at_once)))

    def added_ms(self, first: int = 0) -> list[float]:
        """Return by how much longer whole answers took than their upstream, the least first."""
        whole = [(n, one) for n, one in self.heard.items() if n >= first and not one.has_left]
        return sorted((one.seconds - self.upstream.seconds[n]) * 1000 for n, one in whole)

    async def _until_answered(self, number: int) -> None:
        is_answered = await self._ask(number, "hot", None)
        while not is_answered:
            await asyncio.sleep(self._random.uniform(0.05, 0.25))
            is_answered = await self._ask(number, "hot", None)

    async def _ask(self, number: int, user: str, after: int | None) -> bool:
        port = int(self.gateway.url.rpartition(":")[2])
        answer = await ask(port, user, number, leaves_after=after)
        if answer.status == 429:
            self.refused.append(answer)
            return False
        self.heard[number], self.users[number] = answer, user
        return True


async def without_gateway(at_once: int, seconds: float) -> list[float]:
    """Have clients ask an upstream itself; return by how many ms it took them longer, in order."""
    numbers, ends_at = itertools.count(), time.monotonic() + seconds
    heard: dict[int, Heard] = {}
    with MeteringUpstream() as upstream:

        async def client() -> None:
            while time.monotonic() < ends_at:
                number = next(numbers)
                heard[number] = await ask(upstream.port, "nobody", number, leaves_after=EVENTS)

        await asyncio.gather(*(client() for _ in range(at_once)))
        return sorted((one.seconds - upstream.seconds[n]) * 1000 for n, one in heard.items())


@contextmanager
def loaded(directory: Path, **root: object) -> Iterator[Load]:
    """Start a gateway whose upstream charges for all it does."""
    with MeteringUpstream() as upstream:
        entry = {
            "name": "Acme",
            "apiKey": "a-key",
            "baseURL": upstream.url,
            "models": {"default": ["acme-large"]},
            "tokenConfig": {"acme-large": RATES},
        }
        config = yaml.safe_dump({"version": "1.3.0", "endpoints": {"custom": [entry]}, **root})
        with DevProcess(directory, "--no-demo", config=config, key=KEY) as gateway:
            gateway.client.timeout = 60
            yield Load(gateway, upstream)


def check(load: Load) -> int:
    """Expect every stream to be whole and paid for, once; return what all of them cost.

    Records are told by conversation, of which each request has its own; sums by user.
    """
    for number, answer in load.heard.items():
        assert answer.has_left or answer.is_whole, answer.text[-500:]
        assert answer.has_left or answer.cost_nanousd == usage_of(number).cost_nanousd
    assert Counter(load.upstream.asked) == Counter(dict.fromkeys(load.heard, 1))
    total = sum(usage_of(number).cost_nanousd for number in load.heard)
    sums = _settled(load, len(load.heard))
    assert sum(row["cost_nanousd"] for row in sums.values()) == total
    for user, row in sums.items():
        numbers = [number for number, whose in load.users.items() if whose == user]
        records = _rows(load, "conversation", {"x-librechat-user-id": user})
        costs = {name: row["cost_nanousd"] for name, row in records.items()}
        assert costs == {f"c-{number}": usage_of(number).cost_nanousd for number in numbers}
        assert row["cost_nanousd"] == sum(costs.values())
        assert row["requests"] == len(numbers)
        assert (row["errors"], row["estimated_requests"]) == (0, 0)
    return total


def check_refusals(load: Load) -> None:
    """Expect that one user's share was kept to, and who was refused was told when to come back."""
    assert load.refused
    assert all(b'"rate_limited"' in answer.text for answer in load.refused)
    assert all(answer.retry_after_s == 1 for answer in load.refused)
    assert load.upstream.most_at_once <= MAX_INFLIGHT


def check_balance(load: Load, user: str, granted: int) -> None:
    """Expect a user's balance to have nothing held, and to be less what was spent."""
    whose = {"x-librechat-user-id": user}
    balance = load.gateway.client.get("/v1/balance", headers=whose).json()
    numbers = [number for number, one in load.users.items() if one == user]
    spent = sum(usage_of(number).cost_nanousd for number in numbers)
    assert (balance["held_nanousd"], balance["in_flight"]) == (0, 0)
    assert (balance["spent_nanousd"], balance["granted_nanousd"]) == (spent, granted)
    assert balance["available_nanousd"] == granted - spent


def check_log(load: Load) -> None:
    """Expect no line of an error."""
    text = load.gateway.output.read_text(encoding="utf-8")
    assert "_unwritten" not in text
    assert '"level":"ERROR"' not in text.replace(" ", "")


def _settled(load: Load, count: int) -> dict[str, Any]:
    """Return the sums by user, when all of so many requests are in them."""
    until = time.monotonic() + SETTLED_WITHIN_S
    while True:
        sums = _rows(load, "user", {})
        if sum(row["requests"] for row in sums.values()) >= count or time.monotonic() > until:
            return sums
        time.sleep(0.1)


def _rows(load: Load, group: str, headers: dict[str, str]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    while True:
        asked = {"group_by": group, "offset": str(len(rows))}
        answer = load.gateway.client.get("/v1/usage", params=asked, headers=headers).json()
        rows += answer["data"]
        if not answer["has_more"]:
            return {row[group]: row for row in rows}
