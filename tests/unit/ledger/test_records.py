"""The record of a request, and its keys."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from waystation.ledger.pricing import Rates, Step
from waystation.ledger.records import LedgerRecord, bounded
from waystation.wire.usage import Share, Usage

MAX_ITEM_BYTES = 4096

SETTLED = LedgerRecord(
    request_id="01JZZZZZZZZZZZZZZZZZZZZZZZ",
    user_id="alice/1",
    key_id="k1",
    endpoint="Acme",
    model="acme-large",
    kind="chat",
    state="SETTLED",
    config_version="v1",
    created_at_ms=1_780_000_000_123,
    settled_at_ms=1_780_000_001_000,
    usage=Usage(10, 5, cache_read_tokens=4, cache_write_tokens=0, reasoning_tokens=2),
    rates=Rates(Decimal("2.50"), Decimal("1E+1"), Decimal("1E-9"), Decimal(0)),
    cost_nanousd=61_001,
    conversation_id="c1",
    upstream_id="chatcmpl-1",
    is_stream=True,
)

ITEM = {
    "PK": "U#alice%2F1",
    "SK": "REQ#01JZZZZZZZZZZZZZZZZZZZZZZZ",
    "state": "SETTLED",
    "kind": "chat",
    "user_id": "alice/1",
    "key_id": "k1",
    "endpoint": "Acme",
    "model": "acme-large",
    "hold": 0,
    "cost": 61_001,
    "priced": True,
    "tokens": {"in": 10, "out": 5, "cacheRead": 4, "cacheWrite": 0, "reasoning": 2},
    "usage_source": "upstream",
    "rates": {
        "prompt": "2.50",
        "completion": "10",
        "cacheRead": "0.000000001",
        "cacheWrite": "0",
    },
    "price_source": "tokenConfig",
    "config_version": "v1",
    "conversation_id": "c1",
    "upstream_id": "chatcmpl-1",
    "stream": True,
    "created_at": "2026-05-28T20:26:40.123Z",
    "settled_at": "2026-05-28T20:26:41.000Z",
}


def without(*names: str) -> dict[str, object]:
    return {name: value for name, value in ITEM.items() if name not in names}


def test_priced_record_tells_tokens_rates_and_cost():
    assert SETTLED.to_item() == ITEM


def test_unpriced_record_has_no_cost():
    record = replace(SETTLED, rates=None, cost_nanousd=None)
    assert record.to_item() == without("cost", "rates", "price_source") | {"priced": False}


def test_share_of_a_model_with_rates_of_its_own_is_told():
    rates = Rates(Decimal(1), Decimal(2), Decimal(3), Decimal(4))
    shares = (Share("other", Usage(3, 1)), Share("unpriced", Usage(1, 1)))
    assert SETTLED.usage is not None
    usage = replace(SETTLED.usage, shares=shares)
    record = replace(SETTLED, usage=usage, rates_by_model={"other": rates})
    told = {"prompt": "1", "completion": "2", "cacheRead": "3", "cacheWrite": "4"}
    share = {"model": "other", "tokens": {"in": 3, "out": 1}, "rates": told}
    assert record.to_item() == ITEM | {"shares": [share]}
    assert replace(record, rates_by_model={}).to_item() == ITEM


def test_many_runs_of_a_model_are_one_share_so_that_the_record_can_be_stored():
    dear = Rates(Decimal(9), Decimal(9), Decimal(9), Decimal(9))
    rates = Rates(Decimal(1), Decimal(2), Decimal(3), Decimal(4), steps=(Step(100, dear),))
    shares = (Share("other", Usage(3, 1)), Share("other", Usage(101, 1))) * 5_000
    usage = replace(SETTLED.usage or Usage(0, 0), shares=shares)
    item = replace(SETTLED, usage=usage, rates_by_model={"other": rates}).to_item()
    cheap, dearer = cast("list[dict[str, object]]", item["shares"])
    assert (cheap["tokens"], dearer["tokens"]) == (
        {"in": 15_000, "out": 5_000},
        {"in": 505_000, "out": 5_000},
    )
    assert len(json.dumps(item)) < MAX_ITEM_BYTES


def test_estimated_record_is_marked():
    record = replace(SETTLED, usage=Usage(3, 4, source="estimated"))
    assert record.to_item() == ITEM | {
        "tokens": {"in": 3, "out": 4},
        "usage_source": "estimated",
    }


def test_released_record_cost_nothing():
    record = replace(
        SETTLED,
        state="RELEASED",
        usage=None,
        rates=None,
        cost_nanousd=0,
        conversation_id=None,
        upstream_id=None,
        error_code="upstream_rate_limited",
    )
    left_out = (
        "priced",
        "tokens",
        "usage_source",
        "rates",
        "price_source",
        "conversation_id",
        "upstream_id",
    )
    assert record.to_item() == without(*left_out) | {
        "state": "RELEASED",
        "cost": 0,
        "error_code": "upstream_rate_limited",
    }


def test_client_that_has_gone_is_written_down():
    record = replace(SETTLED, client_disconnected=True)
    assert record.to_item() == ITEM | {"client_disconnected": True}


@pytest.mark.parametrize("name", ["endpoint", "model", "conversation_id", "upstream_id"])
def test_shown_text_is_cut_to_200_bytes(name):
    changes: Any = {name: "é" * 150}
    record = replace(SETTLED, **changes)
    assert record.to_item() == ITEM | {name: "é" * 91 + "~cb1fa3158102cb16"}


def test_text_is_cut_between_characters():
    assert bounded("é" * 100) == "é" * 100
    assert bounded("a" + "é" * 100) == "a" + "é" * 91 + "~d47b400859695062"
    assert bounded(None) is None


def test_text_that_is_changed_says_so():
    assert bounded("a\x00b") == "ab~59b271ae1bbcb1d3"


def test_public_price_says_of_which_data_and_which_step_it_is():
    one, two, version = Decimal(1), Decimal(2), "genai-prices 1.2.3"
    below = Rates(one, two, one, one, source="public", version=version)
    above = replace(below, prompt=Decimal(3))
    stepped = replace(below, steps=(Step(9, above),))
    item = replace(SETTLED, rates=stepped).to_item()
    assert (item["price_source"], item["price_version"]) == ("public", version)
    assert item["rates"] == {"prompt": "3", "completion": "2", "cacheRead": "1", "cacheWrite": "1"}
    item = replace(SETTLED, rates=replace(below, steps=(Step(10, above),))).to_item()
    assert item["rates"] == {"prompt": "1", "completion": "2", "cacheRead": "1", "cacheWrite": "1"}
