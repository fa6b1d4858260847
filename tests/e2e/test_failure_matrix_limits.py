"""The failure matrix: more requests at once than a user may have, or than can be paid."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.dialects import OPENAI
from tests.support.failure_matrix import USED, WAYS, Row, Way, new_asker
from tests.support.fake_upstream import FakeUpstream, Received, Step
from tests.support.matrix_gateway import MatrixGateway
from waystation.ledger.balances import MAX_INFLIGHT

WAY = WAYS[0]
either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
TOO_MANY = Row(
    429,
    "rate_limited",
    state=None,
    usage_source=None,
    headers={"retry-after": "1", "x-should-retry": None},
)


class Gate:
    """Holds the answers of an upstream back until it is opened."""

    def __init__(self) -> None:
        self.is_open = False

    def answer(self, received: Received) -> Iterator[Step]:
        while not self.is_open:
            yield 0.02
        yield from OPENAI.answer(stream=received.json["stream"])


@pytest.mark.parametrize("_matrix", [True], indirect=True, ids=["reserved"])
@either_way
@pytest.mark.parametrize("way", [WAYS[0], WAYS[4]], ids=str)
def test_one_more_than_a_user_may_have_under_way(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way, *, stream: bool
) -> None:
    gate, asker, other = Gate(), new_asker(matrix, upstream), new_asker(matrix, upstream)
    upstream.answer(gate.answer)
    with ThreadPoolExecutor(MAX_INFLIGHT) as pool:
        asked = [
            pool.submit(asker.ask, way, stream=stream, key=f"k{n}") for n in range(MAX_INFLIGHT)
        ]
        try:
            until_received(upstream, MAX_INFLIGHT)
            refused = asker.ask(way, stream=stream, key="one-more")
            assert len(upstream.received) == MAX_INFLIGHT
        finally:
            gate.is_open = True
        answers = [one.result() for one in asked]
    asker.expect_answer(TOO_MANY, refused, stream=stream)
    asker.expect_log(TOO_MANY, refused)
    for answer in answers:
        asker.expect_answer(Row(200), answer, stream=stream)
    asker.is_keyed = False  # of several
    records = asker.items("REQ#")
    assert [one["cost"] for one in records] == [USED] * MAX_INFLIGHT
    asker.expect_agreement(records)
    again = asker.ask(way, stream=stream, key="one-more")
    asker.expect_answer(Row(200), again, stream=stream)
    assert other.ask(way, stream=stream).status_code == 200


@pytest.mark.parametrize("_matrix", [True], indirect=True, ids=["reserved"])
def test_limit_of_one_user_is_not_that_of_another(
    matrix: MatrixGateway, upstream: FakeUpstream
) -> None:
    gate, asker, other = Gate(), new_asker(matrix, upstream), new_asker(matrix, upstream)
    upstream.answer(gate.answer)
    with ThreadPoolExecutor(MAX_INFLIGHT + 1) as pool:
        asked = [pool.submit(asker.ask, WAY, key=f"k{n}") for n in range(MAX_INFLIGHT)]
        try:
            until_received(upstream, MAX_INFLIGHT)
            theirs = pool.submit(other.ask, WAY)
            until_received(upstream, MAX_INFLIGHT + 1)
        finally:
            gate.is_open = True
        assert {one.result().status_code for one in [*asked, theirs]} == {200}


def until_received(upstream: FakeUpstream, count: int) -> None:
    waiting = threading.Event()
    for _ in range(500):
        if len(upstream.received) >= count:
            return
        waiting.wait(0.02)
    raise AssertionError(f"only {len(upstream.received)} requests have come")
