"""Writes `public_prices.json`, made of what the installed `genai-prices` knows: `make prices`.

Only what the gateway's rates can say is taken: prices per token of text, by kind, by the size of
the input and by when. A model whose price needs more (a fee per request, a rate of its own for
reasoning) keeps its place without a price, so that no other model's pattern takes it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import distribution
from pathlib import Path
from typing import TypeAlias, TypedDict

from genai_prices import types
from genai_prices.data import providers

PACKAGE = "genai-prices"
TARGET = Path(__file__).parents[2] / "shared/waystation/ledger/public_prices.json"

_KINDS = {
    "input_mtok": "prompt",
    "output_mtok": "completion",
    "cache_read_mtok": "read",
    "cache_write_mtok": "write",
    "cache_write_1h_mtok": "write1h",
}
# Fees of tools, charged only where they are used; and tokens that are no text.
_BESIDE = re.compile(
    r"(web|storage)_searches_kcount|(input|output|cache)_(audio|image|video)_.*mtok"
)
# Where each customer serves what it likes, at its own costs.
_ANYONES = frozenset({"modal"})
# Places that the data names too loosely. Each is matched whole, with any path behind it.
_PLACES = {
    "aws": r"bedrock-runtime\.[a-z0-9-]+\.amazonaws\.com",
    "azure": r"[^./]+\.(?:openai|cognitiveservices|services\.ai)\.azure\.com",
    "google": r"(?:[^/]+\.)?googleapis\.com",
    "moonshotai": r"api\.moonshot\.(?:ai|cn)",
}
_MARKS: Mapping[type, str] = {
    types.ClauseEquals: "=",
    types.ClauseStartsWith: "^",
    types.ClauseEndsWith: "$",
    types.ClauseContains: "~",
}
_BOUNDARY = re.compile(r"\(\??:?/\|\$\)$")

Json: TypeAlias = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | None


class ProviderData(TypedDict):
    """One provider: where it is, whose models it has beside its own, and what its own cost."""

    id: str
    place: str
    others: list[str]
    models: list[Json]


class PriceData(TypedDict):
    """All of them, in the data's own order: the first place that matches counts."""

    source: str
    licence: str
    providers: list[ProviderData]


def read_package() -> PriceData:
    """Return the data. Raises ValueError for what the package says in a way unknown here."""
    taken: dict[str, ProviderData] = {}
    for provider in providers:
        place = _PLACES.get(provider.id) or _host(provider)
        if provider.id not in _ANYONES and place not in taken:
            taken[place] = {
                "id": provider.id,
                "place": place,
                "others": provider.fallback_model_providers or [],
                "models": [_model(model) for model in provider.models],
            }
    package = distribution(PACKAGE)
    notice = package.read_text("licenses/LICENSE")
    if not notice:
        raise ValueError(f"{PACKAGE} has no licence")
    source = f"{PACKAGE} {package.version}"
    return {"source": source, "licence": notice, "providers": list(taken.values())}


def dump(data: PriceData) -> str:
    """Return the JSON, a line for each model, so that changes can be read."""
    lines = [f'{{"source":{_compact(data["source"])},"licence":{_compact(data["licence"])},']
    lines += ['"providers":[']
    for one in data["providers"]:
        lines.append(f"{_compact({**one, 'models': []}).removesuffix(']}')}")
        lines += [f"{_compact(model)}," for model in one["models"]]
        lines[-1] = lines[-1].removesuffix(",")
        lines.append("]},")
    lines[-1] = "]}"
    return "\n".join([*lines, "]}", ""])


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _host(provider: types.Provider) -> str:
    pattern = _BOUNDARY.sub("", provider.api_pattern.removeprefix("https://"))
    if pattern == provider.api_pattern or ".*" in pattern or pattern.endswith(r"\."):
        raise ValueError(f"{provider.id}: the place {provider.api_pattern} needs a rule")
    return pattern


def _model(model: types.ModelInfo) -> Json:
    match = _match(model.match)
    periods = model.prices if isinstance(model.prices, list) else [_always(model.prices)]
    priced = [(_condition(one.constraint), _prices(one.prices)) for one in periods]
    is_known = all(prices is not None for _, prices in priced)
    return [match, model.context_window, [list(pair) for pair in priced] if is_known else []]


def _always(prices: types.ModelPrice) -> types.ConditionalPrice:
    return types.ConditionalPrice(prices=prices)


def _match(clause: types.MatchLogic) -> Json:
    """Return a mark and a text; several clauses as a list of which one has to match, or all."""
    match clause:
        case types.ClauseOr(clauses):
            return [_match(one) for one in clauses]
        case types.ClauseAnd(clauses):
            return {"all": [_match(one) for one in clauses]}
        case types.ClauseRegex(pattern):
            return f"/{pattern}"
        case _:
            [text] = vars(clause).values()
            return f"{_MARKS[type(clause)]}{text.lower()}"


def _condition(constraint: object) -> Json:
    match constraint:
        case None:
            return None
        case types.StartDateConstraint(start):
            return start.isoformat()
        case types.TimeOfDateConstraint(start, end):
            return [_utc(start), _utc(end)]
        case _:
            raise ValueError(f"a condition of an unknown kind: {constraint!r}")


def _utc(moment: time) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.combine(date(2000, 1, 2), aware).astimezone(UTC).time().isoformat()


def _prices(prices: types.ModelPrice) -> Json:
    given = {name: value for name, value in vars(prices).items() if value is not None}
    unknown = [name for name in given if name not in _KINDS and not _BESIDE.fullmatch(name)]
    if unknown or "input_mtok" not in given or "output_mtok" not in given:
        return None
    return {kind: _price(given[name]) for name, kind in _KINDS.items() if name in given}


def _price(price: Decimal | types.TieredPrices) -> Json:
    """Return USD per million tokens as text; with steps, a list of them: above which input."""
    if isinstance(price, Decimal):
        return f"{price:f}"
    steps: list[Json] = [[tier.start, f"{tier.price:f}"] for tier in price.tiers]
    return [f"{price.base:f}", *steps]


if __name__ == "__main__":
    TARGET.write_text(dump(read_package()), encoding="utf-8")
