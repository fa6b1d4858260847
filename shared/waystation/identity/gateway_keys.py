"""The gateway's own keys: made once, shown once, stored as digests.

A key is looked up by HMAC-SHA-256(pepper, key), so neither the table nor a lookup ever holds it.
Items:

    K#<digest> / KEY        what authentication reads
    KEYS       / <key id>   what listing and revoking read; holds the digest, no secret
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from waystation.aws.table import Item, Table
from waystation.identity.user import Caller, User, parse_user

PEPPER_NAME = "_KEY_PEPPER"
KEY_PREFIX = "sk-way-"
MAX_KEY_LENGTH = 512
CACHE_S = 60.0
MAX_CACHED = 1024

_LIST = "KEYS"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key."""

    key_id: str
    user_id: str
    is_trusted: bool
    is_admin: bool
    created_at: str
    is_revoked: bool


def make_key() -> str:
    """Return a new random key."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def is_possible_key(key: str) -> bool:
    """Tell whether a text could be a key: printable ASCII of a bounded length."""
    return key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY_LENGTH


def digest_of(key: str, pepper: str) -> str:
    return hmac.new(pepper.encode(), key.encode(), hashlib.sha256).hexdigest()


async def store_key(
    table: Table,
    key: str,
    *,
    pepper: str,
    user: User,
    created_at: str,
    is_trusted: bool = False,
    is_admin: bool = False,
) -> KeyInfo:
    """Store a key's digest. Raises TableError; ValueError if the key is there already."""
    digest = digest_of(key, pepper)
    info = KeyInfo(digest[:12], user.id, is_trusted, is_admin, created_at, is_revoked=False)
    shared: dict[str, object] = {
        "key_id": info.key_id,
        "user_id": user.id,
        "trusted": is_trusted,
        "admin": is_admin,
        "created_at": created_at,
        "revoked": False,
    }
    user_json = json.dumps({"id": user.id, **user.fields}, ensure_ascii=False)
    written = await table.put_new(
        {"PK": f"K#{digest}", "SK": "KEY", "user": user_json, **shared},
        {"PK": _LIST, "SK": info.key_id, "digest": digest, **shared},
    )
    if not written:
        raise ValueError("this key is stored already")
    return info


async def list_keys(table: Table) -> Sequence[KeyInfo]:
    """Return every key ever made, revoked ones included."""
    return [_info(item) for item in await table.query(_LIST)]


async def revoke_key(table: Table, key_id: str) -> bool:
    """Revoke a key; False if there is none of that id. Warm functions notice within a minute."""
    item = await table.get(_LIST, key_id)
    if item is None:
        return False
    await table.update(f"K#{item['digest']}", "KEY", {"revoked": True})
    return await table.update(_LIST, key_id, {"revoked": True})


class GatewayKeys:
    """Tells who holds a key. Known keys are remembered for a minute, unknown ones never."""

    def __init__(self, table: Table, *, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now
        self._known: dict[str, tuple[Caller, float]] = {}

    async def find(self, key: str, pepper: str) -> Caller | None:
        """Return the caller, None for a key that is unknown or revoked. Raises TableError."""
        if not is_possible_key(key):
            return None
        digest = digest_of(key, pepper)
        caller, until = self._known.get(digest, (None, 0.0))
        if caller is not None and self._now() < until:
            return caller
        item = await self._table.get(f"K#{digest}", "KEY")
        if item is None or item["revoked"]:
            self._known.pop(digest, None)
            return None
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        caller = _caller(item)
        self._known[digest] = (caller, self._now() + CACHE_S)
        return caller


def _caller(item: Item) -> Caller:
    return Caller(
        user=parse_user(json.loads(str(item["user"]))),
        key_id=str(item["key_id"]),
        is_trusted=bool(item["trusted"]),
        is_admin=bool(item["admin"]),
    )


def _info(item: Item) -> KeyInfo:
    return KeyInfo(
        key_id=str(item["key_id"]),
        user_id=str(item["user_id"]),
        is_trusted=bool(item["trusted"]),
        is_admin=bool(item["admin"]),
        created_at=str(item["created_at"]),
        is_revoked=bool(item["revoked"]),
    )
