"""Answers of chats told as streamed messages, and what Anthropic's SDK makes of the events."""

import json
from collections.abc import Iterable
from typing import Any

from waystation.wire.anthropic_chunks import MessageEncoder
from waystation.wire.events import Delta, Finished, StreamEvent, UsageReport

HEAD = {"id": "chatcmpl-1", "model": "m-1"}
RAW = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def deltas(*pieces: dict[str, object], finish: str | None = "stop", **end: object) -> list[Delta]:
    """Return the deltas of one choice, and its end."""
    told = [Delta([{"index": 0, "delta": piece, "finish_reason": None}], HEAD) for piece in pieces]
    return [*told, Delta([{"index": 0, "delta": {}, "finish_reason": finish, **end}], HEAD)]


def ended(events: Iterable[StreamEvent], raw: dict[str, Any] = RAW) -> list[StreamEvent]:
    """Return the events with the usage and the end after them."""
    return [*events, UsageReport(None, raw, HEAD), Finished()]


def encoded(events: Iterable[StreamEvent]) -> list[dict[str, Any]]:
    """Return the data of the events that a client gets, after a look at their names."""
    encoder = MessageEncoder(request_id="r1", model="asked-for")
    text = b"".join(map(encoder.encode, events)).decode()
    found = []
    for event in text.split("\n\n")[:-1]:
        name, data = event.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def blocks(events: Iterable[StreamEvent]) -> list[dict[str, Any]]:
    """Return the events of blocks alone."""
    return [event for event in encoded(events) if event["type"].startswith("content_block_")]


def start(index: int, **block: object) -> dict[str, object]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(index: int, kind: str, **fields: object) -> dict[str, object]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: int) -> dict[str, object]:
    return {"type": "content_block_stop", "index": index}
