"""What carries httpx2's requests where a proxy is configured: the library's own transport.

The proxy resolves names, so their addresses cannot be checked here. Only operators' URLs go to it,
never one that a user brought.
"""

import httpx2

from waystation.egress.dialling import BlockedError, Dialler
from waystation.egress.transport import Transport, origin_of


class ProxiedTransport(httpx2.AsyncBaseTransport):
    """Sends operators' requests through the proxy, and users' directly."""

    def __init__(
        self, proxied: httpx2.AsyncBaseTransport, direct: Transport, dialler: Dialler
    ) -> None:
        self._proxied = proxied
        self._direct = direct
        self._dialler = dialler

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request. Raises httpx2.HTTPError."""
        origin = origin_of(request)
        if origin.reach.is_users:
            return await self._direct.handle_async_request(request)
        try:
            self._dialler.check_literal(origin)
        except BlockedError as error:
            raise httpx2.ConnectError("no connection") from error
        return await self._proxied.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the idle connections."""
        await self._direct.aclose()
        await self._proxied.aclose()
