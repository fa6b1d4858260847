"""An upstream on loopback that speaks raw bytes, as scripted, and records what it was sent.

It runs in a thread with an event loop of its own, so that tests without one can use it. A reply is
a sequence of steps, or a function from the request to one: bytes are written as they are, a number
is a pause in seconds, `RESET` tears the connection down, `LEAVE` ends it. After the last step the
connection is closed, unless connections are to be kept: then it is read for the next request. The
functions that build replies cover honest HTTP; anything else is a list of bytes.
"""

import asyncio
import contextlib
import gzip
import itertools
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeAlias

Headers: TypeAlias = Sequence[tuple[str, str]]


class _End(Enum):
    RESET = auto()
    LEAVE = auto()


RESET = _End.RESET
"""The step that ends a connection with a TCP reset."""
LEAVE = _End.LEAVE
"""The step that ends a connection that would be kept."""

Step: TypeAlias = bytes | float | _End
Steps: TypeAlias = Iterable[Step]


@dataclass(slots=True)
class Received:
    """One request, byte for byte, and how far its answer got."""

    request_line: str
    headers: list[tuple[str, str]]
    body: bytes
    raw: bytes = field(repr=False)
    sent_bytes: int = 0
    is_answered: bool = False
    is_cut_off: bool = False

    @property
    def path(self) -> str:
        return self.request_line.split(" ")[1]

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document

    def header(self, name: str) -> list[str]:
        """Return every value of a header, in the order received."""
        return [value for known, value in self.headers if known.lower() == name.lower()]


Reply: TypeAlias = Sequence[Step] | Callable[[Received], Steps]


class FakeUpstream:
    """A context manager; it listens while it is entered.

    It keeps connections if asked to, and counts them.
    """

    def __init__(
        self, *, keeps_connections: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self._keeps_connections = keeps_connections
        self._tls = tls
        self._replies: list[Reply] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-upstream", daemon=True)
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def __enter__(self) -> "FakeUpstream":
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return f"http://{self.address}/v1"

    @property
    def last(self) -> Received:
        return self.received[-1]

    def answer(self, *replies: Reply) -> None:
        """Script the coming requests, in order; the last reply serves all that follow."""
        self._replies = list(replies)

    def reset(self) -> None:
        """Forget what was scripted and received."""
        self._replies, self.received = [], []

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(
            self._connection, "127.0.0.1", 0, limit=2**26, ssl=self._tls
        )
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer) and self._keeps_connections:
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # connected, and left without a request; or the test is over
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether the connection may stay."""
        request = await _read_request(reader)
        self.received.append(request)
        try:
            await _write(self._reply_to(request), request, writer)
        except ConnectionError:
            request.is_cut_off = True
        return request.is_answered

    def _reply_to(self, request: Received) -> Steps:
        if not self._replies:
            return json_reply({"error": {"message": "nothing was scripted"}}, status=500)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return reply(request) if callable(reply) else reply


async def _read_request(reader: asyncio.StreamReader) -> Received:
    first = await reader.readexactly(1)
    if first == b"\x16":
        raise ConnectionError("a TLS handshake, and this is plain text")
    head = first + await reader.readuntil(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = [(name, value.strip(" ")) for name, _, value in (x.partition(":") for x in lines)]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    body = await reader.readexactly(length)
    return Received(request_line, headers, body, head + body)


async def _write(steps: Steps, request: Received, writer: asyncio.StreamWriter) -> None:
    for step in steps:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
            request.sent_bytes += len(step)
        elif not isinstance(step, _End):
            await asyncio.sleep(step)
        else:
            if step is RESET:
                linger = struct.pack("ii", 1, 0)
                own_socket: socket.socket = writer.get_extra_info("socket")
                own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            return
    request.is_answered = True


def head(status: int = 200, headers: Headers = (), reason: str = "Scripted") -> bytes:
    """Return a status line and headers; the connection ends with the answer."""
    return kept_head(status, [*headers, ("connection", "close")], reason)


def kept_head(status: int = 200, headers: Headers = (), reason: str = "Scripted") -> bytes:
    """Return a status line and headers; the connection may be kept."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{n}: {v}" for n, v in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def reply(
    body: bytes = b"",
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: Headers = (),
    reason: str = "Scripted",
) -> list[Step]:
    """Answer whole, with a content-length."""
    own = [("content-type", content_type), ("content-length", str(len(body)))]
    return [head(status, [*own, *headers], reason) + body]


def json_reply(
    document: object, *, status: int = 200, headers: Headers = (), reason: str = "Scripted"
) -> list[Step]:
    """Answer whole, in JSON."""
    return reply(json.dumps(document).encode(), status=status, headers=headers, reason=reason)


def gzip_reply(document: object) -> list[Step]:
    """Answer compressed, whatever was asked for."""
    packed = gzip.compress(json.dumps(document).encode())
    return reply(packed, headers=[("content-encoding", "gzip")])


def stream_reply(*pieces: object, headers: Headers = (), is_complete: bool = True) -> list[Step]:
    """Answer with server-sent events in chunked coding.

    A piece is a document to send as one event, bytes to send as one chunk, a pause, or `RESET`.
    Without `is_complete` the closing chunk is left out.
    """
    own = [("content-type", "text/event-stream"), ("transfer-encoding", "chunked")]
    steps: list[Step] = [head(200, [*own, *headers])]
    steps += [p if isinstance(p, float | _End) else chunk(_bytes_of(p)) for p in pieces]
    return [*steps, b"0\r\n\r\n"] if is_complete else steps


def endless_reply(piece: object, pause_s: float = 0.0) -> Callable[[Received], Iterator[Step]]:
    """Answer with the same event for ever."""
    steps: list[Step] = [chunk(_bytes_of(piece)), pause_s]
    beginning = stream_reply(is_complete=False)
    return lambda _: itertools.chain(beginning, itertools.cycle(steps))


def chunk(data: bytes) -> bytes:
    """Frame data as one chunk of chunked coding."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _bytes_of(piece: object) -> bytes:
    return piece if isinstance(piece, bytes) else f"data: {json.dumps(piece)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def completion(text: str = "Hello!", **fields: object) -> dict[str, object]:
    """Return a chat completion of 10 prompt tokens and 5 completion tokens."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {
        "id": "cmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "upstream-model",
        "choices": [choice],
        "usage": usage,
    } | fields


def chunk_of(text: str | None = None, **fields: object) -> dict[str, object]:
    """Return a chunk of a streamed completion, with the delta of `text` unless it is None."""
    delta = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {
        "id": "cmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "upstream-model",
        "choices": [] if text is None else [delta],
    } | fields


def streamed(*texts: str, usage: object | None = None) -> list[Step]:
    """Answer honestly: texts, a finish reason, the usage of `completion()` or `usage`, [DONE]."""
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    counted = usage or {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    pieces = [*map(chunk_of, texts), chunk_of(choices=[end]), chunk_of(usage=counted)]
    return stream_reply(*pieces, DONE)
