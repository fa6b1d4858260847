"""A function as Lambda runs it: in processes of its own, each with one event at a time."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from waystation_cli.local_lambda.invocation import Fault, Invocation
from waystation_cli.local_lambda.runtime_api import RuntimeApi

INIT_S = 10.0  # Lambda's own limit


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """What a function is, as a template says it.

    `layer` is what would be at /opt: the wrapper `stream`, and `python/`. `log` takes what the
    processes print; None is this process's own output. `tell` is told of cold starts.
    """

    name: str
    code: Path
    layer: Path
    environment: Mapping[str, str]
    timeout_s: float = 29.0
    memory_mb: int = 512
    python: str = sys.executable
    log: IO[bytes] | None = field(default=None, repr=False)
    tell: Callable[[str], None] | None = field(default=None, repr=False)


class Sandbox:
    """One process, and the Runtime API that it is served by."""

    def __init__(self, spec: FunctionSpec) -> None:
        self.spec = spec
        self.api = RuntimeApi()
        self.process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> float:
        """Start the process and wait until it can take an event; return the seconds that took.

        Returns as well where the process ends before.
        """
        began = time.perf_counter()
        address = await self.api.start()
        self.process = await asyncio.create_subprocess_exec(
            str(self.spec.layer / "stream"),
            self.spec.python,
            "/var/runtime/bootstrap.py",
            cwd=self.spec.code,
            env=_environment(self.spec, address),
            stdout=self.spec.log,
            stderr=self.spec.log,
        )
        self._watching = asyncio.create_task(self._watch(self.process))
        ready = asyncio.create_task(self.api.is_waiting.wait())
        await asyncio.wait(
            {ready, self._watching}, timeout=INIT_S, return_when=asyncio.FIRST_COMPLETED
        )
        ready.cancel()
        return time.perf_counter() - began

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.returncode is None

    async def invoke(self, invocation: Invocation) -> None:
        """Have an event served, and wait until the process is ready for another, or gone."""
        self.api.invoke(invocation)
        left_s = invocation.deadline_ms / 1000 - time.time()
        ready = asyncio.create_task(self.api.is_waiting.wait())
        assert self._watching is not None  # noqa: S101 (started)
        done, _ = await asyncio.wait(
            {ready, self._watching}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
        )
        ready.cancel()
        if not done:
            invocation.end(Fault("Sandbox.Timedout"))
            await self.stop()
        elif ready not in done:
            invocation.end(Fault("Runtime.ExitError"))

    async def stop(self) -> None:
        """Kill the process, as Lambda does."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
        if self._watching is not None:
            await self._watching
        await self.api.close()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        self.api.fail(Fault("Runtime.ExitError"))


class LocalFunction:
    """A function with as many processes as it has events at one time."""

    def __init__(self, spec: FunctionSpec) -> None:
        self.spec = spec
        self.sandboxes: list[Sandbox] = []
        self.cold_starts_s: list[float] = []
        self._idle: list[Sandbox] = []
        self._running: set[asyncio.Task[None]] = set()

    def invoke(self, event: object) -> Invocation:
        """Begin to serve an event."""
        invocation = Invocation(event, self.spec.timeout_s)
        task = asyncio.create_task(self._serve(invocation))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return invocation

    async def settled(self) -> None:
        """Wait until no process has anything to do."""
        while self._running:
            await asyncio.wait(self._running)

    async def close(self) -> None:
        """End all processes."""
        for task in self._running:
            task.cancel()
        for sandbox in self.sandboxes:
            await sandbox.stop()

    async def _serve(self, invocation: Invocation) -> None:
        sandbox = self._take_idle() or await self._start()
        if not sandbox.api.is_waiting.is_set():
            invocation.end(Fault("Runtime.InitError", sandbox.api.init_error or b""))
        else:
            await sandbox.invoke(invocation)
        if sandbox.is_alive and sandbox.api.is_waiting.is_set():
            self._idle.append(sandbox)
        else:
            await sandbox.stop()
            self.sandboxes.remove(sandbox)

    def _take_idle(self) -> Sandbox | None:
        while self._idle:
            sandbox = self._idle.pop()
            if sandbox.is_alive:
                return sandbox
        return None

    async def _start(self) -> Sandbox:
        sandbox = Sandbox(self.spec)
        self.sandboxes.append(sandbox)
        took_s = await sandbox.start()
        self.cold_starts_s.append(took_s)
        if self.spec.tell is not None:
            self.spec.tell(f"{self.spec.name}: cold start in {took_s * 1000:.0f} ms")
        return sandbox


def _environment(spec: FunctionSpec, runtime_api: str) -> dict[str, str]:
    """Return what Lambda gives a function, and no other variable of this process.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, 2026-11.
    """
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(spec.code),
        "_HANDLER": "app.handler",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/stream",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        **spec.environment,
    }
