"""Server-sent events, in and out.

The decoder is fed bytes and returns complete events, whatever the chunking. Only CRLF, LF and CR
end a line; U+2028, NEL and VT are data. Source:
https://html.spec.whatwg.org/multipage/server-sent-events.html, 2026-11.
"""

import json
from dataclasses import dataclass

MAX_LINE_BYTES = 1024 * 1024
MAX_EVENT_BYTES = 2 * 1024 * 1024

DONE = b"data: [DONE]\n\n"
PING = b": ping\n\n"  # a comment: no reader takes it for an event

_BOM = b"\xef\xbb\xbf"
_DUMPS = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class SseLimitError(ValueError):
    """A line or an event of the stream is larger than any honest one."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: its `event:` name ("" if none) and its `data:` lines joined by newlines."""

    event: str
    data: str


class SseDecoder:
    """Feed it bytes as they come; it returns the events they complete. One per stream."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._pending = 0
        self._first_line = True
        self._after_cr = False
        self._event = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Return the events completed by `chunk`. Raises SseLimitError."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if chunk.endswith(b"\r"):
            self._after_cr = True
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n" not in chunk:
            self._keep(chunk)
            return []
        lines = (b"".join(self._pieces) + chunk).split(b"\n")
        self._pieces, self._pending = [], 0
        self._keep(lines.pop())
        return self._take(lines)

    def finish(self) -> list[ServerSentEvent]:
        """Return the event that the end of the bytes left without its closing blank line, if any.

        The standard drops it; servers that forget the last blank line are common, so it is kept.
        """
        rest = b"".join(self._pieces)
        self._pieces, self._pending = [], 0
        return self._take([rest, b""])

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._pending += len(piece)
            if self._pending > MAX_LINE_BYTES:
                raise SseLimitError("a line of the stream is too long")

    def _take(self, lines: list[bytes]) -> list[ServerSentEvent]:
        events = []
        if self._first_line:
            self._first_line = False
            lines[0] = lines[0].removeprefix(_BOM)
        for line in lines:
            if not line:
                if self._data:
                    events.append(ServerSentEvent(self._event, "\n".join(self._data)))
                self._event, self._data, self._size = "", [], 0
            elif line.startswith(b"data:"):
                self._add(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                self._add(b"")
            elif line.startswith(b"event:"):
                name = line[7:] if line[6:7] == b" " else line[6:]
                self._event = name.decode("utf-8", "replace")
        return events

    def _add(self, data: bytes) -> None:
        self._size += len(data) + 1
        if len(data) > MAX_LINE_BYTES or self._size > MAX_EVENT_BYTES:
            raise SseLimitError("an event of the stream is too large")
        self._data.append(data.decode("utf-8", "replace"))


def encode_event(data: object, event: str = "") -> bytes:
    """Serialise one event with JSON data."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {_DUMPS(data)}\n\n".encode()
