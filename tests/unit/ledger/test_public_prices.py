"""Prices that providers tell in public: on which hosts, for which models, at which time."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version

import pytest

from tests.support.config_entries import build_entry, token_config
from waystation.ledger.learned import LearnedPrices
from waystation.ledger.prices import ConfiguredPrices, PriceBooks
from waystation.ledger.pricing import Rates, Step
from waystation.ledger.public_prices import Known, PublicPrices
from waystation_cli.local.memory_table import InMemoryTable

OPENAI = "https://api.openai.com/v1"
NOVEMBER = datetime(2026, 11, 1, 12, tzinfo=UTC)
VERSION = f"genai-prices {version('genai-prices')}"
NOTHING = Known(None, None)


def at(when: datetime) -> PublicPrices:
    return PublicPrices(now_ms=lambda: int(when.timestamp() * 1000))


def public(*numbers: str, hour: str | None = None, steps: tuple[Step, ...] = ()) -> Rates:
    prompt, completion, read, write = map(Decimal, numbers)
    for_an_hour = None if hour is None else Decimal(hour)
    return Rates(prompt, completion, read, write, for_an_hour, "public", VERSION, steps)


@pytest.mark.parametrize(
    ("url", "model", "rates"),
    [
        (OPENAI, "gpt-4o-mini", public("0.15", "0.6", "0.075", "0.15")),
        (OPENAI, "gpt-4o-2024-08-06", public("2.5", "10", "1.25", "2.5")),
        (OPENAI, "ft:gpt-4o-2024-08-06:org::abc", public("3.75", "15", "3.75", "3.75")),
        (OPENAI, "GPT-4o", public("2.5", "10", "1.25", "2.5")),
        ("https://API.OpenAI.com:443", "gpt-4o", public("2.5", "10", "1.25", "2.5")),
        ("https://a.openai.azure.com/openai/v1", "gpt-4o", public("2.5", "10", "1.25", "2.5")),
        (
            "https://api.groq.com/openai/v1",
            "llama-3.3-70b-versatile",
            public("0.59", "0.79", "0.59", "0.59"),
        ),
        (
            "https://api.anthropic.com",
            "claude-haiku-4-5-20251001",
            public("1", "5", "0.1", "1.25", hour="2"),
        ),
        (
            "bedrock:eu-central-1",
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            public("3.3", "16.5", "0.33", "4.125", hour="6.6"),
        ),
        ("https://openrouter.ai/api/v1", "openai/gpt-4o", public("2.5", "10", "1.25", "2.5")),
    ],
)
def test_price_is_that_of_the_host(url, model, rates):
    assert at(NOVEMBER).look_up(url, model).rates == rates


@pytest.mark.parametrize("name", ["models/gemini-2.5-pro", "gemini-2.5-pro"])
def test_long_inputs_have_rates_of_their_own(name):
    url = "https://generativelanguage.googleapis.com/v1beta/openai"
    above = Step(200_000, public("2.5", "15", "0.25", "2.5"))
    expected = public("1.25", "10", "0.125", "1.25", steps=(above,))
    assert at(NOVEMBER).look_up(url, name).rates == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://llm.acme.test/v1",
        "http://127.0.0.1:8000/v1",
        "https://api.openai.com.acme.test/v1",
        "https://acme.test/api.openai.com/v1",
        "https://acme.test/x.googleapis.com/",
        "https://api.openai.com:8443/v1",
        "https://api.openai.com@acme.test/v1",
        "https://xapi.openai.com/v1",
        "https://acme--vllm.modal.run/v1",
        "https://acme.azure-api.net/openai/v1",
        "https://router.huggingface.co/v1",
        "https://[api.openai.com/v1",
        "https://api.openai.com:port/v1",
        "",
    ],
)
@pytest.mark.parametrize("model", ["gpt-4o", "gemini-2.5-pro", "openai/gpt-4o", "llama-3"])
def test_unknown_host_has_no_prices(url, model):
    assert at(NOVEMBER).look_up(url, model) == NOTHING


@pytest.mark.parametrize("model", ["gpt-99", "openai/gpt-4o", "", "x" * 300, "gpt-4o "])
def test_unknown_model_has_no_price(model):
    assert at(NOVEMBER).look_up(OPENAI, model) == NOTHING


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("https://api.perplexity.ai", "sonar"),  # a fee for each request
        ("https://api.perplexity.ai", "sonar-deep-research"),  # reasoning at a rate of its own
        (OPENAI, "text-embedding-3-small"),
        (OPENAI, "tts-1"),
    ],
)
def test_price_that_rates_cannot_say_is_none(url, model):
    assert at(NOVEMBER).look_up(url, model).rates is None


def test_day_that_a_router_writes_is_read():
    dashed = at(NOVEMBER).look_up(OPENAI, "gpt-5.4-2026-03-05")
    assert dashed.rates is not None
    assert at(NOVEMBER).look_up(OPENAI, "gpt-5.4-20260305") == dashed
    assert at(NOVEMBER).look_up(OPENAI, "gpt-5.4-20261305") == NOTHING


@pytest.mark.parametrize(
    ("hour", "minute", "prompt"),
    [(0, 29, "0.135"), (0, 30, "0.27"), (16, 29, "0.27"), (16, 30, "0.135")],
)
def test_price_may_change_by_the_hour(hour, minute, prompt):
    book = at(NOVEMBER.replace(hour=hour, minute=minute))
    rates = book.look_up("https://api.deepseek.com", "deepseek-chat").rates
    assert rates is not None
    assert rates.prompt == Decimal(prompt)


def test_price_may_change_by_the_day():
    url, model = "https://api.mistral.ai/v1", "mistral-medium-latest"
    old, new = (
        at(datetime(year, 11, 1, tzinfo=UTC)).look_up(url, model).rates for year in (2023, 2026)
    )
    assert old is not None
    assert new is not None
    assert old != new


async def test_public_price_is_the_last_to_count():
    entry = build_entry(tokenConfig=token_config() | {"gpt-4o": token_config(prompt=9)["m"]})
    learned = LearnedPrices(InMemoryTable(), now_ms=lambda: 0)
    books = PriceBooks(ConfiguredPrices(), learned, at(NOVEMBER))
    configured = await books.find(entry, OPENAI, "gpt-4o")
    assert configured is not None
    assert (configured.prompt, configured.source) == (Decimal(9), "tokenConfig")
    assert configured.version is None
    beside = await books.find(entry, OPENAI, "gpt-4o-mini")
    assert beside is not None
    assert (beside.source, beside.version) == ("public", VERSION)
    assert await books.find(entry, "https://llm.acme.test/v1", "gpt-4o-mini") is None


def test_data_is_read_only_when_a_model_needs_it():
    code = """if True:
        import sys, io
        opened = []
        sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))
        from waystation.bootstrap import runtime
        from waystation.ledger.public_prices import PublicPrices
        book = PublicPrices(now_ms=lambda: 0)
        assert not [name for name in opened if "public_prices.json" in name]
        book.look_up("https://api.openai.com/v1", "gpt-4o")
        assert [name for name in opened if "public_prices.json" in name]
        assert "genai_prices" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True)
