"""One HTTP/1.1 connection, which carries one request at a time.

Body bytes that have come since the last look are handed over as one piece. While more than 64 KiB
of them wait to be taken, nothing more is read. Errors are httpx2's.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple, cast

import httpx2

from waystation.egress.answer_parser import AnswerParser, Head
from waystation.wire.upstream_request import OPERATORS, Reach

HIGH_WATER_BYTES = 64 * 1024
LINGER_S = 1.0
LINGER_BYTES = 64 * 1024

_BUFFER_BYTES = 32 * 1024


class Origin(NamedTuple):
    """Where a connection goes to, and for whom: another reach needs another connection."""

    is_tls: bool
    host: str
    port: int
    reach: Reach = OPERATORS


class Connection(asyncio.BufferedProtocol):
    """A protocol of asyncio, used by one task at a time."""

    def __init__(self, origin: Origin, own_socket: socket.socket) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self.is_closed = False
        self._socket = own_socket
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._answer = AnswerParser()
        self._is_asked = False
        self._unread = 0
        self._is_paused = False
        self._error: httpx2.HTTPError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._on_finished: Callable[[Connection], None] | None = None
        self._lingering: asyncio.TimerHandle | None = None

    async def ask(self, message: bytes) -> Head:
        """Send a request, and return the head of its answer. Raises httpx2.HTTPError."""
        answer = self._answer = AnswerParser()
        self._is_asked, self._unread = True, 0
        if not self._transport.is_closing():
            self._transport.write(message)
        while answer.head is None:
            await self._wait()
        return answer.head

    async def receive(self) -> bytes:
        """Return what has come of the body, at least one byte; none at its end.

        Raises httpx2.HTTPError. A wait that is cancelled closes the connection.
        """
        pieces = self._answer.pieces
        while not pieces:
            if self._answer.is_complete:
                return b""
            await self._wait()
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._drop_pieces()
        return data

    def is_usable(self) -> bool:
        """Tell whether another request may be sent: the peer has neither left nor said anything.

        Looks at the socket itself: while a process is frozen, its event loop notices nothing.
        """
        if self.is_closed:
            return False
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def finish(self, on_finished: Callable[["Connection"], None]) -> None:
        """Call `on_finished` once the answer is complete and another request could be sent.

        Closes if that cannot be, or takes long. Whoever has read the last event of a stream has not
        always read the end of the stream.
        """
        self._drop_pieces()
        if self._is_at_rest():
            on_finished(self)
        elif self._answer.is_complete or not self._answer.can_stay_open:
            self.close()
        elif not self.is_closed:
            self._on_finished = on_finished
            self._lingering = self._loop.call_later(LINGER_S, self.close)

    def close(self) -> None:
        """Close at once. What has come of the answer can still be read."""
        self._stop_lingering()
        if not self.is_closed:
            self.is_closed = True
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if not self._is_asked or self._answer.is_complete:
            self._break(httpx2.RemoteProtocolError("the upstream speaks unasked"))
            return
        try:
            self._answer.feed(self._buffer[:nbytes])
        except httpx2.RemoteProtocolError as error:
            self._break(error)
            return
        self._unread += nbytes
        if self._on_finished is not None:
            self._linger(self._on_finished)
        elif self._unread > HIGH_WATER_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_closed:
            return
        if exc is None or isinstance(exc, ssl.SSLEOFError):  # TLS need not say goodbye
            try:
                self._answer.end()
            except httpx2.RemoteProtocolError as error:
                self._break(error)
        elif not self._answer.is_complete:
            self._break(httpx2.ReadError("the connection broke"))
        self.close()
        self._wake()

    async def _wait(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _break(self, error: httpx2.HTTPError) -> None:
        self._error = error
        self.close()
        self._wake()

    def _drop_pieces(self) -> None:
        self._answer.pieces.clear()
        self._unread = 0
        if self._is_paused and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()

    def _is_at_rest(self) -> bool:
        answer = self._answer
        is_done = answer.is_complete and answer.can_stay_open and not self.is_closed
        return is_done and self._transport.get_write_buffer_size() == 0

    def _linger(self, on_finished: Callable[["Connection"], None]) -> None:
        self._answer.pieces.clear()
        if self._is_at_rest():
            self._stop_lingering()
            on_finished(self)
        elif self._answer.is_complete or self._unread > LINGER_BYTES:
            self.close()

    def _stop_lingering(self) -> None:
        self._on_finished = None
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
