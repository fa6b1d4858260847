"""Sums that move with the records: one item per user, day, endpoint and model.

    A#<user id>#<yyyy-mm> / M#<endpoint>#<model>#<dd>

The day is that of the record's `created_at`, in UTC. `requests` are those that were settled or have
expired, `titles` those of them that made one, `errors` those that cost nothing; `estimated` and
`unpriced` are requests too. The index has each item under `MONTH#<yyyy-mm>#<shard>`.
"""

from collections import Counter
from collections.abc import Mapping
from typing import cast

from waystation.aws.table import Item, Update
from waystation.ledger.records import shard_of
from waystation.wire.key_parts import encode_part

TOKEN_KINDS = ("in", "out", "cacheRead", "cacheWrite", "cacheWrite1h", "reasoning")

_COUNTED = frozenset({"SETTLED", "EXPIRED"})


def contribution(record: Item | None) -> Counter[str]:
    """Return what a record adds to the sums: nothing while it is open."""
    sums: Counter[str] = Counter()
    if record is None or record["state"] == "RESERVED":
        return sums
    if record["state"] not in _COUNTED:
        sums["errors"] = 1
        return sums
    sums["requests"] = 1
    sums["titles"] = int(record["kind"] == "title")
    sums["estimated"] = int(record.get("usage_source") == "estimated")
    sums["unpriced"] = int(record.get("priced") is False)
    sums["cost"] = cast("int", record.get("cost", 0))
    tokens = cast("Mapping[str, int]", record.get("tokens", {}))
    for kind in TOKEN_KINDS:
        sums[kind] = tokens.get(kind, 0)
    return sums


def aggregate_updates(final: Item, before: Item | None) -> list[Update]:
    """Return what brings the sums from a record as it was to the record as it is now."""
    added = contribution(final)
    removed = contribution(before)
    if before is None or not removed or _key(before) == _key(final):
        added.subtract(removed)
        return [_update(final, added)]
    negated = {name: -n for name, n in removed.items()}
    return [_update(final, added), _update(before, negated)]


def month_partition(month: str, shard: int) -> str:
    """Return the key of the index under which a month's sums of one shard of the users are."""
    return f"MONTH#{month}#{shard}"


def _key(record: Item) -> tuple[str, str]:
    created_at = str(record["created_at"])
    month, day = created_at[:7], created_at[8:10]
    user = str(record["PK"]).removeprefix("U#")
    endpoint, model = encode_part(str(record["endpoint"])), encode_part(str(record["model"]))
    return f"A#{user}#{month}", f"M#{endpoint}#{model}#{day}"


def _update(record: Item, sums: Mapping[str, int]) -> Update:
    pk, sk = _key(record)
    _, user, month = pk.split("#")
    names = {
        "user_id": record["user_id"],
        "endpoint": record["endpoint"],
        "model": record["model"],
        "GSI1PK": month_partition(month, shard_of(user)),
        "GSI1SK": f"{user}#{sk.removeprefix('M#')}",
    }
    return Update(pk, sk, set=names, add={name: n for name, n in sums.items() if n})
