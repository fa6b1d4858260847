"""An upstream that speaks Bedrock's Converse API, with its framing of event streams.

Blocks are made by `text_block`, `reasoning_block` and the like; `answer` puts them into a whole
answer, `events_of` into the events of a stream. `framed` encodes one event as
application/vnd.amazon.eventstream has it, checksums and all. Source of the framing:
https://smithy.io/2.0/aws/amazon-eventstream.html, 2026-11.
"""

import base64
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.fake_upstream import (
    FakeUpstream,
    Headers,
    Step,
    chunk,
    json_reply,
    kept_head,
    reply,
)

Block = dict[str, Any]
Event = dict[str, Any]

REQUEST_ID = "0a7f2c4e-5d61-4b8a-9c33-2f1e6d7b8a90"
_STREAM = "application/vnd.amazon.eventstream"
_STATUSES = {
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ThrottlingException": 429,
    "ModelNotReadyException": 429,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
}


def point_boto3_at(upstream: FakeUpstream, patch: pytest.MonkeyPatch) -> None:
    """Have clients made from now on ask the fake upstream."""
    patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://{upstream.address}")


def text_block(text: str) -> Block:
    return {"text": text}


def reasoning_block(text: str, signature: str | None = "EqQBCgIYAhIM") -> Block:
    told = {"text": text} | ({"signature": signature} if signature else {})
    return {"reasoningContent": {"reasoningText": told}}


def redacted_block(data: bytes = b"redacted") -> Block:
    return {"reasoningContent": {"redactedContent": base64.b64encode(data).decode()}}


def tool_block(name: str, call: Mapping[str, object], call_id: str = "tooluse_1") -> Block:
    return {"toolUse": {"toolUseId": call_id, "name": name, "input": dict(call)}}


def cited_block(text: str, *citations: Mapping[str, object]) -> Block:
    return {"citationsContent": {"content": [{"text": text}], "citations": list(citations)}}


def web_citation(url: str, title: str) -> dict[str, object]:
    return {
        "title": title,
        "sourceContent": [{"text": "21 °C"}],
        "location": {"web": {"url": url, "domain": urlsplit(url).hostname}},
    }


def page_citation(page: int, title: str) -> dict[str, object]:
    place = {"documentIndex": 0, "start": page, "end": page}
    return {"title": title, "location": {"documentPage": place}}


def usage(sent: int = 10, received: int = 5, **cached: object) -> dict[str, object]:
    """Return token counts; those of cached tokens come on top of `sent`."""
    more = sum(count for count in cached.values() if isinstance(count, int))
    total = sent + received + more
    return {"inputTokens": sent, "outputTokens": received, "totalTokens": total} | cached


def answer(*blocks: Block, **fields: object) -> dict[str, Any]:
    """Return a whole answer that ended by itself, unless `fields` say otherwise."""
    return {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": "end_turn",
        "usage": usage(),
        "metrics": {"latencyMs": 700},
    } | fields


def events_of(*blocks: Block, **fields: object) -> list[Event]:
    """Return all events of a stream; `fields` are those of the whole answer."""
    whole = answer(*blocks, **fields)
    events: list[Event] = [{"messageStart": {"role": "assistant"}}]
    for index, block in enumerate(blocks):
        events += _block_events(index, block)
    stop = {name: whole[name] for name in _STOP_FIELDS if name in whole}
    metadata = {name: whole[name] for name in _METADATA_FIELDS if name in whole}
    return [*events, {"messageStop": stop}, {"metadata": metadata}]


def delta(index: int = 0, **piece: object) -> Event:
    """Return a piece of a block: `text`, `toolUse`, `reasoningContent` or `citation`."""
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": piece}}


def framed(event: Event) -> bytes:
    """Encode one event as it goes over the wire."""
    ((kind, payload),) = event.items()
    return _message({":event-type": kind, ":message-type": "event"}, payload)


def framed_exception(kind: str, text: str = "No.") -> bytes:
    """Encode an exception inside a stream, such as `throttlingException`."""
    return _message({":exception-type": kind, ":message-type": "exception"}, {"message": text})


