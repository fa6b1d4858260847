"""An HTTP/1.1 connection to the Runtime API: one peer, that AWS wrote, on this machine."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

MAX_HEAD_BYTES = 64 * 1024

_NO_CONTENT = 204


class RuntimeApiError(Exception):
    """The Runtime API cannot be talked to; the text says why, and holds nothing of an event."""


class _SilentError(Exception):
    """The peer ended the connection without a word."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the Runtime API answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A connection that is kept between requests. Belongs to one event loop."""

    def __init__(self, address: str) -> None:
        """Take `host:port`, as AWS_LAMBDA_RUNTIME_API has it."""
        self._address = address
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Send a whole request, and return what comes of it. Raises RuntimeApiError.

        A kept connection that the peer has ended meanwhile is made anew, once.
        """
        length = {"Content-Length": str(len(body))}
        request = self._head(method, path, {**headers, **length}) + body
        if self._writer is not None:
            try:
                return await self._exchange(request)
            except (_SilentError, OSError):
                self.close()
        try:
            return await self._exchange(request)
        except (_SilentError, OSError) as error:
            self.close()
            raise RuntimeApiError("the Runtime API ended the connection") from error

    async def begin(self, path: str, headers: Mapping[str, str]) -> "Upload":
        """Begin a request whose body comes in pieces. Raises RuntimeApiError."""
        if self._reader is not None and self._reader.at_eof():
            self.close()
        try:
            _, writer = await self._connected()
        except OSError as error:
            raise RuntimeApiError("the Runtime API cannot be reached") from error
        chunked = {**headers, "Transfer-Encoding": "chunked"}
        return Upload(self, writer, self._head("POST", path, chunked))

    async def read_reply(self) -> Reply:
        """Read what the peer has to say. Raises RuntimeApiError, OSError."""
        reader, _ = await self._connected()
        try:
            reply = await _read_reply(reader)
        except (EOFError, asyncio.LimitOverrunError, ValueError) as error:
            self.close()
            raise RuntimeApiError("the Runtime API answered what is not HTTP") from error
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def close(self) -> None:
        """Let go of the connection and of what has not been sent; the next request makes one."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _exchange(self, request: bytes) -> Reply:
        _, writer = await self._connected()
        writer.write(request)
        await writer.drain()
        return await self.read_reply()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            host, _, port = self._address.rpartition(":")
            self._reader, self._writer = await asyncio.open_connection(
                host, int(port), limit=MAX_HEAD_BYTES
            )
        return self._reader, self._writer

    def _head(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._address}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Upload:
    """A body on its way, a chunk at a time; waits while the peer does not read."""

    def __init__(self, connection: Connection, writer: asyncio.StreamWriter, head: bytes) -> None:
        self._connection = connection
        self._writer = writer
        self._head = head

    async def write(self, data: bytes) -> None:
        """Send a piece; the first one goes with the head of the request. Raises OSError."""
        if data:
            await self._write(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self, trailers: Mapping[str, str]) -> Reply:
        """Send the end, and return what the peer says to it. Raises RuntimeApiError, OSError."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in trailers.items())
        await self._write(b"0\r\n" + lines.encode("latin-1") + b"\r\n")
        try:
            return await self._connection.read_reply()
        except _SilentError as error:
            self._connection.close()
            raise ConnectionResetError from error

    async def _write(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise ConnectionResetError
        head, self._head = self._head, b""
        self._writer.write(head + data)
        await self._writer.drain()


async def _read_reply(reader: asyncio.StreamReader) -> Reply:
    """Read a whole reply.

    Raises _SilentError, OSError; EOFError, LimitOverrunError, ValueError if it is not HTTP.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            raise _SilentError from error
        raise
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(version)
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Reply(int(status), headers, await _read_body(reader, int(status), headers))


async def _read_body(
    reader: asyncio.StreamReader, status: int, headers: Mapping[str, str]
) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return b"" if status == _NO_CONTENT else await reader.read()


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks: list[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return b"".join(chunks)
