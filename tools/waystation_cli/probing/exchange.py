"""The HTTP beneath an SDK: what the entry asks for goes in, what came back is noted.

Proxies and certificates of the environment are not used, redirects not followed, and an answer that
takes too long is given up, whether or not something still comes.
"""

import functools
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpx2

CONNECT_S = 5.0


@dataclass(slots=True)
class Exchange:
    """One request on its way. `headers` replace those of the SDK; so does `url`, if there is one.

    `query` is put behind the SDK's URL. A request without a key has it in `headers`, or needs none.
    """

    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: str | None = field(default=None, repr=False)
    query: str = field(default="", repr=False)
    has_key: bool = True
    sent_at: float | None = None
    status: int | None = None
    media_type: str = ""
    location: str = field(default="", repr=False)
    target: httpx2.URL | None = field(default=None, repr=False)

    def client(self) -> httpx2.Client:
        """Return the client that an SDK is to use."""
        return httpx2.Client(
            trust_env=False,
            verify=_tls(),
            follow_redirects=False,
            timeout=self.timeouts,
            event_hooks={"request": [self._aim], "response": [self._note]},
        )

    @property
    def timeouts(self) -> httpx2.Timeout:
        return httpx2.Timeout(self.timeout_s, connect=min(CONNECT_S, self.timeout_s))

    def elapsed_ms(self) -> int | None:
        """Return how long ago the request was sent; None if it never was."""
        return None if self.sent_at is None else round((time.monotonic() - self.sent_at) * 1000)

    def _aim(self, request: httpx2.Request) -> None:
        own = {name.lower(): value for name, value in self.headers.items()}
        own.pop("content-type", None)
        replaced = own.keys() | (set() if self.has_key else {"authorization"})
        kept = [(n, v) for n, v in request.headers.raw if n.decode("ascii").lower() not in replaced]
        configured = [(n.encode("ascii"), v.encode("latin-1")) for n, v in own.items()]
        request.headers = httpx2.Headers([*kept, *configured])
        if self.url is not None:
            request.url = httpx2.URL(self.url)
        elif self.query:
            request.url = request.url.copy_with(query=self.query.encode("ascii"))
        self.target = request.url
        self.sent_at = time.monotonic()

    def _note(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        content_type = response.headers.get("content-type", "")
        self.media_type = content_type.partition(";")[0].strip().lower()
        self.location = response.headers.get("location", "")
        ends_at = (self.sent_at or time.monotonic()) + self.timeout_s
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Bounded(response.stream, ends_at)


@functools.cache
def _tls() -> ssl.SSLContext:
    """Return what checks certificates; reading the trusted ones takes a while."""
    return httpx2.create_ssl_context(trust_env=False)


class _Bounded(httpx2.SyncByteStream):
    """A body that has to have come by a time."""

    def __init__(self, inner: httpx2.SyncByteStream, ends_at: float) -> None:
        self._inner = inner
        self._ends_at = ends_at

    def __iter__(self) -> Iterator[bytes]:
        for data in self._inner:
            if time.monotonic() > self._ends_at:
                raise httpx2.ReadTimeout("the answer takes too long")
            yield data

    def close(self) -> None:
        self._inner.close()
