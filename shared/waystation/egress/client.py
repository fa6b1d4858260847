"""The one HTTP client: httpx2's requests and answers, straight to what carries them.

It follows no redirect, reads no proxy or netrc from the environment, and keeps no cookie. It
connects only to what the rules permit; a URL that a user brought is read again by the parser that
accepted it. Answers are read as they come, within bounds; one that is compressed although none was
asked for is refused.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache

import httpx2

from waystation.egress.addresses import AddressRules
from waystation.egress.blocked import check_user_url, log_blocked
from waystation.egress.deadlines import CONNECT_S, Deadline
from waystation.egress.dialling import BlockedError, Dialler, NotDialledError
from waystation.egress.proxied import ProxiedTransport
from waystation.egress.transport import BODY, DEFAULT_LIMITS, REACH, WAITS, Transport
from waystation.egress.trust import trust_the_system
from waystation.egress.user_urls import MAX_LENGTH
from waystation.errors import (
    GatewayError,
    InvalidBaseUrlError,
    ResponseTooLargeError,
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from waystation.wire.own_requests import USER_AGENT, VIA, user_agent_of, via_of
from waystation.wire.upstream_request import OPERATORS, Reach, UpstreamRequest

DEFAULT_DIALLER = Dialler(AddressRules())

MAX_COMPLETION_BYTES = 5 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024
MAX_STREAM_BYTES = 32 * 1024 * 1024

MAX_USER_URL = 2 * MAX_LENGTH
"""A user's URL with all that was appended to it."""

_LIMITS = httpx2.Limits(
    max_connections=DEFAULT_LIMITS.connections,
    max_keepalive_connections=DEFAULT_LIMITS.idle,
    keepalive_expiry=DEFAULT_LIMITS.keepalive_s,
)
_TIMEOUT = httpx2.Timeout(None, connect=CONNECT_S, pool=CONNECT_S).as_dict()


class UpstreamResponse:
    """An answer whose body has not been read yet."""

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._receive = _receiver_of(response)
        self._is_plain = self.headers.get("content-encoding", "identity").lower() == "identity"
        self._size = 0

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def read(self, limit: int) -> bytes:
        """Return the whole body. Raises ResponseTooLargeError beyond `limit` bytes."""
        pieces = []
        while piece := await self.receive(limit):
            pieces.append(piece)
        return b"".join(pieces)

    async def receive(self, limit: int = MAX_STREAM_BYTES) -> bytes:
        """Return what has come of the body, at least one byte; none at its end.

        Raises UpstreamError; once there have been more than `limit` bytes too.
        """
        if not self._is_plain:
            raise UpstreamInvalidResponseError("The upstream's answer is compressed unasked.")
        try:
            data = await self._receive()
        except httpx2.HTTPError as error:
            raise _translate(error) from error
        self._size += len(data)
        if self._size > limit:
            raise ResponseTooLargeError("The upstream's answer is too large.")
        return data


def _receiver_of(response: httpx2.Response) -> Callable[[], Awaitable[bytes]]:
    body = response.extensions.get(BODY)
    if body is not None:
        receive: Callable[[], Awaitable[bytes]] = body.receive
        return receive
    chunks = response.aiter_raw()
    return lambda: anext(chunks, b"")


