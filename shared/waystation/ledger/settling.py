"""The transactions that end a record: pure, made of the record as it was and as it shall be.

Each moves the record, its user's balance if it draws on it, the sums and the idempotency key at
once, and holds only while the record is still as it was. An unpriced record has no cost and leaves
the balance alone, but for its hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from waystation.aws.table import IS_NEW, Item, Put, Update, When, Write
from waystation.ledger.aggregates import aggregate_updates
from waystation.ledger.pricing import Rates, cost_nanousd
from waystation.wire.moments import write_moment
from waystation.wire.usage import Usage

BALANCE_SK = "BAL"
FINAL = frozenset({"SETTLED", "RELEASED"})

SweepPolicy = Literal["estimate", "hold", "release"]

_INDEXED = frozenset({"GSI1PK", "GSI1SK"})


@dataclass(frozen=True, slots=True)
class Settling:
    """The writes that end a record, the record first; the one of its idempotency key is last."""

    writes: tuple[Write, ...]
    has_key: bool


def as_opened(final: Item) -> Item:
    """Return what the table should have of a record before it is settled."""
    return {"state": "RESERVED", "hold": final["hold"], "draws": final.get("draws")}


def settle_writes(final: Item, before: Item | None, *, frees_key: bool = True) -> Settling:
    """Return what makes a record final that the table has as `before`; None if it has none.

    `before` must not be final itself. `frees_key` tells whether the idempotency key is this
    record's still.
    """
    item = {**final, "hold": before["hold"] if before else 0}
    if before is not None and before.get("draws"):
        item["draws"] = True
    writes: list[Write] = [
        Put(item, _unchanged(item, before)),
        *aggregate_updates(item, before),
        *_balance(item, before),
    ]
    key = item.get("idempotency") if frees_key else None
    if key is not None:
        writes.append(_key_of(item, str(key)))
    return Settling(tuple(writes), has_key=key is not None)


def expire_writes(before: Item, policy: SweepPolicy, now_ms: int) -> tuple[Write, ...]:
    """Return what ends an open record that nobody settled, at what the policy makes it cost.

    `estimate`: its input as it was estimated; `hold`: all that was set aside, if anything was;
    `release`: nothing. Its idempotency key stays as it is: the next caller may take it over.
    """
    item = {name: value for name, value in before.items() if name not in _INDEXED}
    item |= {"state": "EXPIRED", "settled_at": write_moment(now_ms)}
    item |= _expired_cost(before, policy)
    when = When(equal={"state": "RESERVED", "expires_at": _whole(before, "expires_at")})
    return (Put(item, when), *aggregate_updates(item, before), *_balance(item, before))


def _unchanged(item: Item, before: Item | None) -> When:
    if before is not None and before["state"] == "EXPIRED":
        return When(equal={"state": "EXPIRED"})
    if not item.get("draws"):  # its opening may have been lost, or still be on its way
        return When(equal={"state": "RESERVED"}, lacks=("draws",), or_new=True)
    if before is None:
        return IS_NEW
    hold = _whole(before, "hold")
    return When(equal={"state": "RESERVED", "draws": True, "hold": hold})


def _balance(item: Item, before: Item | None) -> list[Update]:
    """Give a hold back and take the cost if a record draws; the difference, if it had expired."""
    if not item.get("draws"):
        return []
    is_open = before is not None and before["state"] == "RESERVED"
    held = _whole(item, "hold") if is_open else 0
    charged = 0 if before is None else _whole(before, "cost")
    spent = _whole(item, "cost") - charged
    moved = {"avail": held - spent, "held": -held, "spent": spent, "inflight": -int(is_open)}
    added = {name: n for name, n in moved.items() if n}
    return [Update(str(item["PK"]), BALANCE_SK, add=added)] if added else []


def _key_of(item: Item, sk: str) -> Update:
    state = "free" if item["state"] == "RELEASED" else "done"
    request_id = str(item["SK"]).removeprefix("REQ#")
    return Update(
        str(item["PK"]), sk, set={"state": state}, when=When(equal={"request_id": request_id})
    )


def _expired_cost(before: Item, policy: SweepPolicy) -> dict[str, object]:
    if policy == "release":
        return {"cost": 0}
    usage = Usage(_whole(before, "estimated_in"), 0, source="estimated")
    rates = cast("Mapping[str, str] | None", before.get("rates"))
    told: dict[str, object] = {
        "tokens": {"in": usage.input_tokens, "out": 0},
        "usage_source": usage.source,
        "priced": rates is not None,
    }
    if policy == "hold" and before.get("draws"):
        return told | {"cost": _whole(before, "hold")}
    return told | ({} if rates is None else {"cost": cost_nanousd(usage, _rates_in(rates))})


def _rates_in(told: Mapping[str, str]) -> Rates:
    return Rates(
        prompt=Decimal(told["prompt"]),
        completion=Decimal(told["completion"]),
        cache_read=Decimal(told["cacheRead"]),
        cache_write=Decimal(told["cacheWrite"]),
    )


def _whole(item: Item, name: str) -> int:
    return cast("int", item.get(name, 0))
