"""Lambda's Runtime API for one process of a function, on loopback.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, 2026-11.
"""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from waystation_cli.local_lambda.invocation import AbandonedError, Fault, Invocation

MAX_EVENT_BYTES = 6 * 1024 * 1024  # Lambda's own limit, of whole answers too
RECEIVE_BUFFER_BYTES = 512 * 1024
FUNCTION_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:local"

_ROOT = "/2018-06-01/runtime/"
_ACCEPTED, _FORBIDDEN, _TOO_LARGE = "202 Accepted", "403 Forbidden", "413 Content Too Large"
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    headers: Mapping[str, str]


class RuntimeApi:
    """Serves one process, which has one event at a time."""

    def __init__(self) -> None:
        self.is_waiting = asyncio.Event()  # the process has asked for an event
        self.init_error: bytes | None = None
        self._next: asyncio.Queue[Invocation] = asyncio.Queue()
        self._current: Invocation | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Listen; return `host:port`."""
        listener = socket.create_server(("127.0.0.1", 0))
        # A kernel left to itself takes tens of megabytes that nobody reads.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._server = await asyncio.start_server(self._connection, sock=listener)
        port: int = listener.getsockname()[1]
        return f"127.0.0.1:{port}"

    async def close(self) -> None:
        """End every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def invoke(self, invocation: Invocation) -> None:
        """Give the process its next event."""
        self.is_waiting.clear()
        self._next.put_nowait(invocation)

    def fail(self, fault: Fault) -> None:
        """End what is under way: the process cannot do it any more."""
        if self._current is not None:
            self._current.end(fault)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (asyncio runs this as a task)
        self._connections.add(task)
        try:
            while request := await _read_head(reader):
                await self._serve(request, reader, writer)
        except (AbandonedError, EOFError, OSError, ValueError, asyncio.CancelledError):
            pass  # gone, or refused
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _serve(
        self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if (request.method, request.path) == ("GET", "invocation/next"):
            await self._give_next(writer)
            return
        if request.path == "init/error":
            self.init_error = await _read_whole(request, reader)
            await _answer(writer, _ACCEPTED)
            return
        invocation, (_, _, action) = self._current, _parts(request.path)
        if invocation is None or invocation.is_over or invocation.request_id not in request.path:
            await _read_whole(request, reader)
            await _answer(writer, _FORBIDDEN)
        elif action == "error":
            body = await _read_whole(request, reader)
            invocation.end(Fault(request.headers.get(_ERROR_TYPE, ""), body))
            await _answer(writer, _ACCEPTED)
        elif request.headers.get("transfer-encoding") == "chunked":
            await self._pass_on(invocation, request, reader)
            await _answer(writer, _ACCEPTED)
        else:
            await self._take_whole(invocation, await _read_whole(request, reader), writer)

    async def _give_next(self, writer: asyncio.StreamWriter) -> None:
        self._current = None
        self.is_waiting.set()
        self._current = invocation = await self._next.get()
        event = json.dumps(invocation.event).encode()
        await _answer(
            writer,
            "200 OK",
            event,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
                "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
            },
        )

    async def _pass_on(
        self, invocation: Invocation, request: _Request, reader: asyncio.StreamReader
    ) -> None:
        invocation.is_streamed = request.headers.get("lambda-runtime-function-response-mode") == (
            "streaming"
        )
        trailers: dict[str, str] = {}
        async for piece in _chunks(reader, trailers):
            await invocation.put(piece)
        error = trailers.get(_ERROR_TYPE)
        told = base64.b64decode(trailers.get(_ERROR_BODY, ""))
        invocation.end(None if error is None else Fault(error, told))

    async def _take_whole(
        self, invocation: Invocation, body: bytes, writer: asyncio.StreamWriter
    ) -> None:
        if len(body) > MAX_EVENT_BYTES:
            invocation.end(Fault("Function.ResponseSizeTooLarge"))
            await _answer(writer, _TOO_LARGE)
            return
        await invocation.put(body)
        invocation.end()
        await _answer(writer, _ACCEPTED)


def _parts(path: str) -> tuple[str, str, str]:
    """Return `invocation`, the request id, and what is posted of it."""
    first, _, rest = path.partition("/")
    request_id, _, action = rest.partition("/")
    return first, request_id, action


async def _read_head(reader: asyncio.StreamReader) -> _Request | None:
    """Return the head of a request, None where the connection ends before one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return _Request(method, path.removeprefix(_ROOT), headers)


async def _read_whole(request: _Request, reader: asyncio.StreamReader) -> bytes:
    if request.headers.get("transfer-encoding") == "chunked":
        return b"".join([piece async for piece in _chunks(reader, {})])
    return await reader.readexactly(int(request.headers.get("content-length", "0")))


async def _chunks(
    reader: asyncio.StreamReader, trailers: dict[str, str]
) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of a body as they come, and put what follows them into `trailers`."""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()


async def _answer(
    writer: asyncio.StreamWriter,
    status: str,
    body: bytes = b'{"status":"OK"}\n',
    headers: Mapping[str, str] | None = None,
) -> None:
    sent = {"Content-Type": "application/json", **(headers or {})}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in sent.items())]
    lines += [f"Content-Length: {len(body)}", "", ""]
    writer.write("\r\n".join(lines).encode("latin-1") + body)
    await writer.drain()
