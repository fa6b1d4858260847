"""Adds up what was used, from aggregates or from records; reads nothing.

    aggregate   A#<user>#<yyyy-mm> / M#<endpoint>#<model>#<dd>
    record      U#<user> / REQ#<ulid>

Both come to portions, and portions to rows. What is still open is in neither.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from waystation.aws.table import Item
from waystation.ledger.aggregates import TOKEN_KINDS, contribution

Group: TypeAlias = Literal["day", "month", "user", "endpoint", "model", "conversation"]
GROUPS: tuple[Group, ...] = ("day", "month", "user", "endpoint", "model", "conversation")

# The counts of an aggregate, by their names in the table.
COUNTS = ("requests", "errors", "titles", "estimated", "unpriced", *TOKEN_KINDS, "cost")

_MONTH_LENGTH = len("2026-11")
_DAY_LENGTH = len("2026-11-23")
_KEY_PARTS = 3
_TIMES = ("day", "month")


@dataclass(frozen=True, slots=True)
class Portion:
    """What belongs to one user, day (UTC, `2026-11-23`), endpoint and model.

    `counts` are by the names of `COUNTS`; one that is absent is 0. Only records tell the
    conversation.
    """

    user: str
    day: str
    endpoint: str
    model: str
    counts: Mapping[str, int]
    conversation: str | None = None

    def value(self, group: Group) -> str | None:
        """Return what this portion is of."""
        match group:
            case "day":
                return self.day
            case "month":
                return self.day[:_MONTH_LENGTH]
            case "user":
                return self.user
            case "endpoint":
                return self.endpoint
            case "model":
                return self.model
            case "conversation":
                return self.conversation


@dataclass(frozen=True, slots=True)
class Row:
    """The sum of some portions: `group` are their values, in the order that was asked for.

    A count that is absent is 0.
    """

    group: tuple[str | None, ...]
    counts: Mapping[str, int]


def portion_of_aggregate(item: Item) -> Portion:
    """Return what an aggregate holds. Raises ValueError for an item that is none."""
    month = str(item["PK"]).rpartition("#")[2]
    _, _, day = key_parts(str(item["SK"]))
    return Portion(
        user=str(item.get("user_id", "")),
        day=f"{month}-{day}",
        endpoint=str(item.get("endpoint", "")),
        model=str(item.get("model", "")),
        counts={name: _whole(item[name]) for name in COUNTS if name in item},
    )


def portion_of_record(item: Item) -> Portion | None:
    """Return what a record adds to the sums; None while it is open."""
    if not (counts := contribution(item)):
        return None
    conversation = item.get("conversation_id")
    return Portion(
        user=str(item.get("user_id", "")),
        day=str(item.get("created_at", ""))[:_DAY_LENGTH],
        endpoint=str(item.get("endpoint", "")),
        model=str(item.get("model", "")),
        counts=counts,
        conversation=None if conversation is None else str(conversation),
    )


def sum_up(portions: Iterable[Portion], by: Sequence[Group]) -> list[Row]:
    """Return the sums of portions that agree in `by`.

    Rows are in the order of their days and months; among those of one time the dearest is first.
    """
    sums: dict[tuple[str | None, ...], Counter[str]] = {}
    for portion in portions:
        group = tuple(portion.value(name) for name in by)
        sums.setdefault(group, Counter()).update(portion.counts)
    times = [at for at, group in enumerate(by) if group in _TIMES]
    rows = [Row(group, +counts) for group, counts in sums.items()]

    def order(row: Row) -> tuple[list[str], int, list[str]]:
        texts = [text or "" for text in row.group]
        return [texts[at] for at in times], -row.counts.get("cost", 0), texts

    return sorted(rows, key=order)


def total_of(rows: Iterable[Row]) -> Row:
    """Return the sum of rows, which is of no group."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row.counts)
    return Row((), counts)


def key_parts(sort_key: str) -> tuple[str, str, str]:
    """Return endpoint, model and day of an aggregate's sort key, as they are encoded.

    Raises ValueError for a key of something else.
    """
    kind, *parts = sort_key.split("#")
    if kind != "M" or len(parts) != _KEY_PARTS:
        raise ValueError("not the key of an aggregate")
    endpoint, model, day = parts
    return endpoint, model, day


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
