"""The one record of a request, open and final, and its shape in the table.

    U#<user id> / REQ#<ulid>

`state` is RESERVED while the request is open, SETTLED for one that was answered, RELEASED for one
that cost nothing, EXPIRED for one that nobody settled in time. An absent `cost` means that no price
was known, never zero. Keys and texts made by users are encoded and bounded, so that they can
neither collide nor grow. Only open records are in the index, under `OPEN#<shard>`.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from zlib import crc32

from waystation.ledger.pricing import Rates
from waystation.wire.key_parts import MAX_PART_BYTES, encode_part
from waystation.wire.moments import write_moment
from waystation.wire.usage import Usage

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

State = Literal["SETTLED", "RELEASED", "EXPIRED"]
Kind = Literal["chat", "title"]

SHARDS = 10
DIGEST_LENGTH = 16  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's idempotency key: the sort key of its item, and the digest of the body it is for.

    Its item is `U#<user id>` / `IDM#<sha256 of the route and the key>`.
    """

    sk: str
    body: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known of a request before its upstream is asked. Times are UTC, ms since 1970.

    `hold_nanousd` is set aside in the user's balance if the request `draws` on it. A record that
    is not settled by `expires_at_ms` is taken for the record of a call that was cut off.
    """

    request_id: str
    user_id: str
    key_id: str
    endpoint: str
    model: str
    kind: Kind
    config_version: str
    created_at_ms: int
    expires_at_ms: int
    estimated_input_tokens: int
    rates: Rates | None = None
    conversation_id: str | None = None
    is_stream: bool = False
    hold_nanousd: int = 0
    draws: bool = False
    idempotency: Idempotency | None = None

    def to_item(self) -> dict[str, object]:
        """Return the item to store; attributes without a value are left out."""
        user = encode_part(self.user_id)
        return _present(
            {
                "PK": f"U#{user}",
                "SK": f"REQ#{self.request_id}",
                "GSI1PK": open_partition(shard_of(self.request_id)),
                "GSI1SK": f"{self.expires_at_ms:013d}#{user}#{self.request_id}",
                "state": "RESERVED",
                "kind": self.kind,
                "user_id": bounded(self.user_id),
                "key_id": self.key_id,
                "endpoint": bounded(self.endpoint),
                "model": bounded(self.model),
                "hold": self.hold_nanousd,
                "draws": self.draws or None,
                "idempotency": self.idempotency.sk if self.idempotency else None,
                "estimated_in": self.estimated_input_tokens,
                "rates": (_rates(self.rates, self.estimated_input_tokens) if self.rates else None),
                "price_source": self.rates.source if self.rates else None,
                "price_version": self.rates.version if self.rates else None,
                "config_version": self.config_version,
                "conversation_id": bounded(self.conversation_id),
                "stream": self.is_stream,
                "created_at": write_moment(self.created_at_ms),
                "expires_at": self.expires_at_ms,
            }
        )


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """What is known of a request when it is over. Times are UTC, in milliseconds since 1970.

    `rates_by_model` are those of other models that took a share of the tokens; `extras` is what
    the cost leaves out, as no rate tells it. `hold_nanousd`, `draws` and `idempotency` are those
    of its opening.
    """

    request_id: str
    user_id: str
    key_id: str
    endpoint: str
    model: str
    kind: Kind
    state: State
    config_version: str
    created_at_ms: int
    settled_at_ms: int
    usage: Usage | None = None
    rates: Rates | None = None
    rates_by_model: Mapping[str, Rates] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    cost_nanousd: int | None = None
    conversation_id: str | None = None
    upstream_id: str | None = None
    error_code: str | None = None
    is_stream: bool = False
    hold_nanousd: int = 0
    draws: bool = False
    idempotency: Idempotency | None = None
    client_disconnected: bool = False

    def to_item(self) -> dict[str, object]:
        """Return the item to store; attributes without a value are left out."""
        item: dict[str, object | None] = {
            "PK": f"U#{encode_part(self.user_id)}",
            "SK": f"REQ#{self.request_id}",
            "state": self.state,
            "kind": self.kind,
            "user_id": bounded(self.user_id),
            "key_id": self.key_id,
            "endpoint": bounded(self.endpoint),
            "model": bounded(self.model),
            "hold": self.hold_nanousd,
            "draws": self.draws or None,
            "idempotency": self.idempotency.sk if self.idempotency else None,
            "cost": self.cost_nanousd,
            "priced": self.rates is not None if self.usage else None,
            "tokens": _tokens(self.usage) if self.usage else None,
            "usage_source": self.usage.source if self.usage else None,
            "rates": (
                _rates(self.rates, self.usage.input_tokens) if self.rates and self.usage else None
            ),
            "shares": _shares(self.usage, self.rates_by_model) if self.usage else None,
            "price_source": self.rates.source if self.rates else None,
            "extras": list(self.extras) or None,
            "price_version": self.rates.version if self.rates else None,
            "config_version": self.config_version,
            "conversation_id": bounded(self.conversation_id),
            "upstream_id": bounded(self.upstream_id),
            "error_code": bounded(self.error_code),
            "stream": self.is_stream,
            "client_disconnected": self.client_disconnected or None,
            "created_at": write_moment(self.created_at_ms),
            "settled_at": write_moment(self.settled_at_ms),
        }
        return _present(item)


def released(opening: Opening, *, now_ms: int, error_code: str | None) -> LedgerRecord:
    """Return the end of a request that was opened and used nothing."""
    return LedgerRecord(
        request_id=opening.request_id,
        user_id=opening.user_id,
        key_id=opening.key_id,
        endpoint=opening.endpoint,
        model=opening.model,
        kind=opening.kind,
        state="RELEASED",
        config_version=opening.config_version,
        created_at_ms=opening.created_at_ms,
        settled_at_ms=now_ms,
        cost_nanousd=0,
        conversation_id=opening.conversation_id,
        error_code=error_code,
        is_stream=opening.is_stream,
        hold_nanousd=opening.hold_nanousd,
        draws=opening.draws,
        idempotency=opening.idempotency,
    )


def open_partition(shard: int) -> str:
    """Return the key of the index under which one shard of the open records is."""
    return f"OPEN#{shard}"


def shard_of(text: str) -> int:
    """Return which of the SHARDS a text is in."""
    return crc32(text.encode()) % SHARDS


def bounded(text: str | None) -> str | None:
    """Make a text of 200 bytes at most that can be shown, without control characters.

    What is left of a text ends with a digest of the whole, so that distinct texts stay distinct.
    """
    if text is None:
        return None
    clean = _CONTROLS.sub("", text).encode()
    if clean == text.encode() and len(clean) <= MAX_PART_BYTES:
        return text
    digest = f"~{hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]}"
    return clean[: MAX_PART_BYTES - len(digest)].decode(errors="ignore") + digest


def _present(item: Mapping[str, object | None]) -> dict[str, object]:
    return {name: value for name, value in item.items() if value is not None}


def _tokens(usage: Usage) -> dict[str, int]:
    counts = {
        "in": usage.input_tokens,
        "out": usage.output_tokens,
        "cacheRead": usage.cache_read_tokens,
        "cacheWrite": usage.cache_write_tokens,
        "cacheWrite1h": usage.cache_write_1h_tokens,
        "reasoning": usage.reasoning_tokens,
    }
    return {kind: count for kind, count in counts.items() if count is not None}


def _shares(usage: Usage, rates: Mapping[str, Rates]) -> list[dict[str, object]] | None:
    """Return what models with rates of their own took of the tokens, None if none did.

    What one model took at the same rates is told as one: the runs of a call may be many.
    """
    told: dict[str, dict[str, object]] = {}
    counts: dict[str, Counter[str]] = {}
    for share in usage.shares:
        if share.model not in rates:
            continue
        listed = _rates(rates[share.model], share.usage.input_tokens)
        key = repr((share.model, listed))
        counts.setdefault(key, Counter()).update(_tokens(share.usage))
        told[key] = {
            "model": bounded(share.model),
            "tokens": dict(counts[key]),
            "rates": listed,
        }
    return list(told.values()) or None


def _rates(listed: Rates, input_tokens: int) -> Mapping[str, str]:
    rates = listed.of_input(input_tokens)
    by_kind = {
        "prompt": rates.prompt,
        "completion": rates.completion,
        "cacheRead": rates.cache_read,
        "cacheWrite": rates.cache_write,
        "cacheWrite1h": rates.cache_write_1h,
    }
    return {kind: f"{rate:f}" for kind, rate in by_kind.items() if rate is not None}
