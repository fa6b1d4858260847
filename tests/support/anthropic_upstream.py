"""Answers of an upstream that speaks Anthropic's Messages API, whole and as its events.

Blocks are made by `text_block`, `thinking_block`, `tool_block` and the like; `message` puts them
into a whole answer, `events_of` into the events of a stream. Both are valid for Anthropic's SDK.
The functions below `messages_refused` make single events, for streams that are not honest.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.support.event_bytes import encoded
from tests.support.fake_upstream import Headers, Step, json_reply, stream_reply

Block = dict[str, Any]
Event = dict[str, Any]

STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def text_block(text: str, citations: Sequence[Mapping[str, object]] | None = None) -> Block:
    cited = None if citations is None else list(citations)
    return {"type": "text", "text": text, "citations": cited}


def thinking_block(text: str, signature: str = "EqQBCgIYAhIM") -> Block:
    return {"type": "thinking", "thinking": text, "signature": signature}


def redacted_block(data: str = "EmwKAhgBEgy3va") -> Block:
    return {"type": "redacted_thinking", "data": data}


def tool_block(name: str, call: Mapping[str, object], call_id: str = "toolu_1") -> Block:
    return {"type": "tool_use", "id": call_id, "name": name, "input": dict(call)}


def search_block(query: str = "weather in Paris") -> Block:
    """Return a search that the upstream made itself."""
    return {
        "type": "server_tool_use",
        "id": "srvtoolu_1",
        "name": "web_search",
        "input": {"query": query},
    }


def search_result_block(url: str, title: str) -> Block:
    """Return what the search of `search_block` found."""
    found = {
        "type": "web_search_result",
        "url": url,
        "title": title,
        "encrypted_content": "EqgfCioIARgB",
        "page_age": None,
    }
    return {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [found]}


def web_citation(url: str, title: str | None, text: str = "21 °C") -> dict[str, object]:
    return {
        "type": "web_search_result_location",
        "url": url,
        "title": title,
        "cited_text": text,
        "encrypted_index": "Eo8BCioIAhgB",
    }


def usage(sent: int = 10, received: int = 5, **fields: object) -> dict[str, Any]:
    """Return the token counts of a message; counts of cached tokens come on top of `sent`."""
    return {"input_tokens": sent, "output_tokens": received} | fields


def message(*blocks: Block, **fields: object) -> dict[str, Any]:
    """Return a message that ended by itself, unless `fields` say otherwise."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test-1",
        "content": list(blocks),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage(),
    } | fields


def events_of(*blocks: Block, **fields: object) -> list[Event]:
    """Return all events of a stream; `fields` are those of the whole message."""
    whole = message(*blocks, **fields)
    counted = {name: whole["usage"][name] for name in whole["usage"] if name in _CUMULATIVE}
    events = [message_start(**fields)]
    for index, block in enumerate(blocks):
        events += _block_events(index, block)
    ending = {name: whole[name] for name in _ENDING if name in whole}
    return [*events, message_delta(counted, **ending), MESSAGE_STOP]


def messages_reply(*blocks: Block, **fields: object) -> list[Step]:
    """Answer whole."""
    return json_reply(message(*blocks, **fields))


def messages_streamed(*blocks: Block, **fields: object) -> list[Step]:
    """Answer with the events of a stream."""
    return stream_reply(*map(encoded, events_of(*blocks, **fields)))


def messages_refused(kind: str, text: str = "No.", headers: Headers = ()) -> list[Step]:
    """Refuse with an error of the API, by its type."""
    return json_reply(error(kind, text), status=STATUSES[kind], headers=headers)


def error(kind: str, text: str = "No.") -> Event:
    """Return an error, as it comes alone and as an event of a stream."""
    told = {"type": kind, "message": text}
    return {"type": "error", "error": told, "request_id": "req_1"}


def message_start(**fields: object) -> Event:
    begun = message(**{**fields, "stop_reason": None, "stop_sequence": None})
    counted = {k: v for k, v in begun["usage"].items() if k not in _COUNTED_LAST}
    begun["usage"] = counted | {"output_tokens": 1}
    begun.pop("stop_details", None)
    return {"type": "message_start", "message": begun}


def message_delta(counted: Mapping[str, object] | None = None, **ending: object) -> Event:
    """Return the event that tells why a message ended, and its counts."""
    return {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None} | ending,
        "usage": {"output_tokens": 5} if counted is None else dict(counted),
    }


MESSAGE_STOP: Event = {"type": "message_stop"}
PING: Event = {"type": "ping"}


def block_start(block: Block, index: int = 0) -> Event:
    return {"type": "content_block_start", "index": index, "content_block": block}


def block_delta(kind: str, index: int = 0, **fields: object) -> Event:
    """Return a piece of a block: `text_delta` with `text`, and so on."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def block_stop(index: int = 0) -> Event:
    return {"type": "content_block_stop", "index": index}


_ENDING = ("stop_reason", "stop_sequence", "stop_details", "container")
_COUNTED_LAST = ("output_tokens", "output_tokens_details", "server_tool_use", "iterations")
_CUMULATIVE = (
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    *_COUNTED_LAST,
)


def _block_events(index: int, block: Block) -> Iterator[Event]:
    empty, deltas = _EMPTIED.get(block["type"], _whole)(block)
    begun = {name: value for name, value in (block | empty).items() if value is not None}
    yield block_start(begun, index)
    yield from (block_delta(index=index, **delta) for delta in deltas)
    yield block_stop(index)


def _whole(_: Block) -> tuple[Block, list[dict[str, Any]]]:
    """Leave nothing out of the start of a block, and nothing to come."""
    return {}, []


def _text(block: Block) -> tuple[Block, list[dict[str, Any]]]:
    cited = block["citations"]
    notes = [{"kind": "citations_delta", "citation": note} for note in cited or ()]
    pieces = [{"kind": "text_delta", "text": piece} for piece in _pieces(block["text"])]
    return {"text": "", "citations": None if cited is None else []}, [*notes, *pieces]


def _thinking(block: Block) -> tuple[Block, list[dict[str, Any]]]:
    pieces = _pieces(block["thinking"])
    deltas = [{"kind": "thinking_delta", "thinking": piece} for piece in pieces]
    signed = {"kind": "signature_delta", "signature": block["signature"]}
    return {"thinking": "", "signature": ""}, [*deltas, signed]


def _input(block: Block) -> tuple[Block, list[dict[str, Any]]]:
    told = json.dumps(block["input"], ensure_ascii=False, separators=(",", ":"))
    pieces = ["", *(_pieces(told) if block["input"] else ())]
    return {"input": {}}, [{"kind": "input_json_delta", "partial_json": x} for x in pieces]


_EMPTIED: dict[str, Callable[[Block], tuple[Block, list[dict[str, Any]]]]] = {
    "text": _text,
    "thinking": _thinking,
    "tool_use": _input,
    "server_tool_use": _input,
}


def _pieces(text: str) -> Iterable[str]:
    """Cut a text in two."""
    middle = (len(text) + 1) // 2
    return filter(None, (text[:middle], text[middle:]))
