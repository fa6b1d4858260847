"""Connections to AWS: kept, bounded, and whatever can go wrong on the way."""

import asyncio
import socket

import pytest

from tests.support.aws_services import answer, raw_answer, scripted_service
from tests.support.fake_upstream import LEAVE, RESET, FakeUpstream, Step, chunk, kept_head
from tests.support.served_gateway import free_port
from waystation.aws.failures import NoAnswerError
from waystation.aws.http_answer import Answer
from waystation.aws.places import Place, parse_place
from waystation.aws.transport import Limits, Transport

MESSAGE = b"POST / HTTP/1.1\r\nhost: aws\r\ncontent-length: 2\r\n\r\n{}"
CUT: list[Step] = [kept_head(200, [("content-length", "9")]) + b"{}", RESET]


NOTHING: list[Step] = answer({})


async def send(
    transport: Transport, upstream: FakeUpstream, *, is_repeatable: bool = False
) -> Answer:
    place = parse_place(f"http://{upstream.address}")
    return await transport.send(place, MESSAGE, limit=100, is_repeatable=is_repeatable)


async def test_connection_is_kept_for_the_next_request():
    with scripted_service("kms", answer({})) as kms:
        for _ in range(3):
            assert (await send(kms.transport, kms.upstream)).body == b"{}"
        assert kms.upstream.connections == 1


async def test_requests_at_the_same_time_have_connections_of_their_own():
    with scripted_service("kms", [0.05, *answer({})]) as kms:
        await asyncio.gather(*(send(kms.transport, kms.upstream) for _ in range(4)))
        assert kms.upstream.connections == 4


async def test_chunked_answer_is_read():
    pieces = [chunk(b"{"), chunk(b"}"), b"0\r\n\r\n"]
    head = kept_head(200, [("transfer-encoding", "chunked")])
    with scripted_service("kms", [head, *pieces]) as kms:
        for _ in range(2):
            assert (await send(kms.transport, kms.upstream)).body == b"{}"
        assert kms.upstream.connections == 1


@pytest.mark.parametrize(
    ("steps", "cause"),
    [
        ([RESET], "ConnectionLost"),
        ([LEAVE], "ConnectionLost"),
        ([b"HTTP/1.1 200 O", RESET], "ConnectionLost"),
        (CUT, "ConnectionLost"),
        ([b"garbage\r\n\r\n"], "InvalidAnswer"),
        (raw_answer(b"x" * 101), "AnswerTooLarge"),
        ([kept_head(200, [("transfer-encoding", "chunked")]), chunk(b"x" * 101)], "AnswerTooLarge"),
        ([1.0, *answer({})], "ReadTimeout"),
        ([kept_head(200, [("content-length", "2")]), b"{", 1.0, b"}"], "ReadTimeout"),
    ],
    ids=["reset", "left", "head", "body", "garbage", "large", "large chunk", "slow", "slow body"],
)
async def test_answer_that_does_not_come_whole_is_told(steps: list[Step], cause: str):
    with scripted_service("kms", steps, answer({}), keeps_connections=False) as kms:
        with pytest.raises(NoAnswerError) as caught:
            await send(kms.transport, kms.upstream, is_repeatable=True)
        assert (caught.value.cause, caught.value.is_sent) == (cause, True)
        assert len(kms.upstream.received) == 1  # the connection was new: nothing stale about it
        assert (await send(kms.transport, kms.upstream)).status == 200


async def test_redirect_is_not_followed():
    moved = raw_answer(b"", status=307, headers=[("location", "http://127.0.0.1:1/")])
    with scripted_service("s3", moved) as s3:
        assert (await send(s3.transport, s3.upstream)).status == 307


async def test_kept_connection_that_was_closed_is_not_used():
    with scripted_service("kms", [*NOTHING, LEAVE], answer({})) as kms:
        for _ in range(2):
            await send(kms.transport, kms.upstream)
            await asyncio.sleep(0.02)
        assert [len(kms.upstream.received), kms.upstream.connections] == [2, 2]


async def test_kept_connection_that_ends_with_the_request_is_tried_again_if_that_is_safe():
    with scripted_service("kms", answer({}), [LEAVE], answer({"again": 1})) as kms:
        await send(kms.transport, kms.upstream)
        again = await send(kms.transport, kms.upstream, is_repeatable=True)
        assert again.body == b'{"again": 1}'
        assert [len(kms.upstream.received), kms.upstream.connections] == [3, 2]


