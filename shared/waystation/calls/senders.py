"""Who sends a request: the HTTP client, or botocore for Bedrock."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Protocol

from waystation.egress.client import MAX_STREAM_BYTES
from waystation.egress.deadlines import Deadline
from waystation.wire.upstream_request import UpstreamRequest


class UpstreamAnswer(Protocol):
    """An answer whose body has not been read yet. Header names are in lower case."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def media_type(self) -> str: ...

    async def read(self, limit: int) -> bytes:
        """Return the whole body. Raises UpstreamError, also beyond `limit` bytes."""

    async def receive(self, limit: int = MAX_STREAM_BYTES) -> bytes:
        """Return what has come of the body, none at its end. Raises UpstreamError."""


class Sender(Protocol):
    def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """Send once, and give the answer when it has begun. Raises UpstreamError."""


class Senders:
    """Sends each request the way that it names; what sends to Bedrock is made when first used."""

    def __init__(self, https: Sender, make_bedrock: Callable[[], Sender]) -> None:
        self._https = https
        self._make_bedrock = cache(make_bedrock)

    def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        sender = self._make_bedrock() if request.via == "bedrock" else self._https
        return sender.send(request, deadline)
