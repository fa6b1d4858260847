"""Measures one function in a fresh process, and tells figures as a table."""

import asyncio
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from waystation_cli.benchmark.processes import cpu_s, peak_mb
from waystation_cli.benchmark.upstream import Upstream
from waystation_cli.local_lambda.function import FunctionSpec, Sandbox
from waystation_cli.local_lambda.invocation import Invocation

WARM_UP = 20
STREAMS = 10
# What the Lambda runtime brings itself, and what no deployment has.
NOT_PACKAGED = {"__pycache__", "awslambdaric", "pip", "simplejson", "snapshot_restore_py"}

_PRELUDE_ENDS = b"\0" * 8  # between the status of a streamed answer and its body

Figures = Mapping[str, float]


class BenchmarkError(Exception):
    """A function did not do what is measured; the text says what it said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it left the function; times in seconds of `time.perf_counter`."""

    pieces: Sequence[bytes]
    began: float
    first_piece_at: float
    ended: float

    @property
    def ms(self) -> float:
        """How long the event took."""
        return (self.ended - self.began) * 1000


@dataclass(frozen=True, slots=True)
class Events:
    """What a function is asked: a chat that is answered whole, and one that streams."""

    whole: object
    streamed: object


async def measure(spec: FunctionSpec, events: Events, upstream: Upstream, count: int) -> Figures:
    """Return the figures of one process: its start, `count` warm events, and streams.

    Raises BenchmarkError.
    """
    sandbox = Sandbox(spec)
    try:
        init_ms = await sandbox.start() * 1000
        if sandbox.process is None or not sandbox.api.is_waiting.is_set():
            raise BenchmarkError(f"{spec.name} did not start")
        pid = sandbox.process.pid
        first = await _ask(sandbox, events.whole)
        cold_s = cpu_s(pid)
        for _ in range(WARM_UP):
            await _ask(sandbox, events.whole)
        before_s = cpu_s(pid)
        times = sorted([(await _ask(sandbox, events.whole)).ms for _ in range(count)])
        used_s = cpu_s(pid) - before_s
        streams = [await _stream(sandbox, events.streamed, upstream) for _ in range(STREAMS)]
        return {
            "cold: init + first request, ms": init_ms + first.ms,
            "processor for that, ms": cold_s * 1000,
            "init, ms": init_ms,
            "first request, ms": first.ms,
            "warm p50, ms": times[count // 2],
            "warm p99, ms": times[count * 99 // 100],
            "processor per warm request, ms": used_s / count * 1000,
            "peak memory, MB": peak_mb(pid),
            "stream: first byte after the upstream's, ms": statistics.median(s[0] for s in streams),
            "stream: writes per 40 events": statistics.median(s[1] for s in streams),
        }
    finally:
        await sandbox.stop()


async def _ask(sandbox: Sandbox, event: object) -> Answer:
    invocation = Invocation(event, sandbox.spec.timeout_s)
    began = time.perf_counter()
    served = asyncio.create_task(sandbox.invoke(invocation))
    pieces: list[bytes] = []
    first_piece_at = 0.0
    async for piece in invocation.pieces():
        if invocation.is_streamed and not pieces and piece.endswith(_PRELUDE_ENDS):
            continue  # the status alone
        first_piece_at = first_piece_at or time.perf_counter()
        pieces.append(piece)
    ended = time.perf_counter()
    await served
    answer = b"".join(pieces)
    if invocation.fault is not None or b"chatcmpl-bench" not in answer:
        raise BenchmarkError(f"{sandbox.spec.name}: {invocation.fault} {answer[:500]!r}")
    return Answer(pieces, began, first_piece_at, ended)


async def _stream(sandbox: Sandbox, event: object, upstream: Upstream) -> tuple[float, int]:
    answer = await _ask(sandbox, event)
    return (answer.first_piece_at - upstream.first_event_at) * 1000, len(answer.pieces)


def chat_event(key: str, *, stream: bool) -> object:
    """Return a chat of 4 KB as an event of a REST API."""
    said = {"role": "user", "content": "word " * 800}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return {
        "resource": "/v1/chat/completions",
        "path": "/v1/chat/completions",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/v1/chat/completions",
            "httpMethod": "POST",
            "path": "/prod/v1/chat/completions",
            "stage": "prod",
            "protocol": "HTTP/1.1",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "bench"},
        },
        "body": json.dumps({"model": "Bench/bench", "messages": [said], "stream": stream}),
        "isBase64Encoded": False,
    }


def package_mb(directory: Path) -> float:
    """Return the size of what is deployed of a directory, without compiled files, in MB."""
    sizes = (
        path.stat().st_size
        for path in directory.rglob("*")
        if path.is_file() and not _is_left_out(path.relative_to(directory).parts)
    )
    return sum(sizes) / 1e6


def _is_left_out(parts: Sequence[str]) -> bool:
    names = {part.partition("-")[0] for part in parts}
    return not names.isdisjoint(NOT_PACKAGED) or parts[0].startswith("runtime_client")


def median_of(rounds: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def table(yardstick: Figures, ours: Figures) -> str:
    """Return the figures as a table of Markdown, the ratio first."""
    lines = ["| figure | ratio | Waystation | forwarder |", "|---|---:|---:|---:|"]
    for name, figure in ours.items():
        ratio = f"{figure / yardstick[name]:.2f}" if yardstick[name] else ""
        lines.append(f"| {name} | {ratio} | {figure:.4g} | {yardstick[name]:.4g} |")
    return "\n".join(lines)
