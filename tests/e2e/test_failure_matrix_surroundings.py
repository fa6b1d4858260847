"""The failure matrix: stores that are down, wrong files and clocks, and clients that leave."""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.conversations import wait_until
from tests.support.failure_matrix import USED, WAYS, Row, Way, new_asker
from tests.support.fake_upstream import FakeUpstream, Received, Step, stream_reply
from tests.support.matrix_gateway import MatrixGateway, matrix_config
from waystation.bootstrap import runtime
from waystation.credentials.secrets import Secrets
from waystation.credentials.sources import SecretSourceError
from waystation.wire.moments import read_moment

MINUTES_MS = 10 * 60 * 1000
WAY = WAYS[0]
STILL: list[Step] = [0.1, b": still\n\n"] * 5

either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


class RemoteSecrets:
    """A store of secrets that does not answer while `is_down`."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.is_down = False

    async def fetch(self, names: Iterable[str]) -> Mapping[str, str]:
        if self.is_down:
            raise SecretSourceError("the store is down")
        return {name: self.values[name] for name in names if name in self.values}


class ColdGateway(MatrixGateway):
    """A gateway whose secrets are in a store; its clock of the secrets' age can be turned."""

    age_s = 0.0

    def make_secrets(self) -> Secrets:
        self.store = RemoteSecrets(self.secrets)
        return Secrets([], self.store, now=lambda: time.monotonic() + self.age_s)


@pytest.fixture
def cold(acme: dict[str, object], tmp_path: Path) -> Iterator[ColdGateway]:
    with ColdGateway(matrix_config(acme, reserves=True), tmp_path, reserves=True) as gateway:
        yield gateway


@either_way
def test_new_configuration_is_wrong(
    cold: ColdGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer(WAY.dialect.answer(stream=stream))
    asker = new_asker(cold, upstream)
    cold.log.clear()
    cold.config_path.write_text("endpoints: {custom: 3}")
    answer = asker.ask(WAY, stream=stream)
    asker.expect(Row(200, lines=("config_rejected",)), answer, stream=stream)


@either_way
def test_store_of_the_configuration_is_down(
    cold: ColdGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer(WAY.dialect.answer(stream=stream))
    asker = new_asker(cold, upstream)
    cold.log.clear()
    cold.config_path.unlink()
    answer = asker.ask(WAY, stream=stream)
    asker.expect(Row(200, lines=("config_unreadable",)), answer, stream=stream)


@either_way
@pytest.mark.parametrize("age_s", [0, 1800], ids=["young", "old"])
def test_store_of_secrets_is_down(
    cold: ColdGateway, upstream: FakeUpstream, *, stream: bool, age_s: int
) -> None:
    upstream.answer(WAY.dialect.answer(stream=stream))
    assert new_asker(cold, upstream).ask(WAY, stream=stream).status_code == 200
    upstream.received.clear()
    asker = new_asker(cold, upstream)
    cold.log.clear()
    cold.store.is_down, cold.age_s = True, age_s
    asker.expect(Row(200), asker.ask(WAY, stream=stream), stream=stream)


@either_way
@pytest.mark.parametrize("way", [WAYS[0], WAYS[3]], ids=str)
def test_store_of_secrets_is_down_from_the_beginning(
    cold: ColdGateway, upstream: FakeUpstream, way: Way, *, stream: bool
) -> None:
    asker = new_asker(cold, upstream)
    cold.log.clear()
    cold.store.is_down, cold.age_s = True, 2 * 3600
    upstream.answer(way.dialect.answer(stream=stream))
    answer = asker.ask(way, stream=stream)
    row = Row(
        503,
        "secret_unavailable",
        state=None,
        usage_source=None,
        headers={"retry-after": "5", "x-should-retry": None},
        received=0,
        connections=0,
    )
    asker.expect_answer(row, answer, stream=stream)
    assert upstream.received == []
    asker.expect_nothing_kept()
    assert "secrets_unavailable" in [one["message"] for one in asker.lines(answer)]
    cold.store.is_down = False
    assert asker.ask(way, stream=stream).status_code == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_no_configuration_from_the_beginning(
    tmp_path: Path, acme: dict[str, object], upstream: FakeUpstream, path: str
) -> None:
    text = matrix_config(acme, reserves=True)
    way = Way(path, WAY.model, WAY.dialect)
    with MatrixGateway("endpoints: {custom: 3}", tmp_path, reserves=True) as gateway:
        asker = new_asker(gateway, upstream)
        answer = asker.ask(way)
        headers = {"retry-after": "10", "x-should-retry": None}
        row = Row(503, "config_unavailable", headers=headers)
        asker.expect_answer(row, answer, stream=False)
        assert upstream.received == []
        asker.expect_nothing_kept()
        gateway.config_path.write_text(text)
        upstream.answer(way.dialect.answer(stream=False))
        wait_until(lambda: asker.ask(way).status_code == 200)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A server's clock that is wrong, by so many ms."""
    skew = {"ms": 0}
    monkeypatch.setattr(runtime, "_now_ms", lambda: round(time.time() * 1000) + skew["ms"])
    return skew


@pytest.fixture
def skewed(clock: dict[str, int], cold: ColdGateway) -> ColdGateway:
    """A gateway that goes by that clock."""
    assert clock
    return cold


@either_way
@pytest.mark.parametrize("later_ms", [0, MINUTES_MS, -MINUTES_MS], ids=["stays", "jumps", "falls"])
@pytest.mark.parametrize("skew_ms", [MINUTES_MS, -MINUTES_MS], ids=["fast", "slow"])
def test_clock_that_is_wrong(
    skewed: ColdGateway,
    upstream: FakeUpstream,
    clock: dict[str, int],
    *,
    stream: bool,
    skew_ms: int,
    later_ms: int,
) -> None:
    """It changes while the upstream works, and another server sweeps by the right one."""
    asker = new_asker(skewed, upstream)
    skewed.log.clear()
    skewed.remaining_ms = 27_000  # so that a slow clock makes it look cut off

    def answer(_: Received) -> Iterator[Step]:
        wait_until(lambda: bool(asker.items("REQ#")))
        swept.append(skewed.sweep(after_s=0).swept)
        clock["ms"] = skew_ms + later_ms
        yield from WAY.dialect.answer(stream=stream)

    swept: list[int] = []
    upstream.answer(answer)
    clock["ms"] = skew_ms
    asker.expect(Row(200), asker.ask(WAY, stream=stream), stream=stream)
    assert swept == [int(skew_ms < 0)]
    (record,) = asker.items("REQ#")
    began_ms = time.time() * 1000 + skew_ms
    assert read_moment(str(record["created_at"])) == pytest.approx(began_ms, abs=60_000)
    (sums,) = asker.items("M#", "A#")
    assert str(sums["PK"]).endswith(str(record["created_at"])[:7])


@every_way
def test_client_that_leaves(matrix: MatrixGateway, upstream: FakeUpstream, way: Way) -> None:
    """The answer is read to its usage, and paid for."""
    dialect = way.dialect
    ending = [*dialect.finished, *dialect.counted, *dialect.over]
    upstream.answer(stream_reply(*dialect.begun, *STILL, *ending))
    asker = new_asker(matrix, upstream)
    answer = asker.leave(way)
    line = asker.line_of(answer)
    row = Row(200, headers={})
    asker.expect_ledger(row, answer)
    record = asker.record_of(answer)
    assert record is not None
    assert record["client_disconnected"] is True
    assert (line["error_code"], line["cost_nanousd"]) == ("client_disconnected", USED)
    asker.expect_no_canary()
