"""The contract every dialect keeps, and what it is told of a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from waystation.config.schema import Endpoint
from waystation.wire.chat_request import ChatRequest
from waystation.wire.events import Completion, StreamEvent
from waystation.wire.upstream_request import AwsCredentials, UpstreamRequest


@dataclass(frozen=True, slots=True)
class CallContext:
    """A call with every reference resolved.

    `headers` are the configured ones with all values filled in; `secrets` is every value that no
    message may show; `asks_usage` is false for an
    upstream that has refused to be asked for usage. `is_users_key` and `is_users_url` tell what a
    user has brought.
    """

    endpoint: Endpoint
    model: str
    user_id: str
    api_key: str = field(repr=False)
    base_url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    asks_usage: bool = True
    aws: AwsCredentials | None = field(default=None, repr=False)
    is_users_key: bool = False
    is_users_url: bool = False


class StreamParser(Protocol):
    """Fed the bytes of one answer, split anywhere; it returns the events they complete.

    Deltas and usage, then exactly one `Finished` or `Failed`, last. Never raises.
    """

    def feed(self, data: bytes) -> list[StreamEvent]: ...

    def finish(self) -> list[StreamEvent]:
        """Return what the end of the bytes leaves, with the last event if it is still due."""


class AnswerReader(Protocol):
    """Reads the answer to one request, in the API that the request was shaped for."""

    def parse(self, body: bytes) -> Completion:
        """Read a whole answer. Raises UpstreamError."""

    def stream_parser(self) -> StreamParser:
        """Return a parser for one streamed answer."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """A request ready to be sent, what reads its answer, and the model name in it.

    addParams may have replaced the model that was asked for.
    """

    request: UpstreamRequest
    model: str
    reader: AnswerReader


class Provider(Protocol):
    """One dialect. Pure: requests and answers in and out, no clock, network or environment."""

    def shape(self, request: ChatRequest, context: CallContext) -> Shaped:
        """Build the upstream request. Raises InvalidBodyError, naming what it cannot express."""


class TokenCounter(Protocol):
    """A dialect whose API counts the tokens of a request before it is made."""

    def shape_count(
        self, request: ChatRequest, native: Mapping[str, object], context: CallContext
    ) -> UpstreamRequest:
        """Build the request for a count; `native` is the client's own body.

        Raises InvalidBodyError and EndpointMisconfiguredError.
        """
