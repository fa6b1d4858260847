"""docs/costs.md: what requests write is measured, and the page says the same."""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.fake_upstream import FakeUpstream, completion, json_reply
from tests.support.lambda_gateway import build_config
from tests.support.metering_table import MeteringTable, Written
from tests.support.served_gateway import CHAT, ServedGateway, chat_body

PAGE = (Path(__file__).parents[2] / "docs" / "costs.md").read_text(encoding="utf-8")
BALANCE = {"enabled": True, "startBalance": 10**9}
UUID = "3b1c0c1e-5a1e-4a39-9d0e-{:012d}"
RATES = {"prompt": 2.5, "completion": 10, "context": 128000, "cacheRead": 0.25, "cacheWrite": 3.125}
MAX_ITEM_BYTES = 4096
LONG_MODEL = "ö" * 256


class Way(NamedTuple):
    """How requests are sent, and the row of the page they belong to."""

    row: str
    has_balance: bool = False
    has_key: bool = False
    has_title: bool = False


WAYS = [
    Way("chat"),
    Way("chat with an `Idempotency-Key`", has_key=True),
    Way("chat that draws on a balance", has_balance=True),
    Way("both", has_balance=True, has_key=True),
    Way("title beside a chat, more", has_title=True),
    Way("title that draws on a balance, more", has_balance=True, has_title=True),
]


def table_of(heading: str) -> list[list[str]]:
    """Return the rows of the page's table whose first heading is this."""
    match = re.search(rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert match is not None
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in match[1].splitlines()]


PRICES = {name: (unit, Decimal(usd)) for name, unit, usd in table_of("price of")}


class Metered:
    """A gateway whose table counts what requests write."""

    def __init__(self, served: ServedGateway, table: MeteringTable) -> None:
        self.served = served
        self.table = table
        self._sent = 0

    def send(self, way: Way, *, user: str = "alice", **body: str) -> list[Written]:
        """Send a chat, and return what was written for it, or for its title."""
        self._sent += 1
        self.table.written.clear()
        headers = {"authorization": f"Bearer key-of-{user}"}
        if way.has_key:
            headers["Idempotency-Key"] = f"{self._sent:036d}"
        parent = {} if way.has_title else {"parentMessageId": UUID.format(0)}
        asked = {"model": "gpt-4o-mini", "conversationId": UUID.format(self._sent)} | parent | body
        answer = self.served.client.post(CHAT, json=chat_body(**asked), headers=headers)
        assert answer.status_code == 200, answer.text
        until = time.monotonic() + 5
        while way.has_title and not self._has_title() and time.monotonic() < until:
            time.sleep(0.02)
        written = list(self.table.written)
        titles = {one.call for one in written if one.kind == "TITLE" or "-title" in one.sk}
        return [one for one in written if (one.call in titles) is way.has_title]

    def _has_title(self) -> bool:
        return sum(one.kind == "TITLE" for one in self.table.written) == 2


@contextmanager
def metered(
    upstream: FakeUpstream, way: Way, directory: Path, **changes: object
) -> Iterator[Metered]:
    """Serve users with or without a balance; the upstream makes titles too."""
    upstream.answer(json_reply(completion()))
    entry = {
        "name": "Acme",
        "apiKey": "the-key",
        "baseURL": upstream.url,
        "models": {"default": ["gpt-4o-mini"]},
        "tokenConfig": {"gpt-4o-mini": RATES},
        "titleConvo": True,
        "titleModel": "current_model",
    }
    rules = {"balance": BALANCE} if way.has_balance else {}
    served = ServedGateway(build_config(entry | changes, **rules), directory)
    table = MeteringTable()
    served.table = table  # type: ignore[assignment]
    with served:
        served.add_key("key-of-bob", "bob")
        yield Metered(served, table)


@pytest.fixture(params=WAYS, ids=lambda way: way.row)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture
def gateway(way: Way, upstream: FakeUpstream, tmp_path: Path) -> Iterator[Metered]:
    with metered(upstream, way, tmp_path) as gateway:
        yield gateway


def units(written: Iterable[Written]) -> int:
    return sum(one.units + one.index_units for one in written)


def split(written: list[Written]) -> tuple[int, int]:
    """Return the units before the upstream and after it: the record is written at both times."""
    opened, settled = [one.call for one in written if one.kind == "REQ"]
    assert opened < settled
    return (
        units(one for one in written if one.call < settled),
        units(one for one in written if one.call >= settled),
    )


def test_page_tells_what_a_request_writes(gateway: Metered, way: Way) -> None:
    gateway.send(way)  # the user, the day and the model are new
    before, after = split(gateway.send(way))
    usd = (before + after) * PRICES["write units"][1]
    expected = [way.row, str(before), str(after), str(before + after), f"{usd:.3f}"]
    assert expected in table_of("request")
    assert before + after <= (16 if way.has_key else 14 if way.has_title else 12)


def test_first_requests_write_more(gateway: Metered, way: Way) -> None:
    if way.has_title:
        gateway.send(way._replace(has_title=False))
    first, later = (units(gateway.send(way)) for _ in range(2))
    assert first - later == (0 if way.has_title else 5 if way.has_balance else 1)
    assert "costs 1 unit more" in PAGE
    assert "costs 4 more" in PAGE


def test_no_item_is_written_for_two_users(gateway: Metered, way: Way) -> None:
    written = [{one.pk for one in gateway.send(way, user=user)} for user in ("alice", "bob")]
    assert all(written)
    assert written[0] & written[1] == set()


def test_partition_takes_as_many_requests_as_the_page_says(gateway: Metered, way: Way) -> None:
    gateway.send(way)
    written = gateway.send(way)
    of_user = sum(one.units for one in written if one.pk == "U#alice")
    per_second = 1000 // of_user
    if way.row == "both":
        assert 80 <= per_second < 90
    if way.row == "chat":
        assert 300 <= per_second < 400
    if not way.has_title:
        assert sum(one.index_units for one in written) == 2  # of ten shards: 5,000 a second


def test_sizes_are_as_the_page_says(
    way: Way, upstream: FakeUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS", "on")
    with metered(upstream, way, tmp_path) as gateway:
        gateway.send(way)
        for one in gateway.send(way):
            if one.kind == "REQ":
                assert 300 <= one.size <= 600
        lines = gateway.served.log.text.splitlines()
    told = [len(line) for line in lines if '"_aws"' in line]
    assert max(told) <= 1100  # Lambda's own lines are some 400 bytes more
    assert "| 1.5 KB a chat |" in PAGE


def test_no_item_is_larger_than_it_may_be(way: Way, upstream: FakeUpstream, tmp_path: Path) -> None:
    """However long the names are that users and operators choose."""
    longest = {
        "name": "é" * 64,
        "models": {"default": [LONG_MODEL]},
        "tokenConfig": {LONG_MODEL: RATES},
    }
    with metered(upstream, way, tmp_path, **longest) as gateway:
        gateway.served.add_key("key-of-long", "ü" * 1000)
        body = {"model": LONG_MODEL, "conversationId": "ö" * 1000}
        written = gateway.send(way, user="long", **body)
        assert {one.kind for one in written} >= {"REQ", "M"}
        assert max(one.size for one in written) <= MAX_ITEM_BYTES


def test_a_million_chats_cost_what_the_page_says() -> None:
    for what, price, quantity, usd in table_of("what"):
        unit, of_one = PRICES[price]
        number = Decimal(quantity.replace(",", ""))
        per = 1_000_000 if unit == "million" else 1
        assert (what, f"{number * of_one / per:.2f}") == (what, usd)
