"""One HTTP/1.1 connection to AWS, which carries one request at a time."""

import asyncio
import socket
import time
from typing import cast

from waystation.aws.failures import NoAnswerError
from waystation.aws.http_answer import (
    Answer,
    AnswerReader,
    AnswerTooLargeError,
    InvalidAnswerError,
)


class Connection(asyncio.Protocol):
    """A protocol of asyncio. An answer is handed over when it is whole."""

    def __init__(self, own_socket: socket.socket) -> None:
        self.is_closed = False
        self.has_answered = False
        """Some of the answer to the latest request has come."""
        self._idle_since = 0.0
        self._socket = own_socket
        self._loop = asyncio.get_running_loop()
        self._reader: AnswerReader | None = None
        self._waiter: asyncio.Future[Answer] | None = None

    async def ask(self, message: bytes, *, limit: int, timeout_s: float) -> Answer:
        """Send a request and return its answer, of at most `limit` bytes.

        Raises NoAnswerError, and is closed then, as it is when the wait is cancelled.
        """
        self.has_answered = False
        if self.is_closed or self._transport.is_closing():
            self.close()
            raise NoAnswerError("ConnectionLost", is_sent=False)
        self._reader = AnswerReader(limit)
        waiter: asyncio.Future[Answer] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_later(timeout_s, self._fail, "ReadTimeout")
        self._transport.write(message)
        try:
            return await waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            timer.cancel()
            self._waiter = None

    def rest(self) -> None:
        """Note from when on nothing is asked."""
        self._idle_since = time.time()

    def is_usable(self, keepalive_s: float) -> bool:
        """Tell whether another request may be sent: the peer has neither left nor said anything.

        Looks at the socket itself, and at the clock on the wall: while a process is frozen, its
        event loop notices nothing, and other clocks may stand still.
        """
        if self.is_closed or not 0 <= time.time() - self._idle_since < keepalive_s:
            return False
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Close at once."""
        if not self.is_closed:
            self.is_closed = True
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        reader, waiter = self._reader, self._waiter
        if reader is None or waiter is None or waiter.done():
            self.close()
            return
        self.has_answered = True
        try:
            reader.feed(data)
        except AnswerTooLargeError:
            self._fail("AnswerTooLarge")
        except InvalidAnswerError:
            self._fail("InvalidAnswer")
        else:
            if reader.answer is not None:
                if not reader.can_stay_open:
                    self.close()
                waiter.set_result(reader.answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("ConnectionLost")

    def _fail(self, cause: str) -> None:
        self.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(NoAnswerError(cause, is_sent=True))
