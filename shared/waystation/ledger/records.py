"""The one record of a request, and its shape in the table.

    U#<user id> / REQ#<ulid>

`state` is SETTLED for a request that was answered, RELEASED for one that cost nothing. An absent
`cost` means that no price was known, never zero. Keys and texts made by users are encoded and
bounded, so that they can neither collide nor grow.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from waystation.ledger.pricing import Rates
from waystation.wire.key_parts import MAX_PART_BYTES, encode_part
from waystation.wire.moments import write_moment
from waystation.wire.usage import Usage

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

State = Literal["SETTLED", "RELEASED"]
Kind = Literal["chat", "title"]


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """What is known of a request when it is over. Times are UTC, in milliseconds since 1970.

    `rates_by_model` are those of other models that took a share of the tokens; `extras` is what
    the cost leaves out, as no rate tells it.
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
            "hold": 0,
            "cost": self.cost_nanousd,
            "priced": self.rates is not None if self.usage else None,
            "tokens": _tokens(self.usage) if self.usage else None,
            "usage_source": self.usage.source if self.usage else None,
            "rates": _rates(self.rates, self.usage) if self.rates and self.usage else None,
            "shares": _shares(self.usage, self.rates_by_model) if self.usage else None,
            "price_source": self.rates.source if self.rates else None,
            "extras": list(self.extras) or None,
            "price_version": self.rates.version if self.rates else None,
            "config_version": self.config_version,
            "conversation_id": bounded(self.conversation_id),
            "upstream_id": bounded(self.upstream_id),
            "error_code": bounded(self.error_code),
            "stream": self.is_stream,
            "created_at": write_moment(self.created_at_ms),
            "settled_at": write_moment(self.settled_at_ms),
        }
        return {name: value for name, value in item.items() if value is not None}


def bounded(text: str | None) -> str | None:
    """Cut a text that is only shown to 200 bytes, without control characters."""
    if text is None:
        return None
    return _CONTROLS.sub("", text).encode()[:MAX_PART_BYTES].decode(errors="ignore")


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
    """Return what models with rates of their own took of the tokens, None if none did."""
    return [
        {
            "model": bounded(share.model),
            "tokens": _tokens(share.usage),
            "rates": _rates(rates[share.model], share.usage),
        }
        for share in usage.shares
        if share.model in rates
    ] or None


def _rates(listed: Rates, usage: Usage) -> Mapping[str, str]:
    rates = listed.of_input(usage.input_tokens)
    by_kind = {
        "prompt": rates.prompt,
        "completion": rates.completion,
        "cacheRead": rates.cache_read,
        "cacheWrite": rates.cache_write,
        "cacheWrite1h": rates.cache_write_1h,
    }
    return {kind: f"{rate:f}" for kind, rate in by_kind.items() if rate is not None}
