"""Loads `waystation dev` on this machine and tells what it took; `make load` runs this module."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from tests.load.phases import (
    Load,
    check,
    check_balance,
    check_log,
    check_refusals,
    loaded,
    without_gateway,
)
from tests.load.watching import check_is_flat, quarters, watching
from waystation.egress.transport import DEFAULT_LIMITS
from waystation_cli.benchmark.processes import cpu_s

STREAMS = 50
SPIKE = 4
WARM_UP_S = 2.0
CREDITS = 1_000_000
MB = 1024 * 1024

Figures: TypeAlias = Mapping[str, float]
Work: TypeAlias = Callable[[Load], Awaitable[None]]


def main() -> None:
    """Run the phases one after another, each with a gateway of its own; print figures as JSON."""
    parser = argparse.ArgumentParser(description="Load a gateway on this machine.")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the longest phase")
    seconds: float = parser.parse_args().seconds
    balance = {"enabled": True, "startBalance": CREDITS}
    direct = asyncio.run(without_gateway(STREAMS, seconds / 6))
    _write("without gateway", {"streams": len(direct), **_percentiles(direct)})
    _tell("steady", lambda load: load.streams(STREAMS, seconds))
    _tell("balances", lambda load: load.streams(STREAMS, seconds / 3), balance=balance)
    _tell("spike", lambda load: _spike(load, seconds))
    _tell("leaving", lambda load: load.streams(STREAMS, seconds / 3, leaving=0.3))
    _tell("hot user", lambda load: load.hot_user(STREAMS, 20), balance=balance)


async def _spike(load: Load, seconds: float) -> None:
    for at_once, part in ((STREAMS, 12), (STREAMS * SPIKE, 6), (STREAMS, 12)):
        await load.streams(at_once, seconds / part)


def _tell(name: str, work: Work, **root: object) -> None:
    sys.stderr.write(f"{name} ...\n")
    with TemporaryDirectory() as directory, loaded(Path(directory), **root) as load:
        figures = asyncio.run(_run(load, work))
        check_log(load)
        for user in set(load.users.values()) if root else ():
            check_balance(load, user, CREDITS * 1000)
        if "hot" in load.users.values():
            check_refusals(load)
    _write(name, figures)


async def _run(load: Load, work: Work) -> Figures:
    pid = load.gateway.process.pid
    await load.streams(STREAMS, WARM_UP_S)
    load.upstream.most_at_once = 0
    first, began = len(load.heard), time.perf_counter()
    used_s, own_s = cpu_s(pid), time.process_time()
    async with watching(load.gateway.process) as samples:
        await work(load)
    took_s, count = time.perf_counter() - began, len(load.heard) - first
    used_s, own_s = cpu_s(pid) - used_s, time.process_time() - own_s
    cost = check(load)
    # What a spike has connected stays for half a minute, for the next one.
    check_is_flat(samples, count, kept=DEFAULT_LIMITS.idle)
    memory, files = quarters(samples.memory), quarters(samples.files)
    return {
        "streams": count,
        "streams a second": count / took_s,
        **_percentiles(load.added_ms(first)),
        "processor ms a stream": used_s / count * 1000,
        "gateway's share of a core": used_s / took_s,
        "share of the load itself": own_s / took_s,
        "hung up": sum(answer.has_left for answer in load.heard.values()),
        "refused": len(load.refused),
        "most at once": load.upstream.most_at_once,
        "cost, nano-USD": cost,
        "memory MB, first quarter": memory[0] / MB,
        "memory MB, last quarter": memory[1] / MB,
        "files, first quarter": files[0],
        "files, last quarter": files[1],
    }


def _percentiles(added_ms: Sequence[float]) -> Figures:
    count = len(added_ms)
    return {
        "added ms, p50": added_ms[count // 2],
        "added ms, p90": added_ms[count * 90 // 100],
        "added ms, p99": added_ms[count * 99 // 100],
    }


def _write(name: str, figures: Figures) -> None:
    rounded = {told: round(value, 2) for told, value in figures.items()}
    sys.stdout.write(json.dumps({"phase": name, **rounded}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
