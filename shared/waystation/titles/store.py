"""The titles that were made beside chats, one for each conversation of a user.

    U#<user id> / TITLE#<conversation id>

`state` is PENDING, READY or FAILED; the item expires after a day, on reading at the latest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from waystation.aws.table import Table
from waystation.ledger.records import bounded
from waystation.wire.key_parts import encode_part

KEPT_S = 24 * 60 * 60

State: TypeAlias = Literal["PENDING", "READY", "FAILED"]


@dataclass(frozen=True, slots=True)
class StoredTitle:
    """A title, or what became of it; only one that is READY has a text."""

    state: State
    title: str | None = None


class TitleStore:
    """Keeps titles in the table. Every method raises TableError."""

    def __init__(self, table: Table, *, now_ms: Callable[[], int]) -> None:
        """Take the table, and the time in milliseconds since 1970."""
        self._table = table
        self._now_ms = now_ms

    async def claim(self, user_id: str, conversation_id: str, request_id: str) -> bool:
        """Begin a title; False if one was begun before for the same conversation."""
        pk, sk = _key(user_id, conversation_id)
        return await self._table.put_new(
            {
                "PK": pk,
                "SK": sk,
                "state": "PENDING",
                "conversation_id": bounded(conversation_id),
                "request_id": request_id,
                "ttl": self._now_ms() // 1000 + KEPT_S,
            }
        )

    async def save(self, user_id: str, conversation_id: str, title: str) -> None:
        """Keep a title that was begun."""
        await self._end(user_id, conversation_id, {"state": "READY", "title": title})

    async def fail(self, user_id: str, conversation_id: str) -> None:
        """Keep that there will be no title."""
        await self._end(user_id, conversation_id, {"state": "FAILED"})

    async def find(self, user_id: str, conversation_id: str) -> StoredTitle | None:
        """Return what became of the title of a conversation of that user, None if none is known."""
        item = await self._table.get(*_key(user_id, conversation_id))
        if item is None or not isinstance(ttl := item["ttl"], int):
            return None
        if ttl <= self._now_ms() // 1000:
            return None
        state, title = item["state"], item.get("title")
        if state == "READY":
            return StoredTitle("READY", str(title))
        return StoredTitle("FAILED" if state == "FAILED" else "PENDING")

    async def _end(self, user_id: str, conversation_id: str, changes: dict[str, object]) -> None:
        await self._table.update(*_key(user_id, conversation_id), changes)


def _key(user_id: str, conversation_id: str) -> tuple[str, str]:
    return f"U#{encode_part(user_id)}", f"TITLE#{encode_part(conversation_id)}"
