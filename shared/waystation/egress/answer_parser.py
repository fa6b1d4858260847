"""Reads one HTTP/1.1 answer from bytes, split anywhere. Knows no connection.

The grammar is llhttp's, in its strict mode. What is bounded here: the head, and whatever else is
no body (interim answers, chunk extensions, trailers). Answers to HEAD are not understood.
"""

from dataclasses import dataclass

import httptools
import httpx2

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 200

_INTERIM, _SWITCHING_PROTOCOLS, _FINAL = 100, 101, 200
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Head:
    """The status and the headers of an answer, as they came."""

    status: int
    headers: list[tuple[bytes, bytes]]


class AnswerParser:
    """Fed the bytes of one answer; `pieces` of its body are for the owner to take away."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.pieces: list[bytes] = []
        self.is_complete = False
        self.can_stay_open = False
        """The connection may carry another request once this answer is complete."""
        self.on_body = self.pieces.append
        self._headers: list[tuple[bytes, bytes]] = []
        self._overhead = 0
        self._ends_with_connection = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes. Raises httpx2.RemoteProtocolError."""
        before = len(self.pieces)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if not self.is_complete:
                raise httpx2.RemoteProtocolError("the answer is not HTTP") from error
            self.can_stay_open = False
        if len(self.pieces) == before and not self.is_complete:
            self._overhead += len(data)
            if self._overhead > MAX_HEAD_BYTES:
                raise httpx2.RemoteProtocolError("the head of the answer is too large")

    def end(self) -> None:
        """Take the end of the connection. Raises httpx2.RemoteProtocolError if it is too soon."""
        if not self.is_complete and not self._ends_with_connection:
            raise httpx2.RemoteProtocolError("the answer broke off")
        self.is_complete = True

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise httpx2.RemoteProtocolError("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head is not None:
            return  # a trailer
        if len(self._headers) == MAX_HEADERS:
            raise httpx2.RemoteProtocolError("the answer has too many headers")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < _INTERIM or status == _SWITCHING_PROTOCOLS:
            raise httpx2.RemoteProtocolError("the answer changes the protocol")
        if status < _FINAL:
            self._headers = []
            return
        names = [name.lower() for name, _ in self._headers]
        codings = [v.lower() for n, v in self._headers if n.lower() == b"transfer-encoding"]
        if codings not in ([], [b"chunked"]):
            raise httpx2.RemoteProtocolError("the answer is encoded unasked")
        has_measure = bool(codings) or b"content-length" in names
        self._ends_with_connection = not has_measure and status not in _BODILESS
        self.can_stay_open = self._parser.should_keep_alive()
        self.head = Head(status, self._headers)

    def on_message_complete(self) -> None:
        self.is_complete = self.head is not None
