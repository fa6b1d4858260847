"""The table in this process's memory: the same operations and conditions, nothing kept."""

from collections.abc import Mapping, Sequence
from typing import cast

from waystation.aws.table import EXISTS, IS_NEW, Item, Put, Refusal, Unmet, Update, When, Write


class InMemoryTable:
    """Stands in for DynamoDB. Every operation is atomic: none of them awaits anything."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], dict[str, object]] = {}

    async def get(self, pk: str, sk: str) -> Item | None:
        item = self._items.get((pk, sk))
        return _copy(item) if item is not None else None

    async def put_new(self, *items: Item) -> bool:
        return self._transact([Put(item, IS_NEW) for item in items]) is None

    async def put(self, item: Item) -> None:
        self._transact([Put(item)])

    async def delete(self, pk: str, sk: str) -> None:
        self._items.pop((pk, sk), None)

    async def update(self, pk: str, sk: str, changes: Mapping[str, object]) -> bool:
        return self._transact([Update(pk, sk, set=changes, when=EXISTS)]) is None

    async def transact(self, *writes: Write) -> Refusal | None:
        return self._transact(writes)

    async def query(self, pk: str, sk_prefix: str = "") -> Sequence[Item]:
        found = [key for key in self._items if key[0] == pk and key[1].startswith(sk_prefix)]
        return [_copy(self._items[key]) for key in sorted(found)]

    async def between(
        self, pk: str, first: str, last: str, *, limit: int, newest_first: bool = False
    ) -> Sequence[Item]:
        found = [key for key in self._items if key[0] == pk and first <= key[1] <= last]
        ordered = sorted(found, reverse=newest_first)
        return [_copy(self._items[key]) for key in ordered[:limit]]

    async def indexed(self, index_pk: str, last: str, *, limit: int) -> Sequence[tuple[str, str]]:
        found = [
            (str(item["GSI1SK"]), key)
            for key, item in self._items.items()
            if item.get("GSI1PK") == index_pk and str(item["GSI1SK"]) <= last
        ]
        return [key for _, key in sorted(found)[:limit]]

    async def scan(self, sk_prefix: str) -> Sequence[Item]:
        return [_copy(i) for key, i in self._items.items() if key[1].startswith(sk_prefix)]

    def _transact(self, writes: Sequence[Write]) -> Refusal | None:
        keys = [_key(write) for write in writes]
        if len(set(keys)) < len(keys):
            raise ValueError("a transaction must not write an item twice")
        refusal = tuple(
            self._unmet(key, write.when) for key, write in zip(keys, writes, strict=True)
        )
        if any(refusal):
            return refusal
        for key, write in zip(keys, writes, strict=True):
            if isinstance(write, Put):
                self._items[key] = _copy(write.item)
            else:
                _change(self._items.setdefault(key, {"PK": key[0], "SK": key[1]}), write)
        return None

    def _unmet(self, key: tuple[str, str], when: When) -> Unmet | None:
        item = self._items.get(key)
        if _holds(item, when):
            return None
        return Unmet(_copy(item) if item is not None else None)


def _holds(item: Item | None, when: When) -> bool:
    if item is None and when.or_new:
        return True
    if when.exists is not None and when.exists != (item is not None):
        return False
    found = item or {}
    return (
        all(found.get(name) == value for name, value in when.equal.items())
        and all(name in found and _whole(found, name) >= n for name, n in when.at_least.items())
        and all(name in found and _whole(found, name) < n for name, n in when.below.items())
        and all(name not in found for name in when.lacks)
    )


def _change(item: dict[str, object], write: Update) -> None:
    item.update(_copy(write.set))
    for name, amount in write.add.items():
        item[name] = _whole(item, name) + amount
    for name in write.remove:
        item.pop(name, None)


def _whole(item: Item, name: str) -> int:
    return cast("int", item.get(name, 0))


def _key(write: Write) -> tuple[str, str]:
    if isinstance(write, Put):
        return str(write.item["PK"]), str(write.item["SK"])
    return write.pk, write.sk


def _copy(item: Item) -> dict[str, object]:
    return {name: _copy_value(value) for name, value in item.items()}


def _copy_value(value: object) -> object:
    """Copy what may be changed in place: an item is made of plain JSON."""
    if isinstance(value, Mapping):
        return _copy(value)
    return [_copy_value(part) for part in value] if isinstance(value, list) else value
