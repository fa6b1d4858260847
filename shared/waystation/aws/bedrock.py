"""Sends requests to Bedrock's Converse API through botocore, which blocks: threads wait for it.

An answer is handed over as bytes, whole as JSON, streamed as server-sent events of one JSON object
each; bytes within it are in base64. A streamed answer is read an event at a time, when it is asked
for, so that nothing piles up; one that is let go of is shut down from outside, which ends the
thread that waits for it. Until an answer has begun nothing can be shut down: its thread ends with
the patience of its socket.
"""

import asyncio
import base64
import binascii
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, cast

from botocore.exceptions import ClientError, EventStreamError, ParamValidationError

from waystation.aws.bedrock_clients import (
    MAX_CONNECTIONS,
    BedrockClients,
    EventStream,
    RuntimeClient,
)
from waystation.aws.bedrock_errors import (
    CALL_ERRORS,
    STREAM_ERRORS,
    Refusal,
    event_of,
    not_sent,
    refusal_of,
    refusal_of_params,
    translate,
)
from waystation.aws.bedrock_params import read_params
from waystation.errors import ResponseTooLargeError, UpstreamTimeoutError
from waystation.wire.upstream_request import UpstreamRequest

MAX_STREAM_BYTES = 32 * 1024 * 1024

_OK = 200
_STREAMED = "converse-stream"
_OPERATION = "Converse"  # ConverseStream takes the same parameters


class Deadline(Protocol):
    """How long a call may take. Times are seconds, `ends_at` on the event loop's clock."""

    @property
    def ends_at(self) -> float: ...

    @property
    def first_byte_s(self) -> float: ...

    def within(self, seconds: float, /) -> AbstractAsyncContextManager[None]:
        """Bound what is inside, which raises UpstreamTimeoutError when it takes longer."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What botocore has returned: the pieces of the body are to be asked for in a thread."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]
    stream: EventStream | None = None


class BedrockSender:
    """Sends requests whose `via` is `bedrock`. One per process; does nothing until it is used."""

    def __init__(self, *, proxy: str | None = None, ca_bundle: str | None = None) -> None:
        """Take a proxy's URL, and a file of certificates in place of the system's."""
        self._clients = BedrockClients(proxy=proxy, ca_bundle=ca_bundle)
        self._threads = ThreadPoolExecutor(MAX_CONNECTIONS, thread_name_prefix="bedrock")

    @asynccontextmanager
    async def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AsyncIterator["BedrockResponse"]:
        """Send once and yield the answer when it has begun. Raises UpstreamError."""
        left_s = deadline.ends_at - asyncio.get_running_loop().time()
        if left_s <= 0:
            raise not_sent(UpstreamTimeoutError("The upstream took too long to answer."))
        wait_s = min(left_s, deadline.first_byte_s)
        opening = self._threads.submit(self._open, request, wait_s)
        try:
            async with deadline.within(deadline.first_byte_s):
                answer = await asyncio.wrap_future(opening)
        except UpstreamTimeoutError as error:
            error.is_sent = not opening.cancelled()  # it may still wait for a thread
            opening.add_done_callback(_abandon)
            raise
        except BaseException:
            opening.add_done_callback(_abandon)
            raise
        response = BedrockResponse(answer, self._threads)
        try:
            yield response
        finally:
            response.close()

    def _open(self, request: UpstreamRequest, wait_s: float) -> _Answer:
        region, _, operation = request.url.partition(":")[2].partition("/")
        try:
            client = self._clients.take(region, request.aws, wait_s)
            return _call(client, operation, request.body)
        except ClientError as error:
            return _refused(refusal_of(error))
        except (ParamValidationError, binascii.Error) as error:
            return _refused(refusal_of_params(error))
        except CALL_ERRORS as error:
            raise translate(error) from error


class BedrockResponse:
    """An answer whose body has not been read yet."""

    def __init__(self, answer: _Answer, threads: ThreadPoolExecutor) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._answer = answer
        self._threads = threads
        self._reading: Future[bytes] | None = None
        self._size = 0

    @property
    def media_type(self) -> str:
        return self.headers["content-type"]

    async def read(self, limit: int) -> bytes:
        """Return the whole body. Raises ResponseTooLargeError beyond `limit` bytes."""
        pieces = []
        while piece := await self.receive(limit):
            pieces.append(piece)
        return b"".join(pieces)

    async def receive(self, limit: int = MAX_STREAM_BYTES) -> bytes:
        """Return the next piece of the body, at least one byte; none at its end.

        Raises UpstreamError; once there have been more than `limit` bytes too.
        """
        self._reading = self._threads.submit(_next, self._answer.pieces)
        data = await asyncio.wrap_future(self._reading)
        self._size += len(data)
        if self._size > limit:
            raise ResponseTooLargeError("The upstream's answer is too large.")
        return data

    def close(self) -> None:
        """Let go of the answer, and wake the thread that waits for more of it. Never blocks."""
        stream, reading = self._answer.stream, self._reading
        if stream is None:
            return
        if reading is None or reading.done():
            stream.close()
            return
        _wake(stream)
        reading.add_done_callback(lambda _: stream.close())


def _call(client: RuntimeClient, operation: str, body: bytes) -> _Answer:
    params = read_params(body, client.meta.service_model.operation_model(_OPERATION))
    if operation != _STREAMED:
        whole = client.converse(**params)
        return _Answer(_OK, {"content-type": "application/json"}, iter([_whole(whole)]))
    answer = client.converse_stream(**params)
    stream = cast("EventStream", answer["stream"])
    pieces = _events(answer, stream)
    return _Answer(_OK, {"content-type": "text/event-stream"}, pieces, stream)


def _refused(refusal: Refusal) -> _Answer:
    headers = {**refusal.headers, "content-type": "application/json"}
    return _Answer(refusal.status, headers, iter([refusal.body]))


def _whole(answer: Mapping[str, object]) -> bytes:
    return _encode({**answer, **_metadata(answer)}).encode()


def _events(answer: Mapping[str, object], stream: EventStream) -> Iterator[bytes]:
    """Yield an event at a time, the id of the request before the first."""
    head = _event(_metadata(answer))
    try:
        for event in stream:
            yield head + _event(event)
            head = b""
    except EventStreamError as error:
        yield head + _event(event_of(error))


def _metadata(answer: Mapping[str, object]) -> dict[str, object]:
    metadata = answer.get("ResponseMetadata")
    request_id = metadata.get("RequestId") if isinstance(metadata, Mapping) else None
    return {"ResponseMetadata": {"RequestId": request_id}}


def _event(document: Mapping[str, object]) -> bytes:
    return f"data: {_encode(document)}\n\n".encode()


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_base64).encode


def _next(pieces: Iterator[bytes]) -> bytes:
    try:
        return next(pieces, b"")
    except STREAM_ERRORS as error:
        raise translate(error) from error


def _abandon(opening: "Future[_Answer]") -> None:
    """Close an answer that has come when nobody waits for it any more."""
    if opening.cancelled() or opening.exception() is not None:
        return
    if stream := opening.result().stream:
        stream.close()


def _wake(stream: EventStream) -> None:
    """Shut a stream's connection down, as urllib3 allows from another thread.

    botocore 1.44 hands the connection's response out in this attribute alone.
    """
    with contextlib.suppress(ValueError, RuntimeError, OSError):  # it has ended by itself
        stream._raw_stream.shutdown()  # type: ignore[attr-defined]
