"""Reads an upstream's list of models, which may hold anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from waystation.ledger.pricing import Rates
from waystation.wire.json_reader import read_json_lenient

MAX_MODELS = 5_000
MAX_ID_LENGTH = 256
MAX_CONTEXT = 1_000_000_000
MAX_RATE = 1_000_000  # USD per million tokens, as for a tokenConfig

_PER_MILLION = 1_000_000
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Long enough for any price, and nothing that takes long to compute with.
_PRICE = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[eE][+-]?[0-9]{1,2})?")

_CHATS, _NO_CHATS = re.compile(r"gpt-|o[0-9]"), re.compile(r"audio|realtime")

# A router that chooses the model has no price of its own; LibreChat gives it this one.
_AUTO = "openrouter/auto"
_AUTO_RATES = Rates(Decimal(10), Decimal(30), Decimal(10), Decimal(10), source="list")


@dataclass(frozen=True, slots=True)
class ModelList:
    """Ids in the upstream's order. By id: how many tokens a model takes, and what they cost.

    There are prices only if every model of the list has one.
    """

    ids: tuple[str, ...]
    contexts: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, Rates] = field(default_factory=dict)


def read_openai_list(body: bytes) -> ModelList:
    """Read `{"data": [{"id"}]}`; what has no usable id is left out.

    Raises ValueError for anything else.
    """
    entries = _entries(body, "data")
    models = _by_id(entries, "id")
    contexts = {
        name: length
        for name, entry in models
        if (length := _context(entry.get("context_length"))) is not None
    }
    ids = tuple(name for name, _ in models)
    return ModelList(ids, contexts, _rates(entries, models))


def read_ollama_tags(body: bytes) -> ModelList:
    """Read `{"models": [{"name"}]}`. Raises ValueError for anything else."""
    return ModelList(tuple(name for name, _ in _by_id(_entries(body, "models"), "name")))


def only_openais_chats(models: ModelList) -> ModelList:
    """Return what LibreChat shows of OpenAI's own list, which has models for other things, too."""
    ids = (name for name in models.ids if _CHATS.search(name) and not _NO_CHATS.search(name))
    return ModelList(tuple(ids))


def _entries(body: bytes, key: str) -> list[object]:
    document = read_json_lenient(body)
    entries = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise ValueError(f"there is no list in {key}")  # noqa: TRY004 (one kind for all faults)
    return entries[:MAX_MODELS]


def _by_id(entries: list[object], key: str) -> list[tuple[str, Mapping[str, object]]]:
    found: list[tuple[str, Mapping[str, object]]] = []
    for entry in entries:
        if isinstance(entry, Mapping):
            name = entry.get(key)
            if isinstance(name, str) and _is_id(name):
                found.append((name, entry))
    return found


def _is_id(name: str) -> bool:
    return 0 < len(name) <= MAX_ID_LENGTH and not _CONTROLS.search(name)


def _context(length: object) -> int | None:
    if not isinstance(length, int) or isinstance(length, bool):
        return None
    return length if 0 < length <= MAX_CONTEXT else None


def _rates(
    entries: list[object], models: list[tuple[str, Mapping[str, object]]]
) -> dict[str, Rates]:
    if len(models) < len(entries) or not all(_has_price(entry) for _, entry in models):
        return {}
    return {
        name: rates
        for name, entry in models
        if (rates := _AUTO_RATES if name == _AUTO else _rates_of(entry)) is not None
    }


def _has_price(entry: Mapping[str, object]) -> bool:
    pricing = _pricing(entry)
    has_texts = all(isinstance(pricing.get(kind), str) for kind in ("prompt", "completion"))
    return has_texts and _context(entry.get("context_length")) is not None


def _rates_of(entry: Mapping[str, object]) -> Rates | None:
    """Return the rates of a model; None if one is negative, too high or no number."""
    pricing = _pricing(entry)
    prompt, completion = _rate(pricing.get("prompt")), _rate(pricing.get("completion"))
    if prompt is None or completion is None:
        return None
    read, write = _rate(pricing.get("input_cache_read")), _rate(pricing.get("input_cache_write"))
    return Rates(
        prompt=prompt,
        completion=completion,
        cache_read=prompt if read is None else read,
        cache_write=prompt if write is None else write,
        source="list",
    )


def _pricing(entry: Mapping[str, object]) -> Mapping[str, object]:
    pricing = entry.get("pricing")
    return pricing if isinstance(pricing, Mapping) else {}


def _rate(per_token: object) -> Decimal | None:
    """Return USD per million tokens, exactly, from USD per token."""
    if not isinstance(per_token, str) or not _PRICE.fullmatch(per_token):
        return None
    rate = (Decimal(per_token) * _PER_MILLION).normalize()
    return rate if rate <= MAX_RATE else None