class Egress:
    """Sends requests. Connections are kept per event loop and never carried to another.

    Without a proxy they are our own; through a proxy they are httpx2's.
    """

    def __init__(
        self,
        *,
        proxy: str | None = None,
        ca_bundle: str | None = None,
        dialler: Dialler = DEFAULT_DIALLER,
        via: str = "waystation",
    ) -> None:
        """Take what opens connections, and by what name this gateway knows its own requests.

        Raises OSError for a bundle that cannot be read, ValueError for a proxy that is no URL.
        """
        self._proxy = httpx2.Proxy(proxy) if proxy else None
        self._trusted = ssl.create_default_context(cafile=ca_bundle) if ca_bundle else None
        self._dialler = dialler
        self._via = (VIA, via_of(via))
        self._defaults = (
            ("Accept", "*/*"),
            ("Connection", "keep-alive"),
            ("accept-encoding", "identity"),
            (USER_AGENT, user_agent_of(via)),
        )
        self._tls: ssl.SSLContext | None = None
        self._transport: httpx2.AsyncBaseTransport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def tls(self) -> ssl.SSLContext:
        """Return what connections are secured by, made once: reading certificates takes long."""
        if self._tls is None:
            self._tls = self._make_tls()
        return self._tls

    @asynccontextmanager
    async def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AsyncIterator[UpstreamResponse]:
        """Send once and yield the answer when its headers are there.

        Raises InvalidBaseUrlError where a user's URL is not one to connect to, and UpstreamError.
        """
        transport = self._transport_of_this_loop()
        try:
            outgoing = httpx2.Request(
                request.method,
                _url_of(request),
                headers=[
                    (n.encode("ascii"), v.encode("latin-1")) for n, v in self._headers(request)
                ],
                content=request.body,
                extensions={REACH: request.reach, "timeout": _TIMEOUT},
            )
        except httpx2.InvalidURL as error:
            raise UpstreamUnreachableError("The upstream cannot be reached.") from error
        try:
            async with deadline.within(deadline.first_byte_s):
                response = await transport.handle_async_request(outgoing)
        except httpx2.HTTPError as error:
            if isinstance(error.__cause__, BlockedError):
                log_blocked(outgoing.url.raw_host, is_users=request.reach.is_users)
            raise _translate(error, request.reach) from error
        except UpstreamTimeoutError as error:
            error.is_sent = WAITS not in outgoing.extensions
            raise
        try:
            yield UpstreamResponse(response)
        finally:
            await response.aclose()

    def _headers(self, request: UpstreamRequest) -> list[tuple[str, str]]:
        given = {name.lower() for name, _ in request.headers}
        defaults = [header for header in self._defaults if header[0].lower() not in given]
        return [*defaults, *request.headers, self._via]

    def _transport_of_this_loop(self) -> httpx2.AsyncBaseTransport:
        loop = asyncio.get_running_loop()
        if self._transport is None or self._loop is not loop:
            self._transport, self._loop = self._make_transport(), loop
        return self._transport

    def _make_transport(self) -> httpx2.AsyncBaseTransport:
        direct = Transport(self.tls, self._dialler)
        if self._proxy is None:
            return direct
        proxied = httpx2.AsyncHTTPTransport(
            verify=self._make_tls(), proxy=self._proxy, trust_env=False, limits=_LIMITS
        )
        return ProxiedTransport(proxied, direct, self._dialler)

    def _make_tls(self) -> ssl.SSLContext:
        return self._trusted or trust_the_system()


def _url_of(request: UpstreamRequest) -> httpx2.URL:
    """Return the URL to ask. Raises InvalidBaseUrlError, and InvalidURL of httpx2."""
    if not request.reach.is_users:
        return _operators_url(request.url)
    url = check_user_url(request.url, request.reach.allowed, max_length=MAX_USER_URL)
    return httpx2.URL(url)


# It is the same for every call of an entry, and reading it takes long. Users' URLs are not kept.
_operators_url = lru_cache(maxsize=256)(httpx2.URL)


def _translate(error: httpx2.HTTPError, reach: Reach = OPERATORS) -> GatewayError:
    if reach.is_users and isinstance(error.__cause__, NotDialledError):
        return InvalidBaseUrlError()
    match error:
        case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.ProxyError():
            return UpstreamUnreachableError("The upstream cannot be reached.")
        case httpx2.UnsupportedProtocol() | httpx2.PoolTimeout() | httpx2.LocalProtocolError():
            return UpstreamUnreachableError("The upstream cannot be reached.")
        case httpx2.TimeoutException():
            return UpstreamTimeoutError("The upstream took too long to answer.")
        case httpx2.RemoteProtocolError() | httpx2.DecodingError():
            return UpstreamInvalidResponseError("The upstream's answer broke off or is not HTTP.")
        case _:
            return UpstreamFailedError("The connection to the upstream broke.")
