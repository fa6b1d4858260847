"""Server-sent events, in and out."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.wire.sse import (
    MAX_EVENT_BYTES,
    MAX_LINE_BYTES,
    ServerSentEvent,
    SseDecoder,
    SseLimitError,
    encode_event,
)

RECORDED = (
    b"\xef\xbb\xbf: welcome\r\n"
    b"\r\n"
    b'data: {"n": 1}\r\n\r\n'
    b"event: ping\rdata: {}\r\r"
    b'data: {"text":"a\xe2\x80\xa8b\xc2\x85c\x0bd"}\n\n'
    b"id: 7\nretry: 10\nunknown: x\nno colon\ndata:first\ndata: second\ndata\n\n"
    b"event: named\n\n"
    b": comment\n\n"
    b"data:  two blanks\n\n"
    b'data: "\xf0\x9f\x98\x80"\r\n\n'
    b"data: [DONE]"
)
EVENTS = [
    ServerSentEvent("", '{"n": 1}'),
    ServerSentEvent("ping", "{}"),
    ServerSentEvent("", '{"text":"a\u2028b\x85c\x0bd"}'),
    ServerSentEvent("", "first\nsecond\n"),
    ServerSentEvent("", " two blanks"),
    ServerSentEvent("", '"😀"'),
    ServerSentEvent("", "[DONE]"),
]


def decode(*chunks: bytes) -> list[ServerSentEvent]:
    decoder = SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events + decoder.finish()


def test_recorded_stream_is_read_whole():
    assert decode(RECORDED) == EVENTS


def test_every_split_in_two_gives_the_same_events():
    for at in range(len(RECORDED) + 1):
        assert decode(RECORDED[:at], RECORDED[at:]) == EVENTS, at


def test_single_bytes_give_the_same_events():
    assert decode(*(bytes([byte]) for byte in RECORDED)) == EVENTS


LINES = st.sampled_from(
    [b"data: x", b"data:", b"data", b"event: e", b":c", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"id: 1"]
) | st.binary(max_size=6)


@given(
    st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n"]))),
    st.lists(st.integers(0, 100)),
)
def test_any_chunking_gives_the_same_events(lines, cuts):
    stream = b"".join(line + end for line, end in lines)
    at = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    chunks = [stream[start:end] for start, end in itertools.pairwise(at)]
    assert decode(*chunks) == decode(stream)


def test_event_comes_with_its_blank_line_and_not_before():
    decoder = SseDecoder()
    assert decoder.feed(b"data: 1\n") == []
    assert decoder.feed(b"\n") == [ServerSentEvent("", "1")]


def test_event_comes_at_once_when_a_lone_cr_ends_it():
    decoder = SseDecoder()
    assert decoder.feed(b"data: 1\r\r") == [ServerSentEvent("", "1")]
    assert decoder.feed(b"\ndata: 2\r\n\r\n") == [ServerSentEvent("", "2")]


def test_byte_order_mark_is_dropped_only_at_the_start():
    assert decode(b"data: 1\n\n\xef\xbb\xbfdata: 2\n\n") == [ServerSentEvent("", "1")]


def test_broken_utf_8_is_replaced():
    assert decode(b"data: \xff\n\n") == [ServerSentEvent("", "\ufffd")]


def test_event_name_lasts_for_one_event():
    assert decode(b"event: a\ndata: 1\n\ndata: 2\n\n") == [
        ServerSentEvent("a", "1"),
        ServerSentEvent("", "2"),
    ]


def test_end_without_a_blank_line_still_gives_the_event():
    assert decode(b"data: 1\ndata: 2") == [ServerSentEvent("", "1\n2")]


TOO_LARGE = {
    "line in one piece": [b"data: " + b"x" * (MAX_LINE_BYTES + 1) + b"\n"],
    "line that does not end": [b"x" * 1024] * 1025,
    "event of many lines": [b"data: " + b"x" * 1024 + b"\n"] * 2049,
}


@pytest.mark.parametrize("chunks", TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_is_too_large_is_refused(chunks):
    with pytest.raises(SseLimitError):
        decode(*chunks)


def test_largest_line_is_read():
    line = b"x" * MAX_LINE_BYTES
    assert decode(b"data: " + line + b"\n\n") == [ServerSentEvent("", line.decode())]


def test_largest_event_is_read():
    lines = b"".join(b"data: " + b"x" * 1023 + b"\n" for _ in range(MAX_EVENT_BYTES // 1024))
    assert [len(event.data) for event in decode(lines)] == [MAX_EVENT_BYTES - 1]


def test_limit_counts_an_event_and_not_the_stream():
    chunk = b"data: " + b"x" * (MAX_LINE_BYTES - 10) + b"\n\n"
    assert len(decode(*[chunk] * 5)) == 5


def test_encoded_event_is_one_line_of_compact_json():
    assert encode_event({"a": "é\n", "b": [1]}) == 'data: {"a":"é\\n","b":[1]}\n\n'.encode()


def test_encoded_event_may_have_a_name():
    assert encode_event({}, "ping") == b"event: ping\ndata: {}\n\n"


@given(st.dictionaries(st.text(), st.text()))
def test_encoded_event_is_read_back(value):
    (event,) = decode(encode_event(value))
    assert encode_event(value) == f"data: {event.data}\n\n".encode()
