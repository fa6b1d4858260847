"""Users' own keys and URLs in the table, one item for each endpoint of a user.

    U#<user id> / KEY#<endpoint>

`ciphertext` is base64 of what KMS made of the JSON `{"apiKey", "baseURL"}`, bound to the user and
the endpoint, so that it is of no use in another item. Beside it stands what may be shown: the
key's `last_characters`, the URL's `host`, and `expires_at` in milliseconds since 1970.
"""

import base64
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from waystation.aws.key_service import (
    MAX_PLAINTEXT_BYTES,
    CiphertextError,
    KeyService,
    KeyServiceError,
)
from waystation.aws.table import Item, Table, TableError
from waystation.credentials.own import OwnCredentials
from waystation.errors import (
    ExpiredUserKeyError,
    InvalidBodyError,
    InvalidUserKeyError,
    SecretUnavailableError,
)
from waystation.wire.key_parts import encode_part

REMEMBERED_MS = 60_000
MAX_REMEMBERED = 256
TOLD_EXPIRED_S = 30 * 24 * 60 * 60  # how long an item stays to tell that its key has expired

_SHOWN_CHARACTERS = 4
_MIN_SHOWN_LENGTH = 12  # of a shorter key, four characters would be too much
_KEY_PREFIX = "KEY#"

