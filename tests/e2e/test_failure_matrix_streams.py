"""The failure matrix: upstreams that worked, or may have, and then failed. They are paid for."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.dialects import ANTHROPIC, OPENAI, RESPONSES, TEXTS
from tests.support.failure_matrix import NOT_AGAIN, WAYS, Row, Way, new_asker
from tests.support.fake_upstream import (
    RESET,
    FakeUpstream,
    Step,
    completion,
    json_reply,
    stream_reply,
)
from tests.support.matrix_gateway import MatrixGateway

RESERVE_MS = 3000  # what the gateway keeps for itself of the time that Lambda has left
ESTIMATED: dict[str, Any] = {"usage_source": "estimated"}
INSIDE: dict[str, Any] = {"status": 200, "is_told_inside": True}
BROKEN, ENDED = "upstream_error", "upstream_invalid_response"

either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
every_way = pytest.mark.parametrize("way", WAYS, ids=str)
NO_ANSWER: Sequence[Step] = [30.0]
NO_EVENT = stream_reply(30.0)


def ways_to(*dialects: object) -> pytest.MarkDecorator:
    ways = [way for way in WAYS if way.dialect in dialects]
    return pytest.mark.parametrize("way", ways, ids=str)


@every_way
@pytest.mark.parametrize(
    ("stream", "silence"),
    [(False, NO_ANSWER), (True, NO_EVENT)],
    ids=["whole", "streamed"],
)
def test_no_answer_until_the_deadline(
    matrix: MatrixGateway,
    upstream: FakeUpstream,
    way: Way,
    *,
    silence: Sequence[Step],
    stream: bool,
) -> None:
    upstream.answer(silence)
    asker = new_asker(matrix, upstream)
    matrix.remaining_ms = RESERVE_MS + 600
    row = Row(504, "upstream_timeout", headers=NOT_AGAIN, **ESTIMATED)
    asker.expect(row, asker.ask(way, stream=stream))


@every_way
@either_way
def test_reset_before_an_answer(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way, *, stream: bool
) -> None:
    upstream.answer([RESET])
    asker = new_asker(matrix, upstream)
    row = Row(502, BROKEN, headers=NOT_AGAIN, **ESTIMATED)
    asker.expect(row, asker.ask(way, stream=stream))


@every_way
@pytest.mark.parametrize("says_why", [False, True], ids=["inside", "after its reason"])
def test_reset_inside_a_stream(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way, *, says_why: bool
) -> None:
    dialect = way.dialect
    upstream.answer(dialect.broken(*dialect.finished) if says_why else dialect.broken())
    asker = new_asker(matrix, upstream)
    answer = asker.ask(way, stream=True)
    asker.expect(Row(code=BROKEN, **INSIDE, **ESTIMATED), answer, stream=True)


@ways_to(OPENAI, ANTHROPIC)
def test_reset_after_the_usage(matrix: MatrixGateway, upstream: FakeUpstream, way: Way) -> None:
    dialect = way.dialect
    upstream.answer(dialect.broken(*dialect.finished, *dialect.counted))
    asker = new_asker(matrix, upstream)
    asker.expect(Row(code=BROKEN, **INSIDE), asker.ask(way, stream=True), stream=True)


@every_way
def test_stream_that_ends_before_it_says_why(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way
) -> None:
    upstream.answer(way.dialect.cut_off())
    asker = new_asker(matrix, upstream)
    answer = asker.ask(way, stream=True)
    asker.expect(Row(code=ENDED, **INSIDE, **ESTIMATED), answer, stream=True)


@ways_to(OPENAI)
@pytest.mark.parametrize("has_mark", [False, True], ids=["without its mark", "with its mark"])
def test_stream_that_tells_no_usage(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way, *, has_mark: bool
) -> None:
    dialect = way.dialect
    end = dialect.over if has_mark else []
    upstream.answer(dialect.cut_off(*dialect.finished, *end))
    asker = new_asker(matrix, upstream)
    asker.expect(Row(200, **ESTIMATED), asker.ask(way, stream=True), stream=True)


@ways_to(OPENAI, ANTHROPIC)
def test_stream_that_ends_without_its_mark(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way
) -> None:
    dialect = way.dialect
    upstream.answer(dialect.cut_off(*dialect.finished, *dialect.counted))
    asker = new_asker(matrix, upstream)
    asker.expect(Row(200), asker.ask(way, stream=True), stream=True)


@ways_to(RESPONSES)
def test_stream_whose_last_event_is_all_that_counts(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way
) -> None:
    upstream.answer(way.dialect.cut_off(*way.dialect.finished))
    asker = new_asker(matrix, upstream)
    answer = asker.ask(way, stream=True)
    asker.expect(Row(code=ENDED, **INSIDE, **ESTIMATED), answer, stream=True)


@ways_to(OPENAI)
def test_whole_answer_that_tells_no_usage(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way
) -> None:
    upstream.answer(json_reply(completion("".join(TEXTS), usage=None)))
    asker = new_asker(matrix, upstream)
    asker.expect(Row(200, **ESTIMATED), asker.ask(way))


@every_way
def test_error_inside_a_stream(matrix: MatrixGateway, upstream: FakeUpstream, way: Way) -> None:
    upstream.answer(way.dialect.cut_off(way.dialect.failure))
    asker = new_asker(matrix, upstream)
    answer = asker.ask(way, stream=True)
    asker.expect(Row(code=BROKEN, **INSIDE, **ESTIMATED), answer, stream=True)


@every_way
@either_way
def test_error_instead_of_an_answer(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way, *, stream: bool
) -> None:
    """The upstream says 200 first, so that it may have worked."""
    failure = way.dialect.failure
    upstream.answer(stream_reply(failure) if stream else json_reply(way.dialect.refused("No.")))
    asker = new_asker(matrix, upstream)
    row = Row(502, BROKEN, headers=NOT_AGAIN, **ESTIMATED)
    asker.expect(row, asker.ask(way, stream=stream))


@every_way
@either_way
def test_answer_without_any_failure(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way, *, stream: bool
) -> None:
    upstream.answer(way.dialect.answer(stream=stream))
    asker = new_asker(matrix, upstream)
    asker.expect(Row(200), asker.ask(way, stream=stream), stream=stream)
