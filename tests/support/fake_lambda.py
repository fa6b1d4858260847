"""A function as Lambda runs it, behind an API on loopback: what users of it need in a test."""

import asyncio
import json
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from starlette.types import ASGIApp

from waystation_cli.local_lambda.front import LocalApi, Version
from waystation_cli.local_lambda.function import FunctionSpec, LocalFunction

ROOT = Path(__file__).parents[2]
TOY = ROOT / "tests" / "support" / "toy_function"


def make_layer(directory: Path) -> Path:
    """Put together what the built layer has; its dependencies are those of this interpreter."""
    layer = directory / "opt"
    (layer / "python").mkdir(parents=True)
    shutil.copy(ROOT / "shared" / "stream", layer)
    (layer / "python" / "waystation").symlink_to(ROOT / "shared" / "waystation")
    return layer


@dataclass(frozen=True)
class FakeLambda:
    """A function, and a client of the API in front of it."""

    function: LocalFunction
    client: httpx2.AsyncClient
    log_path: Path

    def clear_log(self) -> None:
        """Forget what the function has logged."""
        self.log_path.write_bytes(b"")

    def log(self) -> list[dict[str, Any]]:
        """Return the documents that the function logged, one a line."""
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]

    async def invoke(self, event: object) -> tuple[bytes, Any]:
        """Invoke the function; return its answer and its fault, when it is ready for another."""
        invocation = self.function.invoke(event)
        answer = b"".join([piece async for piece in invocation.pieces()])
        await self.function.settled()
        return answer, invocation.fault


@asynccontextmanager
async def fake_lambda(
    code: Path,
    directory: Path,
    *,
    environment: Mapping[str, str] | None = None,
    layer: Path | None = None,
    timeout_s: float = 10.0,
    version: Version = "1.0",
    python: str = sys.executable,
) -> AsyncIterator[FakeLambda]:
    """Serve a function; its log is a file in `directory`."""
    log_path = directory / "function.log"
    with log_path.open("ab") as log:
        spec = FunctionSpec(
            name=code.name,
            code=code,
            layer=layer or make_layer(directory),
            environment={"RESPONSE_MODE": "stream", **(environment or {})},
            timeout_s=timeout_s,
            python=python,
            log=log,
        )
        function = LocalFunction(spec)
        try:
            async with (
                listening(LocalApi({"it": function}, lambda *_: "it", version)) as url,
                httpx2.AsyncClient(base_url=url, trust_env=False, timeout=15) as client,
            ):
                yield FakeLambda(function, client, log_path)
        finally:
            await function.close()


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an app on this loop; the value is its URL."""
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


async def until(is_so: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
