"""The failure matrix: requests that come again, with an idempotency key and without one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.support.failure_matrix import USED, WAYS, Asker, Row, Way, new_asker
from tests.support.fake_upstream import FakeUpstream, Received, Step
from tests.support.faulty_table import Fault
from tests.support.matrix_gateway import MatrixGateway

either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
every_way = pytest.mark.parametrize("way", WAYS, ids=str)
some_ways = pytest.mark.parametrize("way", [WAYS[0], WAYS[3]], ids=str)
REFUSED: dict[str, Any] = {"state": None, "usage_source": None}
UNDER_WAY = Row(
    409,
    "idempotency_in_progress",
    headers={"retry-after": "2", "x-should-retry": None},
    **REFUSED,
)
ANSWERED = Row(
    409,
    "idempotency_completed",
    headers={"retry-after": None, "x-should-retry": "false"},
    **REFUSED,
)
REUSED = Row(422, "idempotency_key_reused", **REFUSED)


@pytest.fixture
def asker(matrix: MatrixGateway, upstream: FakeUpstream, way: Way, *, stream: bool) -> Asker:
    """A user with an idempotency key, be there balances or not; the upstream answers."""
    upstream.answer(way.dialect.answer(stream=stream))
    asker = new_asker(matrix, upstream)
    asker.is_keyed = True
    return asker


def expect_one(asker: Asker, answer: httpx2.Response, *others: httpx2.Response) -> None:
    """Expect that one of these requests was made, and only that one written down."""
    assert len(asker.upstream.received) == 1
    record = asker.record_of(answer)
    assert record is not None
    assert (record["state"], record["cost"]) == ("SETTLED", USED)
    assert asker.items("REQ#") == [record]
    assert all(asker.record_of(other) is None for other in others)
    asker.expect_agreement([record])


@every_way
@either_way
def test_request_that_was_answered(asker: Asker, way: Way, *, stream: bool) -> None:
    first = asker.ask(way, stream=stream)
    again = asker.ask(way, stream=stream)
    asker.expect_answer(ANSWERED, again, stream=stream)
    asker.expect_log(ANSWERED, again)
    assert asker.line_of(again)["idempotent_hit"] is True
    assert first.headers["x-request-id"] in again.text
    expect_one(asker, first, again)


@every_way
@either_way
def test_request_that_is_under_way(asker: Asker, way: Way, *, stream: bool) -> None:
    """It comes again while the upstream works."""
    meanwhile: list[httpx2.Response] = []

    def answer(_: Received) -> Iterator[Step]:
        meanwhile.append(asker.ask(way, stream=stream))
        yield from way.dialect.answer(stream=stream)

    asker.upstream.answer(answer)
    first = asker.ask(way, stream=stream)
    asker.expect_answer(Row(200), first, stream=stream)
    (again,) = meanwhile
    asker.expect_answer(UNDER_WAY, again, stream=stream)
    asker.expect_log(UNDER_WAY, again)
    assert asker.line_of(again)["idempotent_hit"] is True
    expect_one(asker, first, again)


@some_ways
@either_way
def test_key_of_another_body(asker: Asker, way: Way, *, stream: bool) -> None:
    first = asker.ask(way, stream=stream)
    again = asker.ask(way, stream=stream, temperature=0.5)
    asker.expect_answer(REUSED, again, stream=stream)
    asker.expect_log(REUSED, again)
    expect_one(asker, first, again)


@some_ways
@either_way
def test_ten_at_once(asker: Asker, way: Way, *, stream: bool) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: asker.ask(way, stream=stream), range(10)))
    (first,) = [one for one in answers if one.status_code == 200]
    others = [one for one in answers if one is not first]
    assert {one.status_code for one in others} == {409}
    expect_one(asker, first, *others)


@some_ways
@either_way
def test_request_without_a_key(asker: Asker, way: Way, *, stream: bool) -> None:
    """It is made as often as it comes, and paid for as often."""
    answers = [asker.ask(way, stream=stream, key="") for _ in range(2)]
    records = [asker.record_of(answer) for answer in answers]
    assert len(asker.upstream.received) == 2
    assert asker.items("IDM#") == []
    told = [one for one in records if one is not None]
    assert [one["cost"] for one in told] == [USED, USED]
    asker.is_keyed = False
    asker.expect_agreement(told)


@some_ways
@either_way
@pytest.mark.parametrize("is_swept", [False, True], ids=["open", "swept"])
def test_key_of_a_request_that_was_cut_off(
    matrix: MatrixGateway, asker: Asker, way: Way, *, stream: bool, is_swept: bool
) -> None:
    """Its key may be used again when its time is over, by one; a late settle takes no key back."""
    matrix.table.always = {"settle": Fault.DOWN}
    first = asker.ask(way, stream=stream)
    matrix.table.heal()
    asker.expect_answer(UNDER_WAY, asker.ask(way, stream=stream), stream=stream)
    if is_swept:
        assert matrix.sweep().swept == 1
    (key,) = asker.items("IDM#")
    matrix.run(matrix.table.put({**key, "expires_at": 1}))

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: asker.ask(way, stream=stream), range(10)))

    (second,) = [one for one in answers if one.status_code == 200]
    assert {one.status_code for one in answers if one is not second} == {409}
    assert len(asker.upstream.received) == 2
    matrix.redrive()
    records = [asker.record_of(answer) for answer in (first, second)]
    told = [one for one in records if one is not None]
    assert [(one["state"], one["cost"]) for one in told] == [("SETTLED", USED)] * 2
    assert len(asker.items("REQ#")) == 2
    asker.expect_agreement(told)


@some_ways
@either_way
def test_key_that_cannot_be_checked(
    matrix: MatrixGateway, asker: Asker, way: Way, *, stream: bool
) -> None:
    matrix.table.always = {"open": Fault.DOWN}
    answer = asker.ask(way, stream=stream)
    matrix.table.heal()
    row = Row(503, "ledger_unavailable", received=0, connections=0, **REFUSED)
    asker.expect_answer(row, answer, stream=stream)
    assert asker.upstream.received == []
    asker.expect_nothing_kept()
