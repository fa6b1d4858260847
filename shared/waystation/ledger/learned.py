"""Prices that an upstream told in its list of models, kept in the table for chats.

    PRICES#<endpoint> / URL#<sha256 of the base URL>

`rates` is JSON: model → [prompt, completion, cacheRead, cacheWrite] in USD per million tokens, as
decimal text. The function that lists models writes, chats read. Only what the operator's own key
and URL were told is ever learned, so nothing here comes from a user. The item expires after a week
in which no list was asked for.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from waystation.aws.table import Item, Table, TableError
from waystation.config.schema import Endpoint
from waystation.ledger.pricing import Rates
from waystation.wire.key_parts import encode_part

# Whose prices count as LibreChat counts them. Source: LibreChat's custom endpoints, 2026-08.
TEACHERS = frozenset({"openrouter", "helicone"})

KEPT_S = 7 * 24 * 60 * 60
REWRITE_S = 24 * 60 * 60  # also what has not changed, so that it does not expire
FRESH_S = 300
READ_S = 0.4  # a first byte may have to wait for it
WRITE_S = 2.0
MAX_BYTES = 350_000  # an item has room for 400 KB

_log = logging.getLogger("waystation.ledger")


@dataclass(frozen=True, slots=True)
class _Known:
    rates: Mapping[str, Rates]
    read_at_s: float


class LearnedPrices:
    """A book of prices. One per process; what was read is believed for five minutes."""

    def __init__(self, table: Table, *, now_ms: Callable[[], int]) -> None:
        """Take the table, and the time in milliseconds since 1970."""
        self._table = table
        self._now_ms = now_ms
        self._known: dict[tuple[str, str], _Known] = {}
        self._written: dict[tuple[str, str], tuple[str, float]] = {}

    async def find(self, endpoint: Endpoint, base_url: str, model: str) -> Rates | None:
        """Return the rates of a model, None if they are not known. Never raises."""
        if not _learns(endpoint):
            return None
        key, now_s = _key(endpoint, base_url), self._now_ms() / 1000
        known = self._known.get(key)
        if known is None or now_s - known.read_at_s >= FRESH_S:
            known = self._known[key] = await self._read(key, now_s, known)
        return known.rates.get(model)

    async def learn(self, endpoint: Endpoint, base_url: str, rates: Mapping[str, Rates]) -> None:
        """Keep the prices of a list, if they are new or have not been kept for a day.

        Never raises.
        """
        if not rates or not _learns(endpoint):
            return
        key, now_s = _key(endpoint, base_url), self._now_ms() / 1000
        self._known[key] = _Known(rates, now_s)
        text = _dump(rates)
        digest = hashlib.sha256(text.encode()).hexdigest()
        written, at_s = self._written.get(key, ("", 0.0))
        if digest == written and now_s - at_s < REWRITE_S:
            return
        if len(text) > MAX_BYTES:
            self._written[key] = (digest, now_s)  # so that it is told once a day
            _log.warning("prices_too_large", extra={"endpoint": endpoint.name})
            return
        try:
            async with asyncio.timeout(WRITE_S):
                pk, sk = key
                item = {"PK": pk, "SK": sk, "rates": text, "ttl": int(now_s) + KEPT_S}
                await self._table.put(item)
            self._written[key] = (digest, now_s)
        except (TableError, TimeoutError) as error:
            cause = str(error) or "timeout"
            _log.error("prices_unwritten", extra={"endpoint": endpoint.name, "cause": cause})

    async def _read(self, key: tuple[str, str], now_s: float, known: _Known | None) -> _Known:
        """Return what the table has; while it does not answer, what was known before."""
        try:
            async with asyncio.timeout(READ_S):
                item = await self._table.get(*key)
        except (TableError, TimeoutError) as error:
            _log.error("prices_unread", extra={"cause": str(error) or "timeout"})
            return _Known(known.rates if known is not None else {}, now_s)
        return _Known(_load(item, now_s), now_s)


def _learns(endpoint: Endpoint) -> bool:
    return endpoint.name.lower() in TEACHERS and not endpoint.token_config


def _key(endpoint: Endpoint, base_url: str) -> tuple[str, str]:
    digest = hashlib.sha256(base_url.encode()).hexdigest()
    return f"PRICES#{encode_part(endpoint.name)}", f"URL#{digest}"


def _dump(rates: Mapping[str, Rates]) -> str:
    texts = {
        model: [
            f"{rate:f}" for rate in (one.prompt, one.completion, one.cache_read, one.cache_write)
        ]
        for model, one in rates.items()
    }
    return json.dumps(texts, separators=(",", ":"))


def _load(item: Item | None, now_s: float) -> dict[str, Rates]:
    if item is None or not isinstance(ttl := item["ttl"], int) or ttl <= now_s:
        return {}
    texts: dict[str, list[str]] = json.loads(str(item["rates"]))
    return {model: _rates(*map(Decimal, values)) for model, values in texts.items()}


def _rates(prompt: Decimal, completion: Decimal, read: Decimal, write: Decimal) -> Rates:
    return Rates(prompt, completion, cache_read=read, cache_write=write, source="list")
