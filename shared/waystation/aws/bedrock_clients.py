"""Makes clients of Bedrock's runtime when they are first asked for, and keeps a few.

A client is made for a region, for credentials, and for how long a thread may wait on its sockets.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, cast

from botocore.config import Config
from botocore.session import Session, get_session

from waystation.wire.upstream_request import AwsCredentials

if TYPE_CHECKING:
    from botocore.client import ClientMeta

MAX_CLIENTS = 16
MAX_CONNECTIONS = 64
CONNECT_S = 5.0
# What sockets are waited for: a thread that nobody waits for any more ends with the next of these.
PATIENCES_S = (15.0, 30.0, 60.0, 120.0)

_Key = tuple[str, AwsCredentials | None, float]


class EventStream(Protocol):
    """The events of one streamed answer, each an object of one member, its kind."""

    def __iter__(self) -> Iterator[Mapping[str, object]]: ...

    def close(self) -> None: ...


class RuntimeClient(Protocol):
    """What is used of botocore's client. It blocks."""

    @property
    def meta(self) -> "ClientMeta": ...

    def converse(self, **params: object) -> Mapping[str, object]: ...

    def converse_stream(self, **params: object) -> Mapping[str, object]: ...


class BedrockClients:
    """Thread-safe. Region and credentials come from each call, the rest stays the same."""

    def __init__(self, *, proxy: str | None = None, ca_bundle: str | None = None) -> None:
        """Take a proxy's URL, and a file of certificates in place of the system's."""
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._ca_bundle = ca_bundle
        self._session: Session | None = None
        self._clients: OrderedDict[_Key, RuntimeClient] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, region: str, credentials: AwsCredentials | None, wait_s: float) -> RuntimeClient:
        """Return a client whose sockets wait about that long.

        Without credentials it signs as the process's role. Raises botocore's errors.
        """
        patience_s = next((known for known in PATIENCES_S if known >= wait_s), PATIENCES_S[-1])
        key = (region, credentials, patience_s)
        with self._lock:
            client = self._clients.pop(key, None) or self._make(*key)
            self._clients[key] = client  # the latest used is the last
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
        return client

    def _make(
        self, region: str, credentials: AwsCredentials | None, patience_s: float
    ) -> RuntimeClient:
        self._session = self._session or get_session()
        config = Config(
            connect_timeout=CONNECT_S,
            read_timeout=patience_s,
            retries={"mode": "standard", "total_max_attempts": 1},  # the model may have begun
            max_pool_connections=MAX_CONNECTIONS,
            tcp_keepalive=True,
            proxies=self._proxies,  # none, not the environment's
        )
        client = self._session.create_client(
            "bedrock-runtime",
            region_name=region,
            aws_access_key_id=credentials.access_key_id if credentials else None,
            aws_secret_access_key=credentials.secret_access_key if credentials else None,
            aws_session_token=credentials.session_token if credentials else None,
            verify=self._ca_bundle,
            config=config,
        )
        return cast("RuntimeClient", client)
