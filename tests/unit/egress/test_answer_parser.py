"""The parser of HTTP answers: any split of the bytes, and what is refused."""

import itertools
from dataclasses import dataclass

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.egress.answer_parser import MAX_HEAD_BYTES, MAX_HEADERS, AnswerParser, Head

OK = b"HTTP/1.1 200 OK\r\n"
HEADERS = [(b"Content-Type", b"text/event-stream"), (b"Transfer-Encoding", b"chunked")]
CHUNKED = (
    OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=y\r\nHello\r\n1\r\n,\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"
)
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


@dataclass
class Parsed:
    head: Head | None
    body: bytes
    is_complete: bool
    can_stay_open: bool


def parse(*pieces: bytes, ends: bool = False) -> Parsed:
    parser = AnswerParser()
    for piece in pieces:
        parser.feed(piece)
    if ends:
        parser.end()
    body = b"".join(parser.pieces)
    return Parsed(parser.head, body, parser.is_complete, parser.can_stay_open)


def with_length(body: bytes, *more: bytes) -> bytes:
    lines = b"".join(line + b"\r\n" for line in more)
    return OK + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


WHOLE = Parsed(Head(200, HEADERS), b"Hello, world", is_complete=True, can_stay_open=True)


@pytest.mark.parametrize("at", range(len(CHUNKED) + 1))
def test_a_split_at_any_byte_changes_nothing(at):
    assert parse(CHUNKED[:at], CHUNKED[at:]) == WHOLE


def test_bytes_one_by_one_are_the_same_answer():
    assert parse(*[bytes([byte]) for byte in HINTS + CHUNKED]) == WHOLE


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=300), max_size=8),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
)
def test_any_chunking_gives_the_same_body(chunks, cuts):
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    data = OK + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    parsed = parse(*pieces)
    assert (parsed.body, parsed.is_complete) == (b"".join(chunks), True)


def test_all_that_came_at_once_is_there_at_once():
    parser = AnswerParser()
    parser.feed(CHUNKED)
    assert parser.pieces == [b"Hello", b",", b" world"]


@pytest.mark.parametrize(
    ("answer", "body", "can_stay_open"),
    [
        (with_length(b"Hello"), b"Hello", True),
        (with_length(b""), b"", True),
        (with_length(b"Hello", b"Connection: close"), b"Hello", False),
        (with_length(b"Hello").replace(b"1.1", b"1.0"), b"Hello", False),
        (with_length(b"Hello", b"Connection: keep-alive").replace(b"1.1", b"1.0"), b"Hello", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n!", b"!", True),
        (HINTS * 3 + with_length(b"Hello"), b"Hello", True),
    ],
    ids=["length", "empty", "close", "1.0", "1.0 kept", "204", "304", "no reason", "hints"],
)
def test_an_answer_ends_where_it_says(answer, body, can_stay_open):
    parsed = parse(answer)
    assert (parsed.body, parsed.is_complete) == (body, True)
    assert parsed.can_stay_open is can_stay_open


def test_without_a_measure_the_connection_ends_the_body():
    parts = [OK + b"\r\n", b"Hel", b"lo"]
    assert parse(*parts) == Parsed(Head(200, []), b"Hello", is_complete=False, can_stay_open=False)
    assert parse(*parts, ends=True).is_complete


def test_the_end_of_the_connection_after_the_answer_is_none_of_its_business():
    assert parse(CHUNKED, ends=True) == WHOLE


@pytest.mark.parametrize(
    "begun", [b"", OK, HINTS, CHUNKED[:-3], CHUNKED[:-30], with_length(b"Hello")[:-1]]
)
def test_an_answer_that_ends_too_soon_is_broken(begun):
    with pytest.raises(httpx2.RemoteProtocolError):
        parse(begun, ends=True)


def test_what_comes_behind_an_answer_is_no_part_of_it():
    parsed = parse(CHUNKED + with_length(b"another"))
    assert (parsed.body, parsed.is_complete, parsed.can_stay_open) == (WHOLE.body, True, False)


@pytest.mark.parametrize(
    "answer",
    [
        b"220 smtp.example.com ESMTP\r\n",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\n\r\n",
        OK + b"No colon\r\n\r\n",
        OK + b"Spaced : 1\r\n\r\n",
        OK + b"Nul: \0\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nHello!\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
    ids=lambda answer: repr(answer[9:]),
)
def test_what_is_no_answer_is_refused(answer):
    with pytest.raises(httpx2.RemoteProtocolError):
        parse(answer)


LINE = b"X: " + b"x" * 997


@pytest.mark.parametrize(
    ("first", "endless"),
    [
        (OK, LINE + b"\r\n"),
        (OK + b"X: ", b"x" * 1000),
        (b"", HINTS * 20),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 1000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", LINE + b"\r\n"),
    ],
    ids=["headers", "header", "hints", "extension", "trailers"],
)
def test_what_is_no_body_is_bounded(first, endless):
    parse(first, *[endless] * (MAX_HEAD_BYTES // len(endless) - 1))
    with pytest.raises(httpx2.RemoteProtocolError):
        parse(first, *[endless] * (MAX_HEAD_BYTES // len(endless) + 1))


def test_the_number_of_headers_is_bounded():
    assert parse(OK + b"a: 1\r\n" * MAX_HEADERS + b"\r\n").head is not None
    with pytest.raises(httpx2.RemoteProtocolError):
        parse(OK + b"a: 1\r\n" * (MAX_HEADERS + 1) + b"\r\n")
