"""The failure matrix: a table that is down, busy or silent, and a queue that may be down too."""

import json

import pytest

from tests.support.failure_matrix import USED, WAYS, Asker, Row, Way, new_asker
from tests.support.fake_upstream import FakeUpstream
from tests.support.faulty_table import Fault
from tests.support.matrix_gateway import MatrixGateway, Phase

either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
every_way = pytest.mark.parametrize("way", WAYS, ids=str)
UNSURE = [Fault.UNSURE_BEFORE, Fault.UNSURE_AFTER]
NO_LEDGER = Row(
    503,
    "ledger_unavailable",
    state=None,
    usage_source=None,
    received=0,
    connections=0,
    lines=("ledger_unavailable",),
)


@pytest.fixture
def asker(matrix: MatrixGateway, upstream: FakeUpstream, way: Way, *, stream: bool) -> Asker:
    """A user of whom all is well so far; the upstream answers."""
    upstream.answer(way.dialect.answer(stream=stream))
    return new_asker(matrix, upstream)


@every_way
@either_way
def test_table_is_down_from_the_beginning(
    matrix: MatrixGateway, asker: Asker, way: Way, *, stream: bool
) -> None:
    matrix.table.always = {"open": Fault.DOWN, "settle": Fault.DOWN}
    answer = asker.ask(way, stream=stream)
    matrix.table.heal()
    if matrix.reserves:
        assert matrix.queue.messages == []
        asker.expect(NO_LEDGER, answer, stream=stream)
        assert asker.ask(way, stream=stream).status_code == 200
    else:
        matrix.redrive()
        row = Row(200, lines=("open_deferred", "settle_deferred"))
        asker.expect(row, answer, stream=stream)


@every_way
@either_way
def test_table_is_down_at_the_end(
    matrix: MatrixGateway, asker: Asker, way: Way, *, stream: bool
) -> None:
    matrix.table.always = {"settle": Fault.DOWN}
    answer = asker.ask(way, stream=stream)
    row = Row(200, lines=("settle_deferred",))
    asker.expect_answer(row, answer, stream=stream)
    record = asker.record_of(answer)
    assert record is not None
    assert record["state"] == "RESERVED"
    matrix.table.heal()
    matrix.redrive()
    asker.expect(row, answer, stream=stream)
    assert matrix.sweep().swept == 0


@every_way
@either_way
@pytest.mark.parametrize("sweeps", [0, 2])
def test_table_and_queue_are_down_and_the_log_is_replayed(
    matrix: MatrixGateway, asker: Asker, way: Way, *, stream: bool, sweeps: int
) -> None:
    """A sweep may come first: what it has estimated is corrected."""
    matrix.table.always, matrix.queue.is_down = {"settle": Fault.DOWN}, True
    answer = asker.ask(way, stream=stream)
    matrix.table.heal()
    assert sum(matrix.sweep().swept for _ in range(sweeps)) == min(sweeps, 1)
    for _ in range(2):
        matrix.replay()
    row = Row(200, lines=("ledger_settle_unwritten",))
    asker.expect(row, answer, stream=stream)
    (line,) = [one for one in asker.lines(answer) if one["message"] == row.lines[0]]
    told = json.loads(line["record"])
    assert (told["state"], told["cost"]) == ("SETTLED", USED)


@every_way
@either_way
def test_table_and_queue_are_down_and_nobody_looks_at_the_log(
    matrix: MatrixGateway, asker: Asker, way: Way, *, stream: bool
) -> None:
    matrix.table.always, matrix.queue.is_down = {"settle": Fault.DOWN}, True
    answer = asker.ask(way, stream=stream)
    assert answer.status_code == 200
    matrix.table.heal()
    assert matrix.sweep(after_s=0).swept == 0
    assert [matrix.sweep().swept for _ in range(2)] == [1, 0]
    record = asker.record_of(answer)
    assert record is not None
    assert (record["state"], record["usage_source"]) == ("EXPIRED", "estimated")
    tokens = record["tokens"]
    assert tokens == {"in": record["estimated_in"], "out": 0}
    assert "GSI1PK" not in record
    asker.expect_sums([record])
    asker.expect_balance([record])
    asker.expect_no_canary()


@either_way
@pytest.mark.parametrize("way", WAYS[:2], ids=str)
@pytest.mark.parametrize("phase", ["open", "settle"])
@pytest.mark.parametrize(
    "faults",
    [[Fault.BUSY] * 3, *([fault] for fault in UNSURE), UNSURE, [Fault.BUSY, Fault.UNSURE_AFTER]],
    ids=["busy", "unsure before", "unsure after", "both", "busy and unsure"],
)
def test_table_fails_for_a_moment(
    matrix: MatrixGateway,
    asker: Asker,
    way: Way,
    *,
    stream: bool,
    phase: Phase,
    faults: list[Fault],
) -> None:
    matrix.table.faults[phase] = list(faults)
    answer = asker.ask(way, stream=stream)
    asker.expect(Row(200), answer, stream=stream)
    assert matrix.table.tries[phase] > len(faults)


@pytest.mark.parametrize(("way", "stream"), [(WAYS[0], True)], ids=str)
@pytest.mark.parametrize("fault", [Fault.BUSY, *UNSURE])
def test_table_fails_at_the_end_for_longer_than_anyone_waits(
    matrix: MatrixGateway, asker: Asker, way: Way, *, stream: bool, fault: Fault
) -> None:
    matrix.table.always = {"settle": fault}
    answer = asker.ask(way, stream=stream)
    assert matrix.table.tries["settle"] > 1
    matrix.table.heal()
    matrix.redrive()
    asker.expect(Row(200, lines=("settle_deferred",)), answer, stream=stream)


@pytest.mark.parametrize(("way", "stream"), [(WAYS[0], True)], ids=str)
@pytest.mark.parametrize("fault", [Fault.BUSY, *UNSURE])
def test_table_fails_at_the_beginning_for_longer_than_anyone_waits(
    matrix: MatrixGateway, asker: Asker, way: Way, *, stream: bool, fault: Fault
) -> None:
    """What may have been reserved is released, and its key is free again."""
    matrix.table.always = {"open": fault}
    answer = asker.ask(way, stream=stream)
    assert matrix.table.tries["open"] > 1
    matrix.table.heal()
    if not matrix.reserves:
        matrix.redrive()
        asker.expect(Row(200, lines=("open_deferred",)), answer, stream=stream)
        return
    is_unsure = fault is not Fault.BUSY
    assert len(matrix.queue.messages) == int(is_unsure)
    matrix.redrive()
    asker.expect_answer(NO_LEDGER, answer, stream=stream)
    assert asker.upstream.received == []
    if is_unsure:
        record = asker.record_of(answer)
        assert record is not None
        assert (record["state"], record["cost"]) == ("RELEASED", 0)
        asker.expect_balance([record])
    again = asker.ask(way, stream=stream)
    asker.expect_answer(Row(200), again, stream=stream)
