"""Reading answers: split anywhere, bounded, and refused when they are not understood."""

import pytest

from waystation.aws.http_answer import (
    MAX_HEAD_BYTES,
    Answer,
    AnswerReader,
    AnswerTooLargeError,
    InvalidAnswerError,
)

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Amz-CRC32: 1\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n"
)


def read(data: bytes, limit: int = 5) -> AnswerReader:
    reader = AnswerReader(limit)
    reader.feed(data)
    return reader


@pytest.mark.parametrize("data", [WHOLE, CHUNKED])
def test_answer_is_read_however_it_is_split(data):
    for at in range(len(data)):
        reader = AnswerReader(5)
        for piece in filter(None, (data[:at], data[at:-1])):
            reader.feed(piece)
            assert reader.answer is None
        reader.feed(data[-1:])
        assert reader.answer is not None
        assert (reader.answer.status, reader.answer.body) == (200, b"hello")
        assert reader.can_stay_open


def test_names_of_headers_are_in_lower_case():
    assert read(WHOLE).answer == Answer(200, {"content-length": "5", "x-amz-crc32": "1"}, b"hello")


@pytest.mark.parametrize("status", [204, 304])
def test_answer_without_a_body_needs_no_measure(status):
    answer = read(b"HTTP/1.1 %d x\r\netag: a\r\n\r\n" % status).answer
    assert answer == Answer(status, {"etag": "a"}, b"")


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nconnection: close\r\n", b"HTTP/1.0 200 OK\r\n"]
)
def test_connection_that_ends_is_not_kept(head):
    reader = read(head + b"content-length: 1\r\n\r\nx")
    assert reader.answer is not None
    assert not reader.can_stay_open


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-encoding: gzip\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        WHOLE + WHOLE,
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * (MAX_HEAD_BYTES // 6),
    ],
)
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(InvalidAnswerError):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello!\r\n",
    ],
)
def test_body_has_a_bound(data):
    with pytest.raises(AnswerTooLargeError):
        read(data)
