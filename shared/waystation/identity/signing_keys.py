"""The keys that the issuer signs tokens with: its JWKS, fetched when it is needed and kept.

A set is used for an hour, and for a day while no newer one can be had. A key that is not in it lets
it be fetched again, once a minute at the most, however many tokens name it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from waystation.egress.client import UpstreamResponse
from waystation.egress.deadlines import Deadline
from waystation.errors import SigningKeysUnavailableError, UpstreamError
from waystation.identity_settings import JwtSettings, is_safe_url
from waystation.wire.json_reader import read_json_lenient
from waystation.wire.upstream_request import Reach, UpstreamRequest

FRESH_S = 3600.0
STALE_S = 24 * 3600.0
REFRESH_S = 60.0  # between fetches while there are keys
RETRY_S = 5.0  # between fetches while there are none
FETCH_S = 5.0
MAX_BYTES = 64 * 1024

SigningKey = Mapping[str, object]

_OK = 200
_log = logging.getLogger("waystation.identity")


class Sends(Protocol):
    def send(
        self, request: UpstreamRequest, deadline: Deadline, /
    ) -> AbstractAsyncContextManager[UpstreamResponse]:
        """Send once and yield the answer. Raises UpstreamError."""


class _KeysError(Exception):
    """What was fetched are no keys; the text is fixed."""


class SigningKeys:
    """Looks keys up. One per process; safe for concurrent requests."""

    def __init__(
        self,
        egress: Sends,
        settings: JwtSettings,
        *,
        now: Callable[[], float],
        allowed_addresses: frozenset[str] = frozenset(),
    ) -> None:
        """Take also the `host:port` pairs that the operator lets the issuer have."""
        self._egress = egress
        self._reach = Reach(allowed=allowed_addresses)
        self._settings = settings
        self._now = now
        self._keys: Sequence[SigningKey] = ()
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> Sequence[SigningKey]:
        """Return the keys of that id, as JWKs. Raises SigningKeysUnavailableError."""
        if self._is_within(FRESH_S) and (found := self._named(key_id)):
            return found
        await self._refresh()
        if not self._is_within(STALE_S):
            raise SigningKeysUnavailableError
        return self._named(key_id)

    def _named(self, key_id: str) -> Sequence[SigningKey]:
        return [key for key in self._keys if key.get("kid") == key_id]

    def _is_within(self, seconds: float) -> bool:
        return self._fetched_at is not None and self._now() - self._fetched_at < seconds

    async def _refresh(self) -> None:
        """Fetch, unless that was done just now; join a fetch that is under way."""
        loop, task = asyncio.get_running_loop(), self._fetching
        if task is None or task.done() or task.get_loop() is not loop:
            pause = REFRESH_S if self._is_within(STALE_S) else RETRY_S
            if self._tried_at is not None and self._now() - self._tried_at < pause:
                return
            self._tried_at = self._now()
            task = self._fetching = loop.create_task(self._fetch())
        await asyncio.shield(task)

    async def _fetch(self) -> None:
        deadline = Deadline(ends_at=asyncio.get_running_loop().time() + FETCH_S)
        try:
            async with deadline.total():
                self._keys = await self._key_set(deadline)
        except (UpstreamError, _KeysError) as error:
            _log.error("signing_keys_unavailable", extra={"cause": _cause(error)})
            return
        self._fetched_at = self._now()

    async def _key_set(self, deadline: Deadline) -> Sequence[SigningKey]:
        document = await self._get(self._settings.jwks_url, deadline)
        if "keys" not in document and (url := document.get("jwks_uri")) is not None:
            if document.get("issuer") != self._settings.issuer:
                raise _KeysError("the OpenID configuration is of another issuer")
            if not isinstance(url, str) or not is_safe_url(url):
                raise _KeysError("the OpenID configuration names no https URL of keys")
            document = await self._get(url, deadline)
        keys = document.get("keys")
        if not isinstance(keys, list):
            raise _KeysError("the answer is no key set")
        return [key for key in keys if isinstance(key, dict)]

    async def _get(self, url: str, deadline: Deadline) -> Mapping[str, object]:
        headers = (("accept", "application/json"),)
        request = UpstreamRequest(url, headers, b"", method="GET", reach=self._reach)
        async with self._egress.send(request, deadline) as answer:
            body = await answer.read(MAX_BYTES)
        if answer.status != _OK:
            raise _KeysError(f"the answer has status {answer.status}")
        try:
            document = read_json_lenient(body)
        except ValueError:
            raise _KeysError("the answer is not JSON") from None
        if not isinstance(document, dict):
            raise _KeysError("the answer is no JSON object")
        return document


def _cause(error: Exception) -> str:
    return str(error) if isinstance(error, _KeysError) else type(error).__name__