_log = logging.getLogger("waystation.credentials")


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What may be shown of what a user has stored; an empty text stands for a key too short."""

    last_characters: str | None
    host: str | None
    expires_at_ms: int | None


class UserKeys:
    """Keeps users' keys. One per process; safe for concurrent requests.

    A decrypted value is remembered for a minute, under the user, the endpoint and its ciphertext.
    Every method raises SecretUnavailableError where the table or KMS does not answer.
    """

    def __init__(
        self, table: Table, service: KeyService | None, *, now_ms: Callable[[], int]
    ) -> None:
        """Take the table, KMS, and the time in milliseconds since 1970.

        Without KMS nothing can be stored, and nothing is found.
        """
        self._table = table
        self._service = service
        self._now_ms = now_ms
        self._known: OrderedDict[tuple[str, str, str], tuple[OwnCredentials, int]] = OrderedDict()

    async def find(self, user_id: str, endpoint: str) -> OwnCredentials | None:
        """Return what a user has stored for an endpoint, None if nothing.

        Raises ExpiredUserKeyError, InvalidUserKeyError, SecretUnavailableError.
        """
        if self._service is None or (item := await self._item(user_id, endpoint)) is None:
            return None
        expires_at = _shown(item).expires_at_ms
        if expires_at is not None and expires_at <= self._now_ms():
            raise ExpiredUserKeyError(
                f"Your key for endpoint '{endpoint}' has expired: store a new one."
            )
        text = str(item["ciphertext"])
        remembered = (user_id, endpoint, hashlib.sha256(text.encode()).hexdigest())
        own, until = self._known.get(remembered, (None, 0))
        if own is not None and self._now_ms() < until:
            self._known.move_to_end(remembered)
            return own
        own = await self._decrypted(self._service, user_id, endpoint, text)
        self._known[remembered] = (own, self._now_ms() + REMEMBERED_MS)
        self._known.move_to_end(remembered)
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return own

    async def show(self, user_id: str, endpoint: str) -> KeptKey | None:
        """Return what may be shown of what a user has stored, expired or not; None if nothing."""
        item = await self._item(user_id, endpoint)
        return None if item is None else _shown(item)

    async def put(
        self, user_id: str, endpoint: str, own: OwnCredentials, expires_at_ms: int | None
    ) -> KeptKey:
        """Store what a user brings in place of what there was.

        Raises InvalidBodyError if it is too long, SecretUnavailableError.
        """
        if self._service is None:
            raise SecretUnavailableError("This gateway stores no keys of users.")
        document = _document(own)
        if len(document) > MAX_PLAINTEXT_BYTES:
            raise InvalidBodyError(
                f"The key and the URL are longer than {MAX_PLAINTEXT_BYTES} bytes together."
            )
        kept = KeptKey(_last_characters(own.api_key), _host(own.base_url), expires_at_ms)
        try:
            ciphertext = await self._service.encrypt(document, _context(user_id, endpoint))
            await self._table.put(_item(user_id, endpoint, kept, ciphertext))
        except (KeyServiceError, TableError) as error:
            raise _unavailable(error) from error
        return kept

    async def delete(self, user_id: str, endpoint: str) -> None:
        """Forget what a user has stored for an endpoint, if anything."""
        try:
            await self._table.delete(*_key(user_id, endpoint))
        except TableError as error:
            raise _unavailable(error) from error

    async def delete_all(self, user_id: str) -> None:
        """Forget all that a user has stored."""
        try:
            for item in await self._table.query(_partition(user_id), _KEY_PREFIX):
                await self._table.delete(str(item["PK"]), str(item["SK"]))
        except TableError as error:
            raise _unavailable(error) from error

    async def _item(self, user_id: str, endpoint: str) -> Item | None:
        try:
            return await self._table.get(*_key(user_id, endpoint))
        except TableError as error:
            raise _unavailable(error) from error

    async def _decrypted(
        self, service: KeyService, user_id: str, endpoint: str, text: str
    ) -> OwnCredentials:
        try:
            ciphertext = base64.b64decode(text, validate=True)
            document = await service.decrypt(ciphertext, _context(user_id, endpoint))
            return _read_document(document)
        except KeyServiceError as error:
            raise _unavailable(error) from error
        except (ValueError, CiphertextError) as error:
            _log.error("user_key_unreadable", extra={"cause": type(error).__name__})
            raise InvalidUserKeyError(
                f"Your key for endpoint '{endpoint}' cannot be read: store it again."
            ) from None


def _unavailable(error: Exception) -> SecretUnavailableError:
    _log.error("user_keys_unavailable", extra={"cause": str(error)})
    return SecretUnavailableError("The store of users' own keys cannot be reached.")


def _partition(user_id: str) -> str:
    return f"U#{encode_part(user_id)}"


def _key(user_id: str, endpoint: str) -> tuple[str, str]:
    return _partition(user_id), f"{_KEY_PREFIX}{encode_part(endpoint)}"


def _context(user_id: str, endpoint: str) -> dict[str, str]:
    return {"uid": encode_part(user_id), "endpoint": encode_part(endpoint)}


def _item(user_id: str, endpoint: str, kept: KeptKey, ciphertext: bytes) -> dict[str, object]:
    pk, sk = _key(user_id, endpoint)
    expires_at = kept.expires_at_ms
    item: dict[str, object | None] = {
        "PK": pk,
        "SK": sk,
        "ciphertext": base64.b64encode(ciphertext).decode(),
        "last_characters": kept.last_characters,
        "host": kept.host,
        "expires_at": expires_at,
        "ttl": None if expires_at is None else expires_at // 1000 + TOLD_EXPIRED_S,
    }
    return {name: value for name, value in item.items() if value is not None}


def _shown(item: Item) -> KeptKey:
    last, host, expires_at = (item.get(name) for name in ("last_characters", "host", "expires_at"))
    return KeptKey(
        last if isinstance(last, str) else None,
        host if isinstance(host, str) else None,
        expires_at if isinstance(expires_at, int) else None,
    )


def _document(own: OwnCredentials) -> bytes:
    members = {"apiKey": own.api_key, "baseURL": own.base_url}
    given = {name: text for name, text in members.items() if text is not None}
    return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()


def _read_document(document: bytes) -> OwnCredentials:
    """Read what was encrypted. Raises ValueError."""
    members = json.loads(document)
    if not isinstance(members, dict):
        raise ValueError("not an object")  # noqa: TRY004 (as for any other document)
    texts = members.get("apiKey"), members.get("baseURL")
    if not all(text is None or isinstance(text, str) for text in texts):
        raise ValueError("not texts")
    return OwnCredentials(*texts)


def _last_characters(api_key: str | None) -> str | None:
    if api_key is None:
        return None
    return api_key[-_SHOWN_CHARACTERS:] if len(api_key) >= _MIN_SHOWN_LENGTH else ""


def _host(base_url: str | None) -> str | None:
    return None if base_url is None else urlsplit(base_url).netloc.rpartition("@")[2]
