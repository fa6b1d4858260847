"""What carries httpx2's requests where no proxy is configured: HTTP/1.1 over asyncio.

httpx2's own transport spends more on each chunk of a stream than the rest of the gateway does:
it has an event, a lock and six generators for it. This one hands over whatever has come at once.
It asks no question twice: a request is sent on a connection that is known to be open, and never
again.
"""

import re
import ssl
from collections.abc import AsyncIterator, Callable

import httpx2

from waystation.egress.connection import Connection, Origin
from waystation.egress.dialling import Dial
from waystation.egress.pool import Pool, PoolLimits
from waystation.wire.upstream_request import OPERATORS

BODY = "body"
"""The extension of a response that holds its `Body`."""

REACH = "reach"
"""The extension of a request that holds its `Reach`; without it, the URL is an operator's."""

WAITS = "waits"
"""The extension of a request that waits for a connection: no byte of it has been sent."""

DEFAULT_LIMITS = PoolLimits()

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(rb"[A-Z]+ /[!-~]*")


class Transport(httpx2.AsyncBaseTransport):
    """Belongs to one event loop."""

    def __init__(
        self,
        tls: Callable[[], ssl.SSLContext],
        dial: Dial,
        limits: PoolLimits = DEFAULT_LIMITS,
    ) -> None:
        """Take what makes the TLS context, and what opens connections."""
        self._pool = Pool(dial, tls, limits)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request whose content is in memory. Raises httpx2.HTTPError."""
        message = _head_of(request) + request.content
        request.extensions[WAITS] = True
        connection = await self._pool.take(origin_of(request))
        del request.extensions[WAITS]
        try:
            head = await connection.ask(message)
        except BaseException:
            self._pool.give_back(connection)
            raise
        body = Body(connection, self._pool)
        return httpx2.Response(
            head.status, headers=head.headers, stream=body, extensions={BODY: body}
        )

    async def aclose(self) -> None:
        """Close the idle connections."""
        self._pool.close()


class Body(httpx2.AsyncByteStream):
    """The body of an answer that has begun."""

    def __init__(self, connection: Connection, pool: Pool) -> None:
        self._connection: Connection | None = connection
        self._pool = pool
        self.receive = connection.receive

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.receive():
            yield data

    async def aclose(self) -> None:
        """Give the connection back. Nothing may be received any more."""
        if self._connection is not None:
            self._pool.give_back(self._connection)
            self._connection = None


def origin_of(request: httpx2.Request) -> Origin:
    """Return where a request goes to. Raises httpx2.UnsupportedProtocol."""
    url = request.url
    port = url.port or _DEFAULT_PORTS.get(url.scheme)
    if port is None or not url.host:
        raise httpx2.UnsupportedProtocol("neither http nor https")
    reach = request.extensions.get(REACH, OPERATORS)
    return Origin(url.scheme == "https", url.raw_host.decode("ascii"), port, reach)


def _head_of(request: httpx2.Request) -> bytes:
    """Return the request line and headers. Raises httpx2.LocalProtocolError."""
    first = b"%b %b" % (request.method.encode("ascii"), request.url.raw_path)
    lines = [b"%b: %b" % header for header in request.headers.raw]
    if not _TARGET.fullmatch(first) or not all(map(_LINE.fullmatch, lines)):
        raise httpx2.LocalProtocolError("this request cannot be written")
    return b"\r\n".join([first + b" HTTP/1.1", *lines, b"", b""])
