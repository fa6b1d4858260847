"""The messages by which records that the table did not take reach it later.

    {"v": 1, "kind": "open" | "settle", "item": {...}}

`item` is the record as it shall be stored. There is no text of a prompt or an answer in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from waystation.aws.table import Item
from waystation.wire.redaction import REDACTED

VERSION = 1

MessageKind = Literal["open", "settle"]

_STATES: Mapping[str, frozenset[str]] = {
    "open": frozenset({"RESERVED"}),
    "settle": frozenset({"SETTLED", "RELEASED"}),
}
_TEXTS = ("PK", "SK", "kind", "user_id", "endpoint", "model", "created_at")


class OutboxMessageError(ValueError):
    """A message can never be applied; the text tells why, and nothing of its item."""


@dataclass(frozen=True, slots=True)
class Message:
    """What shall be done with a record."""

    kind: MessageKind
    item: Item


def write_message(kind: MessageKind, item: Item) -> str:
    """Return the body of a message."""
    return json.dumps({"v": VERSION, "kind": kind, "item": item}, separators=(",", ":"))


def read_message(body: str) -> Message:
    """Return what a message says. Raises OutboxMessageError."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise OutboxMessageError("not JSON") from None
    if not isinstance(told, dict) or told.get("v") != VERSION:
        raise OutboxMessageError("of another version")
    kind, item = told.get("kind"), told.get("item")
    if not isinstance(kind, str) or kind not in _STATES or not isinstance(item, dict):
        raise OutboxMessageError("neither an opening nor a record")
    _check(kind, item)
    return Message(cast("MessageKind", kind), item)


def _check(kind: str, item: Item) -> None:
    if item.get("state") not in _STATES[kind]:
        raise OutboxMessageError("in a state that it cannot have")
    texts = [item.get(name) for name in _TEXTS]
    pk, sk = texts[:2]
    if not all(isinstance(text, str) for text in texts):
        raise OutboxMessageError("without what every record has")
    if not (str(pk).startswith("U#") and str(sk).startswith("REQ#")):
        raise OutboxMessageError("with the key of something else")
    if any(REDACTED in str(text) for text in (*texts, item.get("idempotency"))):
        raise OutboxMessageError("with a name that the log does not show")
    tokens = item.get("tokens", {})
    if not isinstance(tokens, dict):
        raise OutboxMessageError("with tokens that are no counts")
    amounts = (item.get("hold"), item.get("cost", 0), *tokens.values())
    if not all(type(amount) is int and amount >= 0 for amount in amounts):
        raise OutboxMessageError("with an amount that cannot be")
    if kind == "open" and item.get("draws"):
        raise OutboxMessageError("with a hold that was never made")
