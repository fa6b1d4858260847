"""The public prices, against the library whose data they are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil

import pytest
from genai_prices import types
from genai_prices.data import providers

from price_data.write import TARGET, dump, read_package
from waystation.ledger.pricing import NANOUSD_PER_USD, cost_nanousd
from waystation.ledger.public_prices import Known, PublicPrices
from waystation.wire.usage import Usage

# Of each provider a URL as operators write it, where its own pattern is more than a host.
URLS = {
    "aws": "bedrock:eu-central-1",
    "azure": "https://acme.openai.azure.com/openai/v1",
    "cloudflare": "https://api.cloudflare.com/client/v4/accounts/0a1b/ai/v1",
    "cohere": "https://api.cohere.ai/compatibility/v1",
    "databricks": "https://acme.cloud.databricks.com/serving-endpoints",
    "elevenlabs": "https://api.elevenlabs.io/v1",
    "google": "https://generativelanguage.googleapis.com/v1beta/openai",
    "minimax": "https://api.minimax.io/v1",
    "moonshotai": "https://api.moonshot.ai/v1",
    "openrouter": "https://openrouter.ai/api/v1",
}
LEFT_OUT = {"modal", "openai-decisions"}
MOMENTS = [
    datetime(2024, 6, 1, 3, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 8, 15, 0, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 16, 30, tzinfo=UTC),
    datetime(2027, 6, 1, 8, tzinfo=UTC),
]
USAGES = [
    Usage(1_003, 11, cache_read_tokens=301, cache_write_tokens=203, cache_write_1h_tokens=101),
    Usage(100_000, 7),
    Usage(199_999, 7),
    Usage(200_001, 7, cache_read_tokens=150_000),
    Usage(900_000, 12_345, cache_read_tokens=5, cache_write_tokens=3, cache_write_1h_tokens=2),
]
# A price by these says all of what tokens cost.
TOLD = {
    *("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok"),
    *("web_searches_kcount", "storage_searches_kcount"),
    *("input_audio_mtok", "output_audio_mtok", "cache_audio_read_mtok", "input_video_mtok"),
    *("input_image_mtok", "output_image_mtok", "cache_image_read_mtok", "output_video_mtok"),
}
CASES = [one for one in providers if one.id not in LEFT_OUT]


def names_of(clause: types.MatchLogic) -> Iterator[str]:
    """Yield names that a rule may match, and some that only look like it."""
    match clause:
        case types.ClauseOr(clauses) | types.ClauseAnd(clauses):
            for one in clauses:
                yield from names_of(one)
        case types.ClauseRegex(pattern):
            yield pattern.strip("^$").replace("\\", "").replace("d{8}", "20260102")
        case types.ClauseEquals(text):
            yield text.upper()
        case _:
            [text] = vars(clause).values()
            yield from (text, f"{text}-20260102", f"x{text}")


def prices_of(model: types.ModelInfo) -> list[types.ModelPrice]:
    periods = model.prices if isinstance(model.prices, list) else [model.prices]
    return [one.prices if isinstance(one, types.ConditionalPrice) else one for one in periods]


def has_steps(model: types.ModelInfo) -> bool:
    rates = [rate for prices in prices_of(model) for rate in vars(prices).values()]
    return any(isinstance(rate, types.TieredPrices) for rate in rates)


def is_told(model: types.ModelInfo) -> bool:
    prices = prices_of(model)
    given = [{name for name, rate in vars(one).items() if rate is not None} for one in prices]
    return all({"input_mtok", "output_mtok"} <= names <= TOLD for names in given)


def cost(model: types.ModelInfo, provider: types.Provider, usage: Usage, when: datetime) -> int:
    counted = types.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens or 0,
        cache_write_tokens=usage.cache_write_tokens or 0,
        cache_write_1h_tokens=usage.cache_write_1h_tokens or 0,
    )
    price = model.calc_price(counted, provider, genai_request_timestamp=when)
    return ceil(price.total_price * NANOUSD_PER_USD)


def test_data_is_that_of_the_library():
    assert TARGET.read_text(encoding="utf-8") == dump(read_package()), "run: make prices"


@pytest.mark.parametrize("provider", CASES, ids=[one.id for one in CASES])
def test_every_model_costs_what_the_library_says(provider):
    url = URLS.get(provider.id) or provider.api_pattern.replace("\\", "").split("(")[0]
    names = {name for model in provider.models for name in names_of(model.match)}
    for other in provider.fallback_model_providers or []:
        models = next(one.models for one in providers if one.id == other)
        names |= {name for model in models for name in names_of(model.match)}
    assert names
    for name in names:
        model = provider.find_model(name, all_providers=providers)
        for when in MOMENTS if model and isinstance(model.prices, list) else MOMENTS[-1:]:
            known = look_up(url, name, when)
            if model is None or not is_told(model):
                assert known.rates is None, name
                continue
            assert known.context == model.context_window
            assert known.rates is not None, name
            for usage in USAGES if has_steps(model) else USAGES[:1]:
                assert cost_nanousd(usage, known.rates) == cost(model, provider, usage, when), name


def look_up(url: str, model: str, when: datetime) -> Known:
    return PublicPrices(now_ms=lambda: int(when.timestamp() * 1000)).look_up(url, model)
