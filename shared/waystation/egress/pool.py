"""Keeps connections for the next request to the same place. Belongs to one event loop."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from waystation.egress.connection import Connection, Origin
from waystation.egress.deadlines import CONNECT_S
from waystation.egress.dialling import Dial


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """`connections` carry a request at the most; `idle` ones wait for the next, for so long.

    Connecting, TLS included, may take `connect_s`; so may the wait for one of the connections.
    """

    connections: int = 500
    idle: int = 100
    keepalive_s: float = 30.0
    connect_s: float = CONNECT_S


class Pool:
    """Opens connections when there is none to reuse."""

    def __init__(self, dial: Dial, tls: Callable[[], ssl.SSLContext], limits: PoolLimits) -> None:
        """Take `tls` to be called for the first connection that needs it."""
        self._dial = dial
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._limits = limits
        self._places = asyncio.Semaphore(limits.connections)
        self._idle: dict[Connection, None] = {}  # the longest idle first

    async def take(self, origin: Origin) -> Connection:
        """Return a connection for one request. Raises httpx2.HTTPError."""
        if self._places.locked():
            await self._wait_for_place()
        else:
            await self._places.acquire()
        try:
            return self._reuse(origin) or await self._connect(origin)
        except BaseException:
            self._places.release()
            raise

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose answer is complete, or soon will be; close any other."""
        self._places.release()
        connection.finish(self._keep)

    def close(self) -> None:
        """Close what is idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _wait_for_place(self) -> None:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                await self._places.acquire()
        except TimeoutError:
            raise httpx2.PoolTimeout("too many connections") from None

    def _reuse(self, origin: Origin) -> Connection | None:
        self._discard_expired()
        for connection in [known for known in reversed(self._idle) if known.origin == origin]:
            del self._idle[connection]
            if connection.is_usable():
                return connection
            connection.close()
        return None

    def _keep(self, connection: Connection) -> None:
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle[connection] = None
        if len(self._idle) > self._limits.idle:
            self._discard(next(iter(self._idle)))

    def _discard_expired(self) -> None:
        expired = asyncio.get_running_loop().time() - self._limits.keepalive_s
        while self._idle:
            oldest = next(iter(self._idle))
            if oldest.idle_since > expired and not oldest.is_closed:
                return
            self._discard(oldest)

    def _discard(self, connection: Connection) -> None:
        del self._idle[connection]
        connection.close()

    async def _connect(self, origin: Origin) -> Connection:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                return await self._open(origin)
        except TimeoutError as error:
            raise httpx2.ConnectTimeout("connecting took too long") from error
        except OSError as error:
            raise httpx2.ConnectError("no connection") from error

    async def _open(self, origin: Origin) -> Connection:
        own_socket = await self._dial(origin)
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(origin, own_socket),
                sock=own_socket,
                ssl=self._tls_context() if origin.is_tls else None,
                server_hostname=origin.host if origin.is_tls else None,
            )
        except BaseException:
            own_socket.close()
            raise
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = self._make_tls()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls
