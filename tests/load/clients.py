"""Clients that cost little themselves: plain sockets, one for each stream."""

import asyncio
import json
import re
import time
from dataclasses import dataclass

from tests.support.served_gateway import CHAT

KEY = "key-of-the-load"
WHOLE_S = 30.0

_COST = re.compile(rb'"cost_nanousd":\s*([0-9]+)')
_RETRY = re.compile(rb"\r\nretry-after: *([0-9]+)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heard:
    """What has come of an answer. Times are of `time.perf_counter`."""

    status: int
    text: bytes
    seconds: float
    has_left: bool

    @property
    def is_whole(self) -> bool:
        """Whether it is all of a stream."""
        return self.status == 200 and b"data: [DONE]" in self.text

    @property
    def cost_nanousd(self) -> int | None:
        """What it cost, as the client was told."""
        found = _COST.search(self.text)
        return int(found[1]) if found else None

    @property
    def retry_after_s(self) -> int | None:
        """When the client may ask again."""
        found = _RETRY.search(self.text)
        return int(found[1]) if found else None


async def ask(port: int, user: str, number: int, *, leaves_after: int | None = None) -> Heard:
    """Ask for a stream. `leaves_after` is after how many events the client hangs up."""
    began = time.perf_counter()
    async with asyncio.timeout(WHOLE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(_request(user, number))
            text = b""
            while piece := await reader.read(65536):
                text += piece
                if leaves_after is not None and text.count(b"data: ") >= leaves_after:
                    break
            seconds = time.perf_counter() - began
        finally:
            writer.transport.abort()
    status = int(text.split(b" ", 2)[1]) if text else 0
    return Heard(status, text, seconds, leaves_after is not None and b"[DONE]" not in text)


def _request(user: str, number: int) -> bytes:
    asked = {
        "model": "Acme/acme-large",
        "messages": [{"role": "user", "content": str(number)}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 100,
        "conversationId": f"c-{number}",
    }
    body = json.dumps(asked).encode()
    head = (
        f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {KEY}\r\n"
        f"x-librechat-user-id: {user}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
