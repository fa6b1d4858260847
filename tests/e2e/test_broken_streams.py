"""What becomes of streams that break off, grow too large, or lose their reader."""

import json
import socket
import time

import pytest

from tests.support.fake_upstream import (
    DONE,
    RESET,
    FakeUpstream,
    chunk_of,
    endless_reply,
    stream_reply,
)
from tests.support.served_gateway import (
    CHAT,
    KEY,
    ServedGateway,
    chat_body,
    expect_broken_off,
    expect_error,
    expect_estimated,
)

END = chunk_of(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])


def test_a_streamed_answer_of_more_than_32_mib_breaks_off(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(endless_reply(chunk_of("x" * 500_000)))

    with served.client.stream("POST", CHAT, json=chat_body(stream=True)) as answer:
        size, tail = 0, b""
        for data in answer.iter_bytes():
            size, tail = size + len(data), (tail + data)[-300:]

    assert b"response_too_large" in tail
    assert b"[DONE]" not in tail
    assert size < 33 * 1024 * 1024
    expect_estimated(served, answer, "response_too_large")


def test_an_event_without_an_end_breaks_off(served: ServedGateway, upstream: FakeUpstream) -> None:
    upstream.answer(stream_reply(b"data: " + b"x" * 1_200_000))

    expect_error(served.chat(stream=True), 502, "upstream_invalid_response")


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ([0.05, RESET], "upstream_error"),
        ([], "upstream_invalid_response"),
        ([b"data: {"], "upstream_invalid_response"),
        ([b"data: <html>\n\n"], "upstream_invalid_response"),
        ([{"error": {"message": "Overloaded", "code": 529}}], "upstream_error"),
        ([b'event: error\ndata: {"message": "Overloaded"}\n\n'], "upstream_error"),
        ([chunk_of(choices=[{"index": 128, "delta": {}}])], "upstream_invalid_response"),
        ([chunk_of(choices=["Hi"])], "upstream_invalid_response"),
    ],
    ids=[
        "reset",
        "cut off",
        "cut off inside an event",
        "no JSON",
        "error object",
        "error event",
        "choice 128",
        "no choice",
    ],
)
def test_a_stream_that_breaks_off_says_so_and_is_settled(
    served: ServedGateway, upstream: FakeUpstream, ending: list[object], code: str
) -> None:
    broken = stream_reply(chunk_of("Hel"), chunk_of("lo"), *ending, is_complete=False)
    upstream.answer(broken)

    answer = served.chat(stream=True)

    expect_broken_off(answer, code, "Hel", "lo")
    expect_estimated(served, answer, code)
    assert served.record_of(answer)["tokens"] == {"in": 1, "out": 2}


def test_usage_seen_before_a_break_is_what_is_settled(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    upstream.answer(stream_reply(chunk_of("Hi", usage=usage), 0.05, RESET))

    answer = served.chat(stream=True)

    expect_broken_off(answer, "upstream_error", "Hi")
    record = served.record_of(answer)
    assert (record["usage_source"], record["cost"]) == ("upstream", 100 * 2000 + 50 * 6000)


def test_a_stream_that_ends_without_a_finish_reason_is_broken(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(chunk_of("Hi")))

    expect_broken_off(served.chat(stream=True), "upstream_invalid_response", "Hi")


def test_a_stream_that_ends_without_done_after_a_finish_reason_is_whole(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(chunk_of("Hi"), END))

    answer = served.chat(stream=True)

    assert answer.text.endswith("data: [DONE]\n\n")
    assert served.record_of(answer)["usage_source"] == "estimated"


def test_an_error_before_the_first_event_keeps_its_status(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply({"error": {"message": "Overloaded"}}))

    answer = served.chat(stream=True)

    assert expect_error(answer, 502, "upstream_error")["message"] == "Overloaded"


def test_a_client_that_leaves_does_not_stop_the_account(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    texts = [step for n in range(20) for step in (chunk_of(f"{n} "), 0.01)]
    usage = {"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020}
    upstream.answer(stream_reply(*texts, END, chunk_of(usage=usage), DONE))
    before = len(served.records())

    with _raw_chat(served) as connection:
        received = b""
        while b"data: " not in received:
            received += connection.recv(65536)
    records = served.records(at_least=before + 1)

    assert len(records) == before + 1
    assert records[-1]["tokens"] == {"in": 1000, "out": 20}
    assert records[-1]["cost"] == 1000 * 2000 + 20 * 6000


def test_a_reader_that_is_slow_slows_the_upstream_down(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(endless_reply(chunk_of("x" * 60_000)))

    with _raw_chat(served, receive_buffer=64 * 1024) as connection:
        connection.recv(1024)
        sent, seen = 0, -1
        while sent != seen:  # until the buffers of the machine are full
            time.sleep(0.2)
            sent, seen = upstream.last.sent_bytes, sent

    assert sent < 24 * 1024 * 1024  # of the 32 MiB that a stream may have


def _raw_chat(served: ServedGateway, receive_buffer: int | None = None) -> socket.socket:
    """Post a streamed chat by hand, and return the connection."""
    body = json.dumps(chat_body(stream=True))
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(5)
    connection.connect(("127.0.0.1", served.port))
    connection.sendall(
        f"POST {CHAT} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
    )
    return connection
