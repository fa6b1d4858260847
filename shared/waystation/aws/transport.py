"""HTTP/1.1 to AWS over asyncio, with connections that are kept.

Our own, because every chat waits for several calls of AWS and each of boto3's costs more than all
the rest of a chat. Redirects are answers like any other: none is followed.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from waystation.aws.connection import Connection
from waystation.aws.failures import NoAnswerError
from waystation.aws.http_answer import Answer
from waystation.aws.places import Place


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call may take; a request waits for it, and better fails than is stopped.

    Connecting, TLS included, may take `connect_s`; so may the wait for one of the `connections`.
    An answer may take `answer_s`. A connection is kept for `keepalive_s`.
    """

    connections: int = 50
    connect_s: float = 1.0
    answer_s: float = 2.0
    keepalive_s: float = 30.0


DEFAULT_LIMITS = Limits()


class Transport:
    """Sends requests that are written already. Connections belong to the event loop that runs."""

    def __init__(
        self, make_tls: Callable[[], ssl.SSLContext], limits: Limits = DEFAULT_LIMITS
    ) -> None:
        """Take what makes the TLS context, once, when it is first needed."""
        self._make_tls = make_tls
        self._tls: ssl.SSLContext | None = None
        self._limits = limits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: dict[Place, list[Connection]] = {}
        self._free = asyncio.Semaphore(limits.connections)

    def tls(self) -> ssl.SSLContext:
        """Return the TLS context."""
        if self._tls is None:
            self._tls = self._make_tls()
        return self._tls

    async def send(
        self, place: Place, message: bytes, *, limit: int, is_repeatable: bool
    ) -> Answer:
        """Return the answer, of at most `limit` bytes. Raises NoAnswerError.

        A kept connection is looked at before it is used. It may end while the request is on its
        way, and nobody knows then whether the request was taken: it is sent once more, on a new
        connection, if it is repeatable.
        """
        free = self._free_of_this_loop()
        if free.locked():
            await self._wait_for(free)
        else:
            await free.acquire()
        try:
            kept = self._reuse(place)
            if kept is not None:
                try:
                    return await self._ask(place, kept, message, limit)
                except NoAnswerError as error:
                    is_stale = error.cause == "ConnectionLost" and not kept.has_answered
                    if not is_stale or (error.is_sent and not is_repeatable):
                        raise
            return await self._ask(place, await self._connect(place), message, limit)
        finally:
            free.release()

    def close(self) -> None:
        """Close what is idle."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _free_of_this_loop(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # connections of an earlier one went with it
            self._loop, self._idle = loop, {}
            self._free = asyncio.Semaphore(self._limits.connections)
        return self._free

    async def _wait_for(self, free: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                await free.acquire()
        except TimeoutError:
            raise NoAnswerError("TooManyCalls", is_sent=False) from None

    async def _ask(
        self, place: Place, connection: Connection, message: bytes, limit: int
    ) -> Answer:
        answer = await connection.ask(message, limit=limit, timeout_s=self._limits.answer_s)
        if not connection.is_closed:
            connection.rest()
            self._idle.setdefault(place, []).append(connection)
        return answer

    def _reuse(self, place: Place) -> Connection | None:
        kept = self._idle.get(place)
        while kept:
            connection = kept.pop()
            if connection.is_usable(self._limits.keepalive_s):
                return connection
            connection.close()
        return None

    async def _connect(self, place: Place) -> Connection:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                return await self._open(place)
        except TimeoutError as error:
            raise NoAnswerError("ConnectTimeout", is_sent=False) from error
        except (OSError, UnicodeError) as error:
            raise NoAnswerError("NotConnected", is_sent=False) from error

    async def _open(self, place: Place) -> Connection:
        own_socket = await _dial(place)
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(own_socket),
                sock=own_socket,
                ssl=self.tls() if place.is_tls else None,
                server_hostname=place.host if place.is_tls else None,
            )
        except BaseException:
            own_socket.close()
            raise
        return connection


async def _dial(place: Place) -> socket.socket:
    """Return a socket that is connected. Raises OSError, or UnicodeError for what is no name."""
    loop = asyncio.get_running_loop()
    failure = OSError("the name has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        place.host, place.port, type=socket.SOCK_STREAM
    ):
        own_socket = socket.socket(family, kind, protocol)
        try:
            own_socket.setblocking(False)
            own_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            await loop.sock_connect(own_socket, address)
        except OSError as error:
            own_socket.close()
            failure = error
        except BaseException:
            own_socket.close()
            raise
        else:
            return own_socket
    raise failure
