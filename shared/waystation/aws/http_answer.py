"""Reads one HTTP/1.1 answer from bytes, split anywhere. Knows no connection.

The grammar is llhttp's, in its strict mode.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httptools

MAX_HEAD_BYTES = 32 * 1024

_FINAL = 200
_BODILESS = frozenset({204, 304})


class InvalidAnswerError(Exception):
    """These bytes are no answer that is understood."""


class AnswerTooLargeError(InvalidAnswerError):
    """The body is longer than it may be."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class AnswerReader:
    """Fed the bytes of one answer, whose body may have `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.answer: Answer | None = None
        self.can_stay_open = False
        """The connection may carry another request."""
        self._limit = limit
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._size = 0
        self._overhead = 0
        self._is_measured = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises InvalidAnswerError."""
        before = self._size
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, InvalidAnswerError):  # a callback's
                raise error.__context__ from None
            raise InvalidAnswerError("no HTTP") from error
        if self._size == before and self.answer is None:
            self._overhead += len(data)
            if self._overhead > MAX_HEAD_BYTES:
                raise InvalidAnswerError("a head without end")

    def on_message_begin(self) -> None:
        if self.answer is not None:
            raise InvalidAnswerError("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        headers = self._headers
        if status < _FINAL:
            raise InvalidAnswerError("an answer before the answer")
        if headers.get("content-encoding", "identity") != "identity":
            raise InvalidAnswerError("compressed unasked")
        length = headers.get("content-length", "")
        self._is_measured = bool(length) or "transfer-encoding" in headers or status in _BODILESS
        if not self._is_measured:
            raise InvalidAnswerError("a body without a measure")
        if length and int(length) > self._limit:
            raise AnswerTooLargeError
        self.can_stay_open = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise AnswerTooLargeError

    def on_message_complete(self) -> None:
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self.answer = Answer(self._parser.get_status_code(), self._headers, body)
