"""The client of Lambda's Runtime API: fetches invocations, and posts what comes of them.

It speaks HTTP/1.1 over one connection, to one peer that AWS wrote. Whatever that peer says beyond
the protocol ends the process: nothing could be answered any more.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

VERSION = "2018-06-01"
MAX_HEAD_BYTES = 64 * 1024

_ACCEPTED = range(200, 300)
_STREAMING = (
    "Content-Type: application/vnd.awslambda.http-integration-response\r\n"
    "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
    "Transfer-Encoding: chunked\r\n"
    "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"
)
_JSON = "Content-Type: application/json\r\n"


class RuntimeApiError(Exception):
    """The Runtime API cannot be talked to; the text says why, and holds no event."""


class ResponseRefusedError(Exception):
    """The Runtime API takes no more of an answer: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event. `deadline_ms` is in milliseconds since 1970; `headers` are in lower case."""

    request_id: str
    deadline_ms: int
    event: object = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, as Lambda tells it to whoever has invoked the function."""

    type: str
    message: str
    trace: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        told = {"errorMessage": self.message, "errorType": self.type, "stackTrace": self.trace}
        return json.dumps(told).encode()


class RuntimeApi:
    """One conversation with the Runtime API. Belongs to one event loop."""

    def __init__(self, address: str) -> None:
        """Take `host:port`, as AWS_LAMBDA_RUNTIME_API has it."""
        self._address = address
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def next(self) -> Invocation:
        """Wait for an invocation. Raises RuntimeApiError."""
        await self._send("GET", "runtime/invocation/next", "", b"")
        status, headers, body = await self._receive()
        if status not in _ACCEPTED:
            raise RuntimeApiError(f"the Runtime API answered {status} to a request for an event")
        try:
            return Invocation(
                request_id=headers["lambda-runtime-aws-request-id"],
                deadline_ms=int(headers["lambda-runtime-deadline-ms"]),
                event=json.loads(body),
                headers=headers,
            )
        except KeyError as error:
            raise RuntimeApiError(f"an event came without its header {error.args[0]}") from None
        except ValueError:
            raise RuntimeApiError("an event came that is not JSON, or without a time") from None

    async def respond(self, request_id: str, answer: object) -> None:
        """Post a whole answer, as JSON. Raises RuntimeApiError."""
        await self._post(f"runtime/invocation/{request_id}/response", json.dumps(answer).encode())

    async def fail(self, request_id: str, failure: Failure) -> None:
        """Post that an invocation has failed. Raises RuntimeApiError."""
        await self._post(f"runtime/invocation/{request_id}/error", failure.to_json(), failure.type)

    async def fail_init(self, failure: Failure) -> None:
        """Post that the function could not be loaded. Raises RuntimeApiError."""
        await self._post("runtime/init/error", failure.to_json(), failure.type)

    async def begin(self, request_id: str) -> "StreamedResponse":
        """Begin a streamed answer. Raises RuntimeApiError."""
        path = f"runtime/invocation/{request_id}/response"
        writer = await self._send("POST", path, _STREAMING, None)
        return StreamedResponse(self, writer)

    async def _post(self, path: str, body: bytes, error_type: str = "") -> None:
        more = f"Lambda-Runtime-Function-Error-Type: {error_type}\r\n" if error_type else ""
        await self._send("POST", path, _JSON + more, body)
        status, _, _ = await self._receive()
        if status not in _ACCEPTED:
            raise RuntimeApiError(f"the Runtime API answered {status} to an answer")

    async def _send(
        self, method: str, path: str, headers: str, body: bytes | None
    ) -> asyncio.StreamWriter:
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        head = (
            f"{method} /{VERSION}/{path} HTTP/1.1\r\nHost: {self._address}\r\n{headers}{length}\r\n"
        )
        try:
            writer = await self._connected()
            writer.write(head.encode("ascii") + (body or b""))
            await writer.drain()
        except OSError as error:
            raise RuntimeApiError("the Runtime API cannot be reached") from error
        return writer

    async def _connected(self) -> asyncio.StreamWriter:
        if self._writer is not None and self._reader is not None:
            if not (self._writer.is_closing() or self._reader.at_eof()):
                return self._writer
            self.close()
        self._reader, self._writer = await asyncio.open_connection(
            self._host, self._port, limit=MAX_HEAD_BYTES
        )
        return self._writer

    def close(self) -> None:
        """Let go of the connection; the next request makes a new one."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _receive(self) -> tuple[int, dict[str, str], bytes]:
        reader = self._reader
        if reader is None:
            raise RuntimeApiError("the Runtime API has closed the connection")
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            status, headers = _read_head(head)
            if "content-length" not in headers:
                raise RuntimeApiError("the Runtime API answered without a length")
            body = await reader.readexactly(int(headers["content-length"]))
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError) as error:
            raise RuntimeApiError("the Runtime API answered something that is not HTTP") from error
        if headers.get("connection", "").lower() == "close":
            self.close()
        return status, headers, body


class StreamedResponse:
    """An answer on its way, a chunk at a time. Waits while the other side does not read."""

    def __init__(self, api: RuntimeApi, writer: asyncio.StreamWriter) -> None:
        self._api = api
        self._writer = writer

    async def write(self, data: bytes) -> None:
        """Send a piece. Raises ResponseRefusedError."""
        if data:
            await self._write(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self, failure: Failure | None = None) -> None:
        """Send the end, with an error after what has been sent if there is one.

        Raises ResponseRefusedError.
        """
        await self._write(b"0\r\n" + _trailers(failure) + b"\r\n")
        try:
            await self._api._receive()
        except RuntimeApiError as error:
            self._api.close()
            raise ResponseRefusedError from error

    async def _write(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise ResponseRefusedError
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            self._api.close()
            raise ResponseRefusedError from error


def _trailers(failure: Failure | None) -> bytes:
    if failure is None:
        return b""
    import base64  # noqa: PLC0415 (only where an answer breaks off)

    body = base64.b64encode(failure.to_json()).decode()
    return (
        f"Lambda-Runtime-Function-Error-Type: {failure.type}\r\n"
        f"Lambda-Runtime-Function-Error-Body: {body}\r\n"
    ).encode("ascii")


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Read a status line and headers. Raises ValueError."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError("not HTTP/1")
    pairs = (line.partition(":") for line in lines if line)
    return int(status), {name.strip().lower(): value.strip() for name, _, value in pairs}
