"""Whole messages: made of a chat completion, and told as the events of a streamed one."""

import json
from collections.abc import Callable, Iterator, Mapping

from waystation.wire.anthropic_blocks import Block, BlockWriter, Event
from waystation.wire.anthropic_teller import MessageTeller
from waystation.wire.events import Completion, Delta, stream_of
from waystation.wire.json_reader import read_json_lenient

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# The pieces that a block is taken apart to, by their kind.
Pieces = list[tuple[str, Block]]

# The names of the fields that pieces of a block are added to.
_GROWING = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


def to_message(completion: Completion, *, id: str, model: str) -> dict[str, object]:  # noqa: A002
    """Return a chat completion as a message; `id` and `model` stand in where it has none."""
    teller = MessageTeller(id=id, model=model)
    deltas = [event for event in stream_of(completion) if isinstance(event, Delta)]
    usage = completion.body.get("usage")
    events = [event for delta in deltas for event in teller.delta(delta)]
    return _gathered([*events, *teller.finish(usage if isinstance(usage, Mapping) else {})])


def events_of_message(message: Mapping[str, object]) -> Iterator[Event]:
    """Tell a whole message as the events of a streamed one."""
    usage = message.get("usage")
    ending = {name: message.get(name) for name in ("stop_reason", "stop_sequence")}
    ending |= {name: message[name] for name in ("stop_details", "container") if name in message}
    begun = {**message, "content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": begun}
    writer, content = BlockWriter(), message.get("content")
    for block in content if isinstance(content, list) else []:
        yield from _block_events(writer, block)
    yield {"type": "message_delta", "delta": ending, "usage": usage}
    yield {"type": "message_stop"}


def _gathered(events: list[Event]) -> dict[str, object]:
    """Put the events of a message together again."""
    message: dict[str, object] = {}
    blocks: list[_Block] = []
    for event in events:
        kind = event["type"]
        if kind == "message_start":
            message = _object(event["message"])
        elif kind == "content_block_start":
            blocks.append(_Block(_object(event["content_block"])))
        elif kind == "content_block_delta":
            blocks[-1].add(_object(event["delta"]))
        elif kind == "message_delta":
            message |= {**_object(event["delta"]), "usage": event["usage"]}
    return {**message, "content": [block.whole() for block in blocks]}


class _Block:
    """A block to whose content pieces are added."""

    def __init__(self, content: Block) -> None:
        self._content = content
        self._input: list[str] = []

    def add(self, piece: Block) -> None:
        kind = str(piece["type"])
        if kind == "input_json_delta":
            self._input.append(str(piece["partial_json"]))
        elif kind == "citations_delta":
            cited = self._content.get("citations")
            known = cited if isinstance(cited, list) else []
            self._content = {**self._content, "citations": [*known, piece["citation"]]}
        else:
            name = _GROWING[kind]
            self._content = {**self._content, name: f"{self._content[name]}{piece[name]}"}

    def whole(self) -> Block:
        return {**self._content, "input": _input_of(self._input)} if self._input else self._content


def _input_of(pieces: list[str]) -> Block:
    """Return the input of a tool; what is no object is wrapped, as the API has it sent back.

    Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming,
    2026-11.
    """
    text = "".join(pieces)
    try:
        value = read_json_lenient(text.encode())
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"INVALID_JSON": text}


def _block_events(writer: BlockWriter, block: object) -> Iterator[Event]:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        return
    emptied, pieces = _TAKEN_APART.get(block["type"], _as_it_is)(block)
    yield from writer.open({**block, **emptied})
    for kind, fields in pieces:
        yield writer.add(kind, **fields)
    yield from writer.close()


def _as_it_is(_: Block) -> tuple[Block, Pieces]:
    return {}, []


def _text(block: Block) -> tuple[Block, Pieces]:
    notes, text = block.get("citations"), block.get("text")
    cited: Pieces = [
        ("citations_delta", {"citation": note})
        for note in (notes if isinstance(notes, list) else ())
    ]
    told: Block = {"text": "", "citations": []} if cited else {"text": ""}
    return told, [("text_delta", {"text": text}), *cited]


def _thinking(block: Block) -> tuple[Block, Pieces]:
    names = [name for name in ("thinking", "signature") if block.get(name)]
    return dict.fromkeys(names, ""), [(f"{name}_delta", {name: block[name]}) for name in names]


def _tool(block: Block) -> tuple[Block, Pieces]:
    return {"input": {}}, [("input_json_delta", {"partial_json": _encode(block.get("input"))})]


_TAKEN_APART: Mapping[str, Callable[[Block], tuple[Block, Pieces]]] = {
    "text": _text,
    "thinking": _thinking,
    "tool_use": _tool,
    "server_tool_use": _tool,
}


def _object(value: object) -> Block:
    return value if isinstance(value, dict) else {}
