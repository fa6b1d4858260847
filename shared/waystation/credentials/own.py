"""A user's own credentials for an endpoint whose entry says `user_provided`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

KEY_HEADER, URL_HEADER = "x-endpoint-api-key", "x-endpoint-base-url"

MAX_IN_USE = 64

# One for each request, shared with the tasks that it starts.
_in_use: ContextVar[dict[str, None] | None] = ContextVar("own_keys_in_use", default=None)


@dataclass(frozen=True, slots=True)
class OwnCredentials:
    """What a user brings; either may be missing."""

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = field(default=None, repr=False)


class OwnCredentialsSource(Protocol):
    async def find(self, user_id: str, endpoint: str) -> OwnCredentials | None:
        """Return what a user has stored for an endpoint, None if nothing.

        Raises ExpiredUserKeyError, InvalidUserKeyError, SecretUnavailableError.
        """


def read_headers(headers: Mapping[str, str]) -> OwnCredentials | None:
    """Return what a request itself brings in its headers, by lower-case name; None if nothing."""
    api_key, base_url = headers.get(KEY_HEADER, "").strip(), headers.get(URL_HEADER, "").strip()
    if not api_key and not base_url:
        return None
    return OwnCredentials(api_key or None, base_url or None)


def keep_out_of_log(own: OwnCredentials) -> None:
    """Have the log leave out what a user brings, in this request and what it starts."""
    known = _in_use.get()
    if known is None:
        known = {}
        _in_use.set(known)
    known.update((text, None) for text in (own.api_key, own.base_url) if text)
    while len(known) > MAX_IN_USE:
        del known[next(iter(known))]


@contextmanager
def forgotten_in_the_end() -> Iterator[None]:
    """Begin with nothing in use, and end so, whatever task the next request is answered in."""
    before = _in_use.set({})
    try:
        yield
    finally:
        _in_use.reset(before)


def values_in_use() -> tuple[str, ...]:
    """Return what users have brought to the request that is being answered."""
    return tuple(_in_use.get() or ())
