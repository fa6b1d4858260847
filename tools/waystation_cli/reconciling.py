"""Compares what the table has of a user: records, sums, balance, grants, open records. Pure.

BAL     granted = avail + held + spent; granted is the sum of ADJ#
held and inflight are of the open records that draw, spent is what others cost
A#      each sum is that of the records of its day, endpoint and model
index   open records are under OPEN#, sums under MONTH#, and nothing else is
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from waystation.aws.table import Item
from waystation.ledger.aggregates import aggregate_updates
from waystation.ledger.balances import parse_balance
from waystation.ledger.records import open_partition, shard_of
from waystation.ledger.usage_sums import COUNTS

Key: TypeAlias = tuple[str, str]

_NO_INDEX = (None, None)


@dataclass(frozen=True, slots=True)
class Difference:
    """What an item should say by what others say, and what it does."""

    key: Key
    what: str
    expected: object
    found: object

    @property
    def gap(self) -> object:
        """What would have to be added; of what is no number, both values."""
        if isinstance(self.expected, int) and isinstance(self.found, int):
            return self.expected - self.found
        return self.expected, self.found


@dataclass(frozen=True, slots=True)
class Account:
    """All that the table has of a user. `balance` None is not compared.

    `indexed` are the keys that the index has of open records.
    """

    pk: str
    records: Iterable[Item]
    sums: Iterable[Item]
    indexed: Collection[Key]
    balance: Item | None = None
    grants: Iterable[Item] = ()


def differences(account: Account, *, with_balance: bool = True) -> list[Difference]:
    """Return all that does not agree."""
    records = list(account.records)
    found = [*_open_records(records, account.indexed), *_sums(records, account.sums)]
    if with_balance:
        found += _balance(account, records)
    return found


def _open_records(records: list[Item], indexed: Collection[Key]) -> Iterator[Difference]:
    for record in records:
        pk, sk = str(record["PK"]), str(record["SK"])
        is_open = record["state"] == "RESERVED"
        expected = _open_index(record) if is_open else _NO_INDEX
        if (found := _index_of(record)) != expected:
            yield Difference((pk, sk), "index", expected, found)
        if ((pk, sk) in indexed) is not is_open:
            yield Difference((pk, sk), "in the index", is_open, not is_open)


def _sums(records: list[Item], sums: Iterable[Item]) -> Iterator[Difference]:
    expected: dict[Key, Counter[str]] = {}
    index: dict[Key, tuple[object, object]] = {}
    for record in records:
        if record["state"] == "RESERVED":
            continue
        for update in aggregate_updates(record, None):
            key = update.pk, update.sk
            expected.setdefault(key, Counter()).update(update.add)
            index[key] = _index_of(update.set)
    found = {(str(item["PK"]), str(item["SK"])): item for item in sums}
    for key in sorted(expected.keys() | found.keys()):
        counts, item = expected.get(key, Counter()), found.get(key, {})
        for name in COUNTS:
            if counts[name] != (count := item.get(name, 0)):
                yield Difference(key, name, counts[name], count)
        if item and key in index and _index_of(item) != index[key]:
            yield Difference(key, "index", index[key], _index_of(item))


def _balance(account: Account, records: list[Item]) -> Iterator[Difference]:
    drawing = [record for record in records if record.get("draws")]
    held = [_whole(record, "hold") for record in drawing if record["state"] == "RESERVED"]
    spent = [_whole(record, "cost") for record in drawing if record["state"] != "RESERVED"]
    balance = parse_balance(account.balance)
    checks = {
        "granted": (sum(_whole(one, "amount") for one in account.grants), balance.granted),
        "avail + held + spent": (
            balance.granted,
            balance.avail + balance.held + balance.spent,
        ),
        "held": (sum(held), balance.held),
        "inflight": (len(held), balance.inflight),
        "spent": (sum(spent), balance.spent),
    }
    for what, (expected, found) in checks.items():
        if expected != found:
            yield Difference((account.pk, "BAL"), what, expected, found)


def _open_index(record: Item) -> tuple[object, object]:
    request_id = str(record["SK"]).removeprefix("REQ#")
    user = str(record["PK"]).removeprefix("U#")
    partition = open_partition(shard_of(request_id))
    return partition, f"{_whole(record, 'expires_at'):013d}#{user}#{request_id}"


def _index_of(item: Mapping[str, object]) -> tuple[object, object]:
    return item.get("GSI1PK"), item.get("GSI1SK")


def _whole(item: Item, name: str) -> int:
    value = item.get(name, 0)
    return value if isinstance(value, int) else 0
