"""The gateway of `waystation dev`, served on a free port while a probe asks it."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace

import uvicorn

from waystation.credentials.secrets import Secrets
from waystation_cli.local.stack import LocalOptions, build_local, listen


@dataclass(frozen=True, slots=True)
class LocalGateway:
    """`secrets` are where it takes the values of variables from."""

    url: str
    secrets: Secrets


class _Server(uvicorn.Server):
    """Ends when it is told to; uvicorn's own looks whether it should ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._is_over: Future[None] = Future()

    async def main_loop(self) -> None:
        await asyncio.wrap_future(self._is_over)

    def end(self) -> None:
        """Stop serving. May be called by any thread, once."""
        self._is_over.set_result(None)


@contextmanager
def serve_locally(options: LocalOptions) -> Iterator[LocalGateway]:
    """Serve on a free port of the host in `options`, without a log. Raises OSError."""
    with listen(options) as listener:
        options = replace(options, port=listener.getsockname()[1])
        app, runtime = asyncio.run(build_local(options))
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=0,  # nobody waits for an answer any more
        )
        server = _Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        logging.disable()
        thread.start()
        try:
            yield LocalGateway(options.url, runtime.secrets)
        finally:
            server.end()
            thread.join()
            logging.disable(logging.NOTSET)
