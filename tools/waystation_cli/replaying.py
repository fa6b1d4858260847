"""Finds in a log the records that the ledger could not write, whatever AWS wraps the log in.

A line of the log is `{"message": "ledger_settle_unwritten", "record": "{...}", ...}`. It may stand
alone, after a time and a stream's name, or as text in JSON of CloudWatch. The messages of a queue,
`{"v": 1, "kind": ..., "item": {...}}`, are found too.
"""

import json
from collections.abc import Iterator
from typing import cast

from waystation.ledger.outbox import MessageKind, write_message

KINDS: dict[str, MessageKind] = {
    "ledger_open_unwritten": "open",
    "ledger_settle_unwritten": "settle",
}


_DECODER = json.JSONDecoder()


def find_messages(text: str) -> Iterator[str]:
    """Yield each record as a message for `TableLedger.apply`, in the order of the text.

    A line that speaks of such a record and cannot be read is yielded as it is.
    """
    try:
        document = json.loads(text)
    except ValueError:
        for line in text.splitlines():
            yield from _in_text(line)
    else:
        yield from _in_value(document)


def _in_text(text: str) -> Iterator[str]:
    if not _is_told(text) and '"kind"' not in text:
        return
    at, rest = text.find("{"), text
    while at >= 0:
        try:
            document, end = _DECODER.raw_decode(text, at)
        except ValueError:
            break
        yield from _in_value(document)
        at, rest = text.find("{", end), text[end:]
    if _is_told(rest):
        yield rest


def _is_told(text: str) -> bool:
    return any(name in text for name in KINDS)


def _in_value(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _in_text(value)
    elif isinstance(value, list):
        for one in value:
            yield from _in_value(one)
    elif isinstance(value, dict):
        yield from _in_mapping(value)


def _in_mapping(told: dict[str, object]) -> Iterator[str]:
    kind = KINDS.get(str(told.get("message")))
    if kind is not None:
        yield _message(kind, told.get("record"))
    elif {"v", "kind", "item"} <= told.keys():
        yield json.dumps(told)
    else:
        for one in told.values():
            yield from _in_value(one)


def _message(kind: MessageKind, record: object) -> str:
    try:
        item = json.loads(record) if isinstance(record, str) else record
    except ValueError:
        item = None
    return write_message(kind, cast("dict[str, object]", item))
