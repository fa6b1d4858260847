"""The DynamoDB table, as the few operations this project asks of it.

An item is a plain mapping with the string keys PK and SK. Numbers are integers.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

Item: TypeAlias = Mapping[str, object]


class TableError(Exception):
    """The table did not answer, or refused; the text holds no item."""


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

    async def query(self, pk: str, sk_prefix: str = "") -> Sequence[Item]:
        """Return the items of one partition in the order of their sort keys."""

    async def scan(self, sk_prefix: str) -> Sequence[Item]:
        """Return the matching items of the whole table. For the operator's tools only."""
