"""The one HTTP client.

It follows no redirect, reads no proxy or netrc from the environment, and keeps no cookie. Answers
are read as they come, within bounds; one that is compressed although none was asked for is refused.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from waystation.egress.deadlines import CONNECT_S, Deadline
from waystation.errors import (
    ResponseTooLargeError,
    UpstreamError,
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from waystation.wire.upstream_request import UpstreamRequest

MAX_COMPLETION_BYTES = 5 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024
MAX_STREAM_BYTES = 32 * 1024 * 1024
KEEPALIVE_S = 30.0

_LIMITS = httpx2.Limits(
    max_connections=500, max_keepalive_connections=100, keepalive_expiry=KEEPALIVE_S
)
_TIMEOUT = httpx2.Timeout(None, connect=CONNECT_S, pool=CONNECT_S)


class UpstreamResponse:
    """An answer whose body has not been read yet."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def read(self, limit: int) -> bytes:
        """Return the whole body. Raises ResponseTooLargeError beyond `limit` bytes."""
        return b"".join([chunk async for chunk in self.chunks(limit)])

    async def chunks(self, limit: int = MAX_STREAM_BYTES) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Raises UpstreamError; beyond `limit` bytes too."""
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise UpstreamInvalidResponseError("The upstream's answer is compressed unasked.")
        size = 0
        try:
            async for chunk in self._response.aiter_raw():
                size += len(chunk)
                if size > limit:
                    raise ResponseTooLargeError("The upstream's answer is too large.")
                yield chunk
        except httpx2.HTTPError as error:
            raise _translate(error) from error


class Egress:
    """Sends requests. Connections are kept per event loop and never carried to another."""

    def __init__(self, *, proxy: str | None = None, ca_bundle: str | None = None) -> None:
        """Raise OSError for a bundle that cannot be read, ValueError for a proxy that is no URL."""
        self._proxy = httpx2.Proxy(proxy) if proxy else None
        self._verify = ssl.create_default_context(cafile=ca_bundle) if ca_bundle else True
        self._client: httpx2.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AsyncIterator[UpstreamResponse]:
        """Send once and yield the answer when its headers are there. Raises UpstreamError."""
        client = self._client_of_this_loop()
        try:
            outgoing = client.build_request(
                request.method,
                request.url,
                headers=[(n.encode("ascii"), v.encode("latin-1")) for n, v in request.headers],
                content=request.body,
            )
        except httpx2.InvalidURL as error:
            raise UpstreamUnreachableError("The upstream cannot be reached.") from error
        try:
            async with deadline.within(deadline.first_byte_s):
                response = await client.send(outgoing, stream=True)
        except httpx2.HTTPError as error:
            raise _translate(error) from error
        try:
            yield UpstreamResponse(response)
        finally:
            await response.aclose()

    def _client_of_this_loop(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._client, self._loop = self._make_client(), loop
        return self._client

    def _make_client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            verify=self._verify,
            proxy=self._proxy,
            follow_redirects=False,
            trust_env=False,
            timeout=_TIMEOUT,
            limits=_LIMITS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"accept-encoding": "identity", "user-agent": "waystation"},
        )


def _translate(error: httpx2.HTTPError) -> UpstreamError:
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
