"""A table in memory that counts the write units which DynamoDB would charge for.

Sizes are by DynamoDB's own rules: names and texts in UTF-8, a number as a byte for two digits and
one more, true and null a byte, a list or mapping three and one for each member. A unit is a KiB of
the larger of the item before and after; a write in a transaction costs twice as much. The index has
keys alone: a unit for an entry that comes, one for an entry that goes.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
and https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html, 2026-11.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from waystation.aws.table import Item, Put, Refusal, Write
from waystation_cli.local.memory_table import InMemoryTable

UNIT_BYTES = 1024
_KEYS = ("PK", "SK", "GSI1PK", "GSI1SK")


@dataclass(frozen=True, slots=True)
class Written:
    """One item that was written: its keys, its size afterwards, and the units it took."""

    pk: str
    sk: str
    size: int
    units: int
    index_units: int
    call: int  # the number of the call that wrote it, perhaps with others

    @property
    def kind(self) -> str:
        """What item it is: REQ, BAL, IDM, M and so on."""
        return self.sk.partition("#")[0]


class MeteringTable(InMemoryTable):
    """Keeps what was written, in `written`."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[Written] = []
        self._calls = 0

    def _transact(self, writes: Sequence[Write]) -> Refusal | None:
        keys = [_key(write) for write in writes]
        before = [dict(self._items.get(key, {})) for key in keys]
        refusal = super()._transact(writes)
        if refusal is None:
            self._calls += 1
            factor = 2 if len(writes) > 1 else 1
            for key, old in zip(keys, before, strict=True):
                self.written.append(
                    _written(key, old, self._items[key], factor=factor, call=self._calls)
                )
        return refusal


def size_of(item: Item) -> int:
    """Return the size of an item in bytes."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _written(key: tuple[str, str], old: Item, new: Item, *, factor: int, call: int) -> Written:
    entries = [_entry(old), _entry(new)]
    index_units = 0 if entries[0] == entries[1] else sum(map(_units, entries))
    units = _units(max(size_of(old), size_of(new))) * factor
    return Written(*key, size_of(new), units, index_units, call)


def _entry(item: Item) -> int:
    """Return the size of an item's entry in the index, 0 if it has none; no entry is moved."""
    has_entry = {"GSI1PK", "GSI1SK"} <= item.keys()
    return size_of({name: item[name] for name in _KEYS}) if has_entry else 0


def _units(size: int) -> int:
    return -(-size // UNIT_BYTES)


def _size(value: object) -> int:
    match value:
        case None | bool():
            return 1
        case int():
            return (len(str(abs(value)).strip("0")) + 1) // 2 + 1 + (value < 0)
        case str():
            return len(value.encode())
        case Mapping():
            return 3 + sum(1 + len(str(name).encode()) + _size(v) for name, v in value.items())
        case list() | tuple():
            return 3 + sum(1 + _size(member) for member in value)
        case _:
            raise TypeError(f"no attribute can be a {type(value).__name__}")


def _key(write: Write) -> tuple[str, str]:
    if isinstance(write, Put):
        return str(write.item["PK"]), str(write.item["SK"])
    return write.pk, write.sk
