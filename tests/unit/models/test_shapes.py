"""LibreChat's token-config, and prices of lists in OpenAI's shape."""

from decimal import Decimal

import pytest

from tests.support.config_entries import build_entry
from waystation.config.schema import Endpoint
from waystation.ledger.pricing import Rates
from waystation.ledger.public_prices import PublicPrices
from waystation.models.lists import Listing
from waystation.models.reading import ModelList
from waystation.models.shapes import names_by_endpoint, openai_models, token_config

RATES = Rates(Decimal("0.15"), Decimal(2), Decimal("0.05"), Decimal("0.2"), source="list")
GPT = {"prompt": 2.5, "completion": 10, "context": 128000}


def listing(
    *ids: str, endpoint: Endpoint | None = None, contexts: dict[str, int] | None = None, **rates
) -> Listing:
    return Listing(endpoint or build_entry(), ModelList(ids, contexts or {}, rates), "fetched")


def configured(**models: dict[str, float]) -> Endpoint:
    return build_entry(tokenConfig={name.replace("_", "-"): m for name, m in models.items()})


@pytest.mark.parametrize("shows_prices", [False, True])
def test_prices_are_shown_only_where_the_file_says_so(shows_prices):
    found = listing("gpt-4o", endpoint=configured(gpt_4o=GPT | {"cacheRead": 1.25}))
    prices = {"prompt": 2.5, "completion": 10.0, "cacheRead": 1.25} if shows_prices else {}
    assert token_config([found], shows_prices=shows_prices) == {
        "Acme": {"gpt-4o": {"context": 128000, **prices}}
    }


def test_a_contained_name_gives_its_context_and_no_price():
    entry = configured(gpt={"prompt": 1, "completion": 1, "context": 7}, gpt_4o=GPT)
    found = listing("x/gpt-4o-mini", "gpt-5", "other", endpoint=entry)
    assert token_config([found], shows_prices=True)["Acme"] == {
        "x/gpt-4o-mini": {"context": 128000},
        "gpt-5": {"context": 7},
        "other": {},
    }


def test_what_the_list_told_is_shown_without_rates_it_does_not_tell():
    found = listing("a", "b", contexts={"a": 1000}, a=RATES)
    assert token_config([found], shows_prices=True)["Acme"] == {
        "a": {"context": 1000, "prompt": 0.15, "completion": 2.0},
        "b": {},
    }


def test_a_token_config_alone_counts_where_there_is_one():
    found = listing("a", endpoint=configured(gpt_4o=GPT), contexts={"a": 1000}, a=RATES)
    assert token_config([found], shows_prices=True) == {"Acme": {"a": {}}}
    (model,) = openai_models(found)
    assert "pricing" not in model


def test_endpoints_without_models_are_left_out():
    assert token_config([listing()], shows_prices=True) == {}


def test_prices_of_a_list_are_in_openais_list():
    (model,) = openai_models(listing("a", contexts={"a": 1000}, a=RATES))
    assert (model["context_length"], model["pricing"]) == (
        1000,
        {"prompt": 0.15, "completion": 2.0},
    )


def test_an_entry_of_the_file_hides_another_endpoint_of_its_name():
    first, second = listing("mine"), listing("builtin")
    assert names_by_endpoint([first, second]) == {"Acme": ["mine"]}


PUBLIC = PublicPrices(now_ms=lambda: 1_793_000_000_000)


def openai_entry(**changes: object) -> Endpoint:
    return build_entry(**({"baseURL": "https://api.openai.com/v1"} | changes))


def test_public_price_and_context_are_shown_as_such():
    (shown,) = openai_models(listing("gpt-4o", endpoint=openai_entry()), PUBLIC)
    assert shown["context_length"] == 128_000
    assert shown["pricing"] == {"prompt": 2.5, "completion": 10.0}
    assert shown["pricing_source"] == "public"
    (hidden,) = openai_models(listing("gpt-4o", endpoint=openai_entry()))
    assert hidden.keys().isdisjoint({"context_length", "pricing", "pricing_source"})


@pytest.mark.parametrize("url", ["https://llm.acme.test/v1", "${OPENAI_URL}", "user_provided"])
def test_nothing_public_is_shown_of_unknown_hosts(url):
    (shown,) = openai_models(listing("gpt-4o", endpoint=openai_entry(baseURL=url)), PUBLIC)
    assert shown.keys().isdisjoint({"context_length", "pricing", "pricing_source"})


def test_what_the_entry_or_its_upstream_tells_counts_before_what_is_public():
    found = [
        listing("gpt-4o", endpoint=openai_entry(tokenConfig={"gpt-4o": GPT | {"prompt": 9}})),
        listing("gpt-4o", endpoint=openai_entry(), gpt_4o=RATES),
        listing("a", endpoint=openai_entry(), contexts={"a": 7}, a=RATES),
    ]
    (configured,), (public,), (listed,) = (openai_models(one, PUBLIC) for one in found)
    assert configured["pricing"] == {"prompt": 9.0, "completion": 10.0}
    assert "pricing_source" not in configured
    assert public["pricing_source"] == "public"
    assert (listed["context_length"], listed["pricing"]) == (7, {"prompt": 0.15, "completion": 2.0})
    assert "pricing_source" not in listed