def handed_over(*events: Event, request_id: str = REQUEST_ID) -> bytes:
    """Return events as the sender hands them over."""
    head: Event = {"ResponseMetadata": {"RequestId": request_id}}
    lines = [json.dumps(event, ensure_ascii=False) for event in (head, *events)]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def handed_over_whole(*blocks: Block, **fields: object) -> bytes:
    """Return a whole answer as the sender hands it over."""
    head = {"ResponseMetadata": {"RequestId": REQUEST_ID}}
    return json.dumps(head | answer(*blocks, **fields), ensure_ascii=False).encode()


def converse_reply(*blocks: Block, **fields: object) -> list[Step]:
    """Answer whole."""
    return json_reply(answer(*blocks, **fields), headers=_REQUEST_ID)


def converse_streamed(*blocks: Block, **fields: object) -> list[Step]:
    """Answer with the events of a stream."""
    return framed_reply(*map(framed, events_of(*blocks, **fields)))


def framed_reply(*pieces: bytes | float, is_complete: bool = True) -> list[Step]:
    """Answer with framed events, each a chunk; a number is a pause in seconds."""
    own = [("content-type", _STREAM), ("transfer-encoding", "chunked"), *_REQUEST_ID]
    steps: list[Step] = [kept_head(200, own)]
    steps += [piece if isinstance(piece, float) else chunk(piece) for piece in pieces]
    return [*steps, b"0\r\n\r\n"] if is_complete else steps


def converse_refused(code: str, text: str = "No.", headers: Headers = ()) -> list[Step]:
    """Refuse with an error of the API, by its code."""
    named = [("x-amzn-errortype", code), *_REQUEST_ID, *headers]
    body = json.dumps({"message": text}).encode()
    return reply(body, status=_STATUSES.get(code, 400), headers=named)


_REQUEST_ID = [("x-amzn-requestid", REQUEST_ID)]
_STOP_FIELDS = ("stopReason", "additionalModelResponseFields")
_METADATA_FIELDS = ("usage", "metrics", "trace")


def _block_events(index: int, block: Block) -> Iterator[Event]:
    call = block.get("toolUse")
    if call:
        named = {name: call[name] for name in ("toolUseId", "name")}
        yield {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": named}}}
    for piece in _pieces_of(block):
        yield delta(index, **piece)
    yield {"contentBlockStop": {"contentBlockIndex": index}}


def _pieces_of(block: Block) -> Iterator[dict[str, Any]]:
    if "text" in block:
        yield from ({"text": text} for text in _halves(block["text"]))
    elif "toolUse" in block:
        told = json.dumps(block["toolUse"]["input"], ensure_ascii=False, separators=(",", ":"))
        texts = _halves(told) if block["toolUse"]["input"] else [""]
        yield from ({"toolUse": {"input": text}} for text in texts)
    elif "citationsContent" in block:
        cited = block["citationsContent"]
        yield from ({"text": part["text"]} for part in cited["content"])
        yield from ({"citation": note} for note in cited["citations"])
    else:
        yield from ({"reasoningContent": piece} for piece in _reasoning(block))


def _reasoning(block: Block) -> Iterator[dict[str, str]]:
    reasoning = block["reasoningContent"]
    if "redactedContent" in reasoning:
        yield reasoning
        return
    told = reasoning["reasoningText"]
    yield from ({"text": text} for text in _halves(told["text"]))
    if "signature" in told:
        yield {"signature": told["signature"]}


def _halves(text: str) -> list[str]:
    middle = (len(text) + 1) // 2
    return [half for half in (text[:middle], text[middle:]) if half]


def _message(kinds: Mapping[str, str], payload: object) -> bytes:
    headers = b"".join(map(_header, *zip(*kinds.items(), strict=True)))
    headers += _header(":content-type", "application/json")
    body = json.dumps(payload, ensure_ascii=False).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack("!I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    text = 7  # the type of a string
    start = struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", text, len(value))
    return start + value.encode()
