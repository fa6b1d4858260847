"""The table in this process's memory: the same operations and conditions, nothing kept."""

from collections.abc import Mapping, Sequence

from waystation.aws.table import Item


class InMemoryTable:
    """Stands in for DynamoDB. Every operation is atomic: none of them awaits anything."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], dict[str, object]] = {}

    async def get(self, pk: str, sk: str) -> Item | None:
        item = self._items.get((pk, sk))
        return _copy(item) if item is not None else None

    async def put_new(self, *items: Item) -> bool:
        keys = [_key(item) for item in items]
        if any(key in self._items for key in keys):
            return False
        copies = [_copy(item) for item in items]
        self._items.update(zip(keys, copies, strict=True))
        return True

    async def put(self, item: Item) -> None:
        self._items[_key(item)] = _copy(item)

    async def delete(self, pk: str, sk: str) -> None:
        self._items.pop((pk, sk), None)

    async def update(self, pk: str, sk: str, changes: Mapping[str, object]) -> bool:
        item = self._items.get((pk, sk))
        if item is None:
            return False
        item.update(_copy(changes))
        return True

    async def query(self, pk: str, sk_prefix: str = "") -> Sequence[Item]:
        found = [key for key in self._items if key[0] == pk and key[1].startswith(sk_prefix)]
        return [_copy(self._items[key]) for key in sorted(found)]

    async def scan(self, sk_prefix: str) -> Sequence[Item]:
        return [_copy(i) for key, i in self._items.items() if key[1].startswith(sk_prefix)]


def _key(item: Item) -> tuple[str, str]:
    return str(item["PK"]), str(item["SK"])


def _copy(item: Item) -> dict[str, object]:
    return {name: _copy_value(value) for name, value in item.items()}


def _copy_value(value: object) -> object:
    """Copy what may be changed in place: an item is made of plain JSON."""
    if isinstance(value, Mapping):
        return _copy(value)
    return [_copy_value(part) for part in value] if isinstance(value, list) else value
