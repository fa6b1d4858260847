"""Which of several books of prices counts, and what is kept of the prices of lists."""

import logging
from decimal import Decimal

import pytest

from tests.support.config_entries import build_entry, token_config
from tests.support.fakes import BrokenTable
from waystation.aws.table import Item
from waystation.config.schema import Endpoint
from waystation.ledger.learned import MAX_BYTES, LearnedPrices
from waystation.ledger.prices import ConfiguredPrices, PriceBooks
from waystation.ledger.pricing import Rates
from waystation_cli.local.memory_table import InMemoryTable

URL = "https://openrouter.test/api/v1"
RATES = Rates(Decimal("0.15"), Decimal(2), Decimal("0.05"), Decimal("0.2"), source="list")
DAY_S = 24 * 60 * 60


class CountingTable(InMemoryTable):
    """A table that counts how often it is read and written."""

    def __init__(self) -> None:
        super().__init__()
        self.reads, self.writes = 0, 0

    async def get(self, pk: str, sk: str) -> Item | None:
        self.reads += 1
        return await super().get(pk, sk)

    async def put(self, item: Item) -> None:
        self.writes += 1
        await super().put(item)


class Time:
    """The time in milliseconds, which moves only when told to."""

    def __init__(self) -> None:
        self.s = 1_780_000_000

    def __call__(self) -> int:
        return self.s * 1000


def router(**changes: object) -> Endpoint:
    return build_entry(**({"name": "OpenRouter"} | changes))


@pytest.mark.parametrize("name", ["openrouter", "OpenRouter", "Helicone"])
async def test_what_one_process_learns_another_one_knows(name):
    table, entry = InMemoryTable(), router(name=name)
    await LearnedPrices(table, now_ms=Time()).learn(entry, URL, {"a/b": RATES})
    chat = LearnedPrices(table, now_ms=Time())
    assert await chat.find(entry, URL, "a/b") == RATES
    assert await chat.find(entry, URL, "a/c") is None


@pytest.mark.parametrize(
    "entry",
    [build_entry(), router(name="OpenRouter 2"), router(tokenConfig=token_config())],
    ids=["another", "almost", "with a tokenConfig"],
)
async def test_nothing_is_learned_for_other_entries(entry):
    table = CountingTable()
    prices = LearnedPrices(table, now_ms=Time())
    await prices.learn(entry, URL, {"a/b": RATES})
    assert await prices.find(entry, URL, "a/b") is None
    assert (table.reads, table.writes) == (0, 0)


async def test_prices_are_those_of_the_url():
    table = InMemoryTable()
    await LearnedPrices(table, now_ms=Time()).learn(router(), URL, {"a/b": RATES})
    chat = LearnedPrices(table, now_ms=Time())
    assert await chat.find(router(), f"{URL}/other", "a/b") is None


async def test_prices_are_written_when_they_change_and_once_a_day():
    table, time = CountingTable(), Time()
    prices = LearnedPrices(table, now_ms=time)
    for _ in range(3):
        await prices.learn(router(), URL, {"a/b": RATES})
    assert table.writes == 1
    await prices.learn(router(), URL, {"a/b": RATES, "a/c": RATES})
    assert table.writes == 2
    time.s += DAY_S
    await prices.learn(router(), URL, {"a/b": RATES, "a/c": RATES})
    assert table.writes == 3


async def test_prices_are_read_again_after_five_minutes():
    table, time = CountingTable(), Time()
    chat = LearnedPrices(table, now_ms=time)
    for _ in range(3):
        assert await chat.find(router(), URL, "a/b") is None
    assert table.reads == 1
    await LearnedPrices(table, now_ms=time).learn(router(), URL, {"a/b": RATES})
    time.s += 300
    assert await chat.find(router(), URL, "a/b") == RATES


async def test_prices_are_forgotten_after_a_week():
    table, time = InMemoryTable(), Time()
    await LearnedPrices(table, now_ms=time).learn(router(), URL, {"a/b": RATES})
    time.s += 7 * DAY_S
    assert await LearnedPrices(table, now_ms=time).find(router(), URL, "a/b") is None


async def test_a_list_without_prices_takes_none_away():
    table = InMemoryTable()
    prices = LearnedPrices(table, now_ms=Time())
    await prices.learn(router(), URL, {"a/b": RATES})
    await prices.learn(router(), URL, {})
    assert await prices.find(router(), URL, "a/b") == RATES


async def test_a_table_that_is_down_costs_a_price_and_no_answer(caplog):
    caplog.set_level(logging.ERROR)
    assert await LearnedPrices(BrokenTable(), now_ms=Time()).find(router(), URL, "a/b") is None
    lists = LearnedPrices(BrokenTable(), now_ms=Time())
    await lists.learn(router(), URL, {"a/b": RATES})
    assert [record.message for record in caplog.records] == ["prices_unread", "prices_unwritten"]


async def test_prices_beyond_what_an_item_holds_are_not_kept(caplog):
    table = CountingTable()
    many = {f"{n:0256}": RATES for n in range(MAX_BYTES // 256)}
    await LearnedPrices(table, now_ms=Time()).learn(router(), URL, many)
    assert table.writes == 0
    assert [record.message for record in caplog.records] == ["prices_too_large"]


async def test_a_token_config_comes_before_what_was_learned():
    learned = LearnedPrices(InMemoryTable(), now_ms=Time())
    await learned.learn(router(), URL, {"m": RATES})
    books = PriceBooks(ConfiguredPrices(), learned)
    configured = await books.find(router(tokenConfig=token_config()), URL, "m")
    assert configured == Rates(Decimal(1), Decimal(2), Decimal(1), Decimal(1))
    assert configured.source == "tokenConfig"
    assert await books.find(router(), URL, "m") == RATES
    assert await books.find(router(), URL, "other") is None
