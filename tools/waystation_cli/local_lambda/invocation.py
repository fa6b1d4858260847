"""One event on its way to a function, and what comes back."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass


class AbandonedError(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an invocation failed. `body` is JSON, if the function told anything."""

    type: str
    body: bytes = b""


class Invocation:
    """An answer that is handed over piece by piece, so that who reads slowly slows the function."""

    def __init__(self, event: object, timeout_s: float) -> None:
        self.event = event
        self.request_id = str(uuid.uuid4())
        self.deadline_ms = round((time.time() + timeout_s) * 1000)
        self.is_streamed = False
        self.fault: Fault | None = None
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(1)
        self.is_over = False  # the function has nothing more to say
        self._is_abandoned = False
        self._nothing_comes = asyncio.Event()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the answer as it comes; afterwards `fault` tells whether it is a whole one."""
        over = asyncio.create_task(self._nothing_comes.wait())
        try:
            while True:
                coming = asyncio.create_task(self._pieces.get())
                await asyncio.wait({coming, over}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    return
                yield coming.result()
        finally:
            over.cancel()

    async def put(self, piece: bytes) -> None:
        """Hand a piece over, when there is room for it. Raises AbandonedError."""
        if not self._is_abandoned:
            await self._pieces.put(piece)
        if self._is_abandoned:
            raise AbandonedError

    def end(self, fault: Fault | None = None) -> None:
        """Say that nothing more comes."""
        if not self.is_over:
            self.is_over, self.fault = True, fault
            self._nothing_comes.set()

    def abandon(self) -> None:
        """Take no more of the answer."""
        self._is_abandoned = True
        self._nothing_comes.set()
        while not self._pieces.empty():
            self._pieces.get_nowait()
