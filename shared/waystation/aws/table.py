"""The DynamoDB table, as the few operations this project asks of it.

An item is a plain mapping with the string keys PK and SK. Numbers are integers. The index holds
the keys of items that have the attributes GSI1PK and GSI1SK.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

Item: TypeAlias = Mapping[str, object]
Scalar: TypeAlias = str | int | bool

MAX_WRITES = 100  # in one transaction


class TableError(Exception):
    """The table did not answer, or refused; the text holds no item."""


class TableBusyError(TableError):
    """The table is throttled or not reached, or another transaction has an item.

    Nothing was written, yet.
    """


class TableUnsureError(TableError):
    """No answer came: what was asked may have been written, or not."""


@dataclass(frozen=True, slots=True)
class When:
    """What must hold of an item for a write to be done: all that is named here.

    `exists` is whether there is an item with the key. Attributes that are compared must be there.
    With `or_new`, a key that is not taken will do as well.
    """

    exists: bool | None = None
    equal: Mapping[str, Scalar] = field(default_factory=dict)
    at_least: Mapping[str, int] = field(default_factory=dict)
    below: Mapping[str, int] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    or_new: bool = False


ALWAYS = When()
IS_NEW = When(exists=False)
EXISTS = When(exists=True)


@dataclass(frozen=True, slots=True)
class Put:
    """Write an item whole, in place of one with the same key."""

    item: Item
    when: When = ALWAYS


@dataclass(frozen=True, slots=True)
class Update:
    """Change attributes of an item, which is made if there is none.

    What is added to an attribute that is not there is added to zero.
    """

    pk: str
    sk: str
    set: Mapping[str, object] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    when: When = ALWAYS


Write: TypeAlias = Put | Update


@dataclass(frozen=True, slots=True)
class Unmet:
    """A condition that did not hold, and the item as it is; None if there is none."""

    item: Item | None


# For each write of a transaction, in its order, what was unmet. Nothing has been written.
Refusal: TypeAlias = tuple[Unmet | None, ...]


class Table(Protocol):
    """What the rooms above may do with the table. Each method raises TableError."""

    async def get(self, pk: str, sk: str) -> Item | None:
        """Return the item, read consistently, or None."""

    async def put_new(self, *items: Item) -> bool:
        """Write all items or, if the key of any is taken, none; tell which."""

    async def put(self, item: Item) -> None:
        """Write an item whole, in place of one with the same key."""

    async def delete(self, pk: str, sk: str) -> None:
        """Remove an item, if there is one."""

    async def update(self, pk: str, sk: str, changes: Mapping[str, object]) -> bool:
        """Set attributes of an existing item; False if there is none."""

    async def transact(self, *writes: Write) -> Refusal | None:
        """Do all writes, which are of different items, or none; None if they are done.

        Asked once: TableBusyError and TableUnsureError are the caller's to repeat.
        """

    async def query(self, pk: str, sk_prefix: str = "") -> Sequence[Item]:
        """Return the items of one partition in the order of their sort keys."""

    async def between(
        self, pk: str, first: str, last: str, *, limit: int, newest_first: bool = False
    ) -> Sequence[Item]:
        """Return at most `limit` items whose sort keys lie from `first` to `last`, both included.

        In the order of their sort keys, or against it.
        """

    async def indexed(self, index_pk: str, last: str, *, limit: int) -> Sequence[tuple[str, str]]:
        """Return the keys of at most `limit` items under a key of the index, in its order.

        Their GSI1SK is at most `last`. What was written a moment ago may be missing.
        """

    async def scan(self, sk_prefix: str) -> Sequence[Item]:
        """Return the matching items of the whole table. For the operator's tools only."""