async def test_kept_connection_that_ends_with_the_request_is_told_if_it_is_not():
    with scripted_service("kms", answer({}), [LEAVE], answer({})) as kms:
        await send(kms.transport, kms.upstream)
        with pytest.raises(NoAnswerError) as caught:
            await send(kms.transport, kms.upstream)
        assert caught.value.is_sent
        assert len(kms.upstream.received) == 2


async def test_answer_that_broke_off_is_not_asked_for_again_by_itself():
    with scripted_service("kms", answer({}), CUT, answer({})) as kms:
        await send(kms.transport, kms.upstream)
        with pytest.raises(NoAnswerError):
            await send(kms.transport, kms.upstream, is_repeatable=True)
        assert len(kms.upstream.received) == 2


async def test_connection_is_kept_no_longer_than_it_may_be():
    with scripted_service("kms", answer({}), limits=Limits(keepalive_s=0)) as kms:
        for _ in range(2):
            await send(kms.transport, kms.upstream)
        assert kms.upstream.connections == 2


async def test_connection_that_has_ended_is_sent_nothing():
    with scripted_service("kms", answer({})) as kms:
        await send(kms.transport, kms.upstream)
        (kept,) = kms.transport._idle[parse_place(f"http://{kms.upstream.address}")]
        kept.close()
        with pytest.raises(NoAnswerError) as caught:
            await kept.ask(MESSAGE, limit=9, timeout_s=9)
        assert (caught.value.cause, caught.value.is_sent) == ("ConnectionLost", False)
        assert len(kms.upstream.received) == 1


async def test_unasked_bytes_end_a_kept_connection():
    with scripted_service("kms", [*answer({}), 0.02, b"more"], answer({})) as kms:
        await send(kms.transport, kms.upstream)
        await asyncio.sleep(0.1)
        await send(kms.transport, kms.upstream)
        assert kms.upstream.connections == 2


async def test_no_more_calls_at_a_time_than_there_may_be():
    limits = Limits(connections=1, connect_s=0.05)
    with scripted_service("kms", [0.3, *answer({})], limits=limits) as kms:
        first = asyncio.create_task(send(kms.transport, kms.upstream))
        await asyncio.sleep(0)
        with pytest.raises(NoAnswerError) as caught:
            await send(kms.transport, kms.upstream)
        assert (caught.value.cause, caught.value.is_sent) == ("TooManyCalls", False)
        assert (await first).status == 200


async def test_place_of_a_call_is_free_again_after_an_error():
    with scripted_service("kms", [RESET], answer({}), limits=Limits(connections=1)) as kms:
        with pytest.raises(NoAnswerError):
            await send(kms.transport, kms.upstream)
        assert (await send(kms.transport, kms.upstream)).status == 200


async def test_call_that_nobody_waits_for_ends_its_connection():
    with scripted_service("kms", [0.3, *answer({})]) as kms:
        task = asyncio.create_task(send(kms.transport, kms.upstream))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.3)
        assert kms.transport._idle == {}


@pytest.mark.parametrize("host", ["127.0.0.1", "n" * 64, "127.0.0.1.invalid"])
async def test_what_cannot_be_connected_to_was_sent_nothing(host: str):
    transport = Transport(lambda: pytest.fail("no TLS"))
    with pytest.raises(NoAnswerError) as caught:
        await transport.send(Place(False, host, free_port()), MESSAGE, limit=1, is_repeatable=True)
    assert (caught.value.cause, caught.value.is_sent) == ("NotConnected", False)


async def test_connecting_has_its_time():
    with socket.socket() as full:  # takes no connection: its queue of one is full
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        place = Place(False, *full.getsockname())
        with socket.create_connection(place[1:]):
            transport = Transport(lambda: pytest.fail("no TLS"), Limits(connect_s=0.05))
            with pytest.raises(NoAnswerError) as caught:
                await transport.send(place, MESSAGE, limit=1, is_repeatable=True)
    assert (caught.value.cause, caught.value.is_sent) == ("ConnectTimeout", False)


def test_each_event_loop_has_connections_of_its_own():
    transport = Transport(lambda: pytest.fail("no TLS"))

    async def twice(upstream: FakeUpstream) -> None:
        for _ in range(2):
            await send(transport, upstream)
        transport.close()
        await asyncio.sleep(0)

    with FakeUpstream(keeps_connections=True) as upstream:
        upstream.answer(answer({}))
        asyncio.run(twice(upstream))
        asyncio.run(twice(upstream))
        assert upstream.connections == 2
