"""Asks by an SDK and reads what it makes of the answer, whole or streamed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pydantic import BaseModel

from waystation.providers.anthropic import pieces as message_pieces
from waystation.providers.anthropic.usage import usage_of as message_usage_of
from waystation.providers.openai_compatible.responses import pieces as response_pieces
from waystation.wire.events import visible_bytes
from waystation.wire.usage import Usage, parse_openai_usage
from waystation_cli.probing.exchange import Exchange
from waystation_cli.probing.outcome import Outcome
from waystation_cli.probing.plan import PROMPT

if TYPE_CHECKING:
    from anthropic import Anthropic
    from anthropic.types import MessageParam
    from openai import OpenAI
    from openai.types.chat import ChatCompletionMessageParam

_MESSAGES = [{"role": "user", "content": PROMPT}]

Document = Mapping[str, object]


class NotAnAnswerError(Exception):
    """What came is no answer of the API; `body` is the error it tells, if it tells one."""

    def __init__(self, body: object = None) -> None:
        super().__init__("not an answer of the API")
        self.body = body


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event, or a whole answer, tells. `has_output`: text, reasoning or a tool call."""

    model: object = None
    text: str = ""
    has_output: bool = False
    finish_reason: object = None
    usage: Usage | None = None
    raw_usage: object = None


def ask_chat(client: "OpenAI", fields: Document) -> Iterator[Piece]:
    """Ask for a chat completion. Raises what the SDK raises, and NotAnAnswerError."""
    model, is_stream, rest = _split(fields)
    answer: object = client.chat.completions.create(
        model=model,
        messages=cast("list[ChatCompletionMessageParam]", _MESSAGES),
        stream=is_stream,
        extra_body=rest,
    )
    for document in _documents(answer, is_stream=is_stream):
        choices, usage = document.get("choices"), document.get("usage")
        if not isinstance(choices, list):
            if usage is None:
                raise NotAnAnswerError(document.get("error"))
            choices = []
        first = _object(choices[0]) if choices else {}
        told = _object(first.get("message") or first.get("delta"))
        yield Piece(
            model=document.get("model"),
            text=_text(told.get("content")),
            has_output=visible_bytes(choices) > 0,
            finish_reason=first.get("finish_reason"),
            usage=parse_openai_usage(usage),
            raw_usage=usage,
        )


def ask_responses(client: "OpenAI", fields: Document) -> Iterator[Piece]:
    """Ask for a response. Raises what the SDK raises, and NotAnAnswerError."""
    model, is_stream, rest = _split(fields)
    answer: object = client.responses.create(
        model=model, input=PROMPT, stream=is_stream, extra_body=rest
    )
    for document in _documents(answer, is_stream=is_stream):
        delta = document.get("delta")
        if isinstance(delta, str):
            is_text = document.get("type") == "response.output_text.delta"
            yield Piece(text=delta if is_text else "", has_output=bool(delta))
        else:
            response = _object(document.get("response")) if is_stream else document
            yield from _response_pieces(response, is_stream=is_stream)


def _response_pieces(response: Document, *, is_stream: bool) -> Iterator[Piece]:
    status = response.get("status")
    if status in {"completed", "incomplete"}:
        usage = response_pieces.usage_of(response)
        text = "" if is_stream else "".join(_texts_of_response(response))
        yield Piece(
            model=response.get("model"),
            text=text,
            has_output=bool(text),
            finish_reason=response_pieces.finish_reason_of(response, has_calls=False),
            usage=parse_openai_usage(usage),
            raw_usage=usage,
        )
    elif status in {"failed", "cancelled"} or not is_stream:
        raise NotAnAnswerError(response.get("error"))


def _texts_of_response(response: Document) -> Iterator[str]:
    for item in _objects(response.get("output")):
        for part in _objects(item.get("content")):
            yield _text(part.get("text"))


def ask_messages(client: "Anthropic", fields: Document) -> Iterator[Piece]:
    """Ask for a message. Raises what the SDK raises, and NotAnAnswerError."""
    model, is_stream, rest = _split(fields)
    limit = rest.pop("max_tokens")
    answer: object = client.messages.create(
        model=model,
        max_tokens=cast("int", limit),
        messages=cast("list[MessageParam]", _MESSAGES),
        stream=is_stream,
        extra_body=rest,
    )
    counted: dict[str, object] = {}
    for document in _documents(answer, is_stream=is_stream):
        kind = document.get("type")
        message = _object(document.get("message")) if kind == "message_start" else document
        raw = {k: v for k, v in _object(message.get("usage")).items() if v is not None}
        counted |= raw
        delta = _object(document.get("delta"))
        ending = document if kind == "message" else delta
        blocks = [*_objects(document.get("content")), delta]
        text = "".join(_text(block.get("text")) for block in blocks)
        if kind is None or (not is_stream and kind != "message"):
            raise NotAnAnswerError(document.get("error"))
        is_ended = ending.get("stop_reason") is not None
        yield Piece(
            model=message.get("model"),
            text=text,
            has_output=bool(text or delta.get("thinking") or delta.get("partial_json")),
            finish_reason=(
                message_pieces.finish_reason_of(ending, has_calls=False) if is_ended else None
            ),
            usage=message_usage_of(counted)[0] if raw else None,
        )


def collect(pieces: Iterable[Piece], exchange: Exchange, outcome: Outcome, *, stream: bool) -> None:
    """Fill an outcome in as pieces come.

    Raises NotAnAnswerError if none does or all are empty, and whatever ends the pieces.
    """
    length: int | None = None
    try:
        for piece in pieces:
            length = (length or 0) + len(piece.text)
            if stream and piece.has_output and outcome.first_token_ms is None:
                outcome.first_token_ms = exchange.elapsed_ms()
            outcome.model = _text(piece.model) or outcome.model
            outcome.finish_reason = _text(piece.finish_reason) or outcome.finish_reason
            outcome.usage = piece.usage or outcome.usage
            _note_cost(_object(piece.raw_usage), outcome)
    finally:
        outcome.text_length = length
        outcome.total_ms = exchange.elapsed_ms()
        outcome.status = exchange.status
    if not length and outcome.finish_reason is None:
        raise NotAnAnswerError


def _note_cost(usage: Document, outcome: Outcome) -> None:
    cost = usage.get("cost_nanousd")
    if isinstance(cost, int):
        outcome.cost_nanousd = cost
    outcome.is_estimated = outcome.is_estimated or usage.get("estimated") is True


def _split(fields: Document) -> tuple[str, bool, dict[str, object]]:
    rest = dict(fields)
    return str(rest.pop("model")), rest.pop("stream", False) is True, rest


def _documents(answer: object, *, is_stream: bool) -> Iterator[Document]:
    for model in cast("Iterable[object]", answer) if is_stream else [answer]:
        if not isinstance(model, BaseModel):
            raise NotAnAnswerError
        yield model.model_dump(by_alias=True, exclude_unset=True, warnings=False)


def _object(value: object) -> Document:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> list[Document]:
    return [_object(part) for part in value] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
