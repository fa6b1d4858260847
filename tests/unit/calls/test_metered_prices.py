"""What a call is charged where no tokenConfig says it, and what the cost leaves out."""

from decimal import Decimal

import pytest

from tests.support.calls import RAW_USAGE, build_call, build_calls, completion, json_answer
from tests.support.config_entries import build_entry
from tests.support.fakes import InMemoryLedger, Reply, ScriptedEgress
from waystation.config.schema import Endpoint
from waystation.ledger.prices import ConfiguredPrices, PriceBooks
from waystation.ledger.public_prices import PublicPrices
from waystation.ledger.records import LedgerRecord

BOOKS = PriceBooks(ConfiguredPrices(), PublicPrices(now_ms=lambda: 1_793_000_000_000))
MINI_COST = 10 * 150 + 5 * 600


def sent_as(model: str, url: str, **changes: object) -> Endpoint:
    return build_entry(**({"baseURL": url, "addParams": {"model": model}} | changes))


OPENAI = sent_as("gpt-4o-mini", "https://api.openai.com/v1")


async def settled(answer: Reply, **call) -> tuple[dict[str, object], LedgerRecord]:
    """Return the answer of one call, and its record."""
    ledger = InMemoryLedger()
    calls = build_calls(ScriptedEgress(answer), ledger, prices=BOOKS)
    told = await calls.complete(build_call(**call), lambda _: None)
    (record,) = ledger.records
    return told.body, record


async def test_public_price_is_charged_at_a_known_host():
    answer, record = await settled(json_answer(completion()), entry=OPENAI)
    assert answer["usage"] == {**RAW_USAGE, "cost": MINI_COST / 1e9, "cost_nanousd": MINI_COST}
    assert record.rates is not None
    assert (record.cost_nanousd, record.rates.source) == (MINI_COST, "public")
    assert record.to_item()["price_version"] == record.rates.version


async def test_the_same_model_at_another_host_is_unpriced():
    entry = sent_as("gpt-4o-mini", "https://llm.acme.test/v1")
    answer, record = await settled(json_answer(completion()), entry=entry)
    assert answer["usage"] == RAW_USAGE
    assert (record.cost_nanousd, record.rates) == (None, None)


async def test_share_of_another_model_costs_what_is_public_of_that_model():
    runs = [
        {"type": "message", "input_tokens": 10, "output_tokens": 5},
        {
            "type": "advisor_message",
            "model": "claude-opus-4-1-20250805",
            "input_tokens": 3,
            "output_tokens": 2,
        },
    ]
    usage = {"input_tokens": 10, "output_tokens": 5, "iterations": runs}
    entry = sent_as("claude-haiku-4-5", "https://api.anthropic.com", provider="anthropic")
    message = {"id": "msg_1", "content": [], "usage": usage}
    _, record = await settled(json_answer(message), entry=entry)
    assert record.cost_nanousd == 10 * 1000 + 5 * 5000 + 3 * 15_000 + 2 * 75_000
    assert record.rates_by_model["claude-opus-4-1-20250805"].prompt == Decimal(15)


@pytest.mark.parametrize(
    ("params", "answer", "extras"),
    [
        ({}, {}, None),
        ({"service_tier": "auto"}, {"service_tier": "default"}, None),
        ({"service_tier": "flex"}, {}, ["service_tier"]),
        ({"service_tier": "flex"}, {"service_tier": "default"}, None),
        ({}, {"service_tier": "priority"}, ["service_tier"]),
        (
            {},
            {"usage": RAW_USAGE | {"prompt_tokens_details": {"audio_tokens": 3}}},
            ["audio"],
        ),
    ],
)
async def test_record_names_what_the_cost_leaves_out(params, answer, extras):
    reply = json_answer(completion(**answer))
    _, record = await settled(reply, entry=OPENAI, params=params)
    assert record.cost_nanousd == MINI_COST
    assert record.to_item().get("extras") == extras
