"""Lists as upstreams tell them, and what is made of anything else."""

import json
from decimal import Decimal

import pytest

from waystation.ledger.pricing import Rates
from waystation.models.reading import (
    MAX_MODELS,
    ModelList,
    only_openais_chats,
    read_ollama_tags,
    read_openai_list,
)


def read(*entries: object) -> ModelList:
    return read_openai_list(json.dumps({"data": entries}).encode())


def priced(name: str, prompt: object = "0.000001", completion: object = "0.000002", **more):
    pricing = {"prompt": prompt, "completion": completion, **more}
    return {"id": name, "pricing": pricing, "context_length": 1000}


def test_ids_keep_their_order_and_are_not_filtered():
    assert read({"id": "b"}, {"id": "a"}, {"id": "b"}).ids == ("b", "a", "b")


@pytest.mark.parametrize(
    "entry",
    [None, "x", 7, {}, {"id": None}, {"id": 1}, {"id": ""}, {"id": "x" * 257}, {"id": "a\nb"}],
    ids=str,
)
def test_what_has_no_usable_id_is_left_out(entry):
    assert read(entry, {"id": "x" * 256}).ids == ("x" * 256,)


def test_a_list_is_cut_at_5000_models():
    assert len(read(*({"id": f"m{n}"} for n in range(MAX_MODELS + 1))).ids) == 5000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"7",
        b'["x"]',
        b'{"data": null}',
        b'{"data": {"a": 1}}',
        b"\xff",
        b"{}",
    ],
)
def test_anything_else_is_no_list(body):
    with pytest.raises(ValueError, match=r"list in data|JSON|UTF-8|character"):
        read_openai_list(body)


def test_ollama_tells_names():
    assert read_ollama_tags(b'{"models": [{"name": "llama3:8b"}, {}]}').ids == ("llama3:8b",)
    with pytest.raises(ValueError, match="no list in models"):
        read_ollama_tags(b'{"data": []}')


def test_prices_become_exact_rates_per_million():
    found = read(priced("a", "0.0000001", "0.00000123"), priced("b", "1e-7", "0"))
    assert found.contexts == {"a": 1000, "b": 1000}
    assert found.rates == {
        "a": Rates(Decimal("0.1"), Decimal("1.23"), Decimal("0.1"), Decimal("0.1"), source="list"),
        "b": Rates(Decimal("0.1"), Decimal(0), Decimal("0.1"), Decimal("0.1"), source="list"),
    }


def test_cached_tokens_have_the_lists_own_rates():
    (rates,) = read(
        priced("a", input_cache_read="0.0000001", input_cache_write="0.00000125")
    ).rates.values()
    assert (rates.cache_read, rates.cache_write) == (Decimal("0.1"), Decimal("1.25"))


def test_a_router_has_a_fixed_price():
    found = read(priced("openrouter/auto", "-1", "-1"))
    auto = Rates(Decimal(10), Decimal(30), Decimal(10), Decimal(10), source="list")
    assert found.rates == {"openrouter/auto": auto}


@pytest.mark.parametrize(
    "other",
    [
        {"id": "x"},
        {"id": "x", "pricing": {"prompt": "1"}, "context_length": 1},
        {"id": "x", "pricing": {"prompt": 1, "completion": 1}, "context_length": 1},
        {"id": "x", "pricing": {"prompt": "1", "completion": "1"}},
        {"pricing": {"prompt": "1", "completion": "1"}, "context_length": 1},
    ],
    ids=["nothing", "half", "numbers", "no context", "no id"],
)
def test_there_are_no_prices_unless_every_model_has_one(other):
    assert read(priced("a"), other).rates == {}


@pytest.mark.parametrize(
    "price",
    ["-1", "", "NaN", "Infinity", "1e-999999", "9" * 50, "2", "1_0", " 1", ".", "e1", "0x1", "٣"],
)
def test_what_is_no_price_is_none(price):
    assert list(read(priced("a"), priced("b", price)).rates) == ["a"]


@pytest.mark.parametrize("length", [0, -1, True, "1000", 1.5, None, 10**12])
def test_what_is_no_context_is_none(length):
    assert read({"id": "a", "context_length": length}).contexts == {}


def test_of_openais_own_list_the_chats_are_shown():
    ids = ("gpt-4o", "whisper-1", "o3-mini", "gpt-4o-audio-preview", "gpt-realtime", "dall-e-3")
    assert only_openais_chats(ModelList(ids)).ids == ("gpt-4o", "o3-mini")
