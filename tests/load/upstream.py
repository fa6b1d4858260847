"""An upstream that takes its time for each stream and remembers what it has charged for it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from tests.support.fake_upstream import (
    DONE,
    FakeUpstream,
    Received,
    Step,
    chunk_of,
    kept_head,
    stream_reply,
)

CHUNKS = 8
EVENTS = CHUNKS + 3  # why it ended, the usage, and [DONE]
PAUSE_S = 0.025
RATES = {"prompt": 0.0175, "completion": 0.13, "cacheRead": 0.0035, "context": 128000}
"""USD for a million tokens; what a request costs is hardly ever a whole number of nano-USD."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one request has used."""

    sent: int
    cached: int
    received: int

    @property
    def cost_nanousd(self) -> int:
        """What that costs, rounded up once."""
        exact = (self.sent - self.cached) * Fraction("17.5")
        exact += self.cached * Fraction("3.5") + self.received * Fraction(130)
        return ceil(exact)


def usage_of(number: int) -> Usage:
    """Return what the request of a number uses."""
    return Usage(10 + number % 977, number % 9, 1 + number % 89)


class MeteringUpstream:
    """A context manager. Requests are told apart by a number, which is all that they say."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}
        """How long the answer to each number took."""
        self.asked: list[int] = []
        self.most_at_once = 0
        self._at_once = 0
        self._upstream = FakeUpstream(keeps_connections=True)
        self._upstream.answer(self._reply)

    def __enter__(self) -> "MeteringUpstream":
        self._upstream.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._upstream.__exit__()

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return self._upstream.url

    @property
    def port(self) -> int:
        return int(self._upstream.address.rpartition(":")[2])

    def _reply(self, request: Received) -> Iterator[Step]:
        number = int(request.json["messages"][0]["content"])
        began = time.perf_counter()
        self._upstream.received.clear()
        self.asked.append(number)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield from _steps(usage_of(number))
            self.seconds[number] = time.perf_counter() - began
        finally:
            self._at_once -= 1


def _steps(usage: Usage) -> Iterator[Step]:
    counts = {
        "prompt_tokens": usage.sent,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens": usage.received,
        "total_tokens": usage.sent + usage.received,
    }
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    said: list[object] = [
        piece for n in range(CHUNKS) for piece in (PAUSE_S, chunk_of(f"word{n} "))
    ]
    _, *steps = stream_reply(*said, chunk_of(choices=[end]), chunk_of(usage=counts), DONE)
    own = [("content-type", "text/event-stream"), ("transfer-encoding", "chunked")]
    yield kept_head(200, own)
    yield from steps
