"""An upstream that costs nothing: the same answer to every chat, whole or in 40 events."""

import asyncio
import json
import time
from contextlib import suppress

EVENTS = 40
FIRST_EVENT_S = 0.02
BETWEEN_S = 0.005
MODEL = "bench"

_HEAD = {"id": "chatcmpl-bench", "created": 1_700_000_000, "model": MODEL}
_USAGE = {"prompt_tokens": 1000, "completion_tokens": EVENTS, "total_tokens": 1000 + EVENTS}


class Upstream:
    """Serves on loopback, in this process, at `address`, which is a host and a port.

    `first_event_at` is of the latest stream.
    """

    def __init__(self) -> None:
        self.address = ""
        self.first_event_at = 0.0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Take no more connections."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
                body = json.loads(await reader.readexactly(int(size)))
                if body.get("stream"):
                    await self._stream(writer)
                else:
                    writer.write(_head("application/json", f"content-length: {len(_WHOLE)}"))
                    writer.write(_WHOLE)
        writer.close()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(_head("text/event-stream", "transfer-encoding: chunked"))
        await asyncio.sleep(FIRST_EVENT_S)
        self.first_event_at = time.perf_counter()
        for number in range(EVENTS):
            delta = {"index": 0, "delta": {"content": f"word {number} "}, "finish_reason": None}
            writer.write(_chunk(_event([delta])))
            await asyncio.sleep(BETWEEN_S)
        last = _event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        usage = _event([], usage=_USAGE)
        writer.write(_chunk(last + usage + b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _head(media_type: str, framing: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\n{framing}\r\n\r\n".encode()


def _event(choices: list[object], **fields: object) -> bytes:
    chunk = {**_HEAD, "object": "chat.completion.chunk", "choices": choices, **fields}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_WHOLE = json.dumps(
    {
        **_HEAD,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "word " * EVENTS},
                "finish_reason": "stop",
            }
        ],
        "usage": _USAGE,
    }
).encode()
