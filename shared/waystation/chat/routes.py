"""POST /v1/chat/completions, plain and streamed."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol

from waystation.calls.call import Call
from waystation.calls.idempotency import read_idempotency
from waystation.chat.noting import hits_noted, route_noted
from waystation.chat.service import ChatService
from waystation.identity.incoming import Incoming
from waystation.wire.answers import Answer, EventStream, JsonAnswer
from waystation.wire.chat_request import parse_chat_request
from waystation.wire.events import Delta, Failed, StreamEvent, UsageReport
from waystation.wire.openai_chunks import ChunkEncoder
from waystation.wire.sse import DONE, encode_event

_ROUTE = "/v1/chat/completions"


class ChatRuntime(Protocol):
    @property
    def chat(self) -> ChatService: ...


def chat_completions(
    get_runtime: Callable[[], ChatRuntime],
) -> Callable[[Incoming], Awaitable[Answer]]:
    """Return the handler of a chat.

    It raises GatewayError; a stream that has begun tells its errors itself.
    """

    async def handle(incoming: Incoming) -> Answer:
        return await _chat(get_runtime().chat, incoming)

    return handle


async def _chat(service: ChatService, incoming: Incoming) -> Answer:
    request = parse_chat_request(incoming.body)
    idempotency = read_idempotency(incoming, _ROUTE)
    chat, on_settled = await route_noted(service, incoming, request, idempotency)
    call = chat.call
    if not request.stream:
        with hits_noted(incoming):
            completion = await service.complete(chat, on_settled)
        return JsonAnswer({"created": call.created_at_ms // 1000, **completion.body})
    batches = service.stream(chat, on_settled)
    with hits_noted(incoming):
        first = await anext(batches)
    return EventStream(_encoded(call, first, batches))


async def _encoded(
    call: Call, first: list[StreamEvent], rest: AsyncGenerator[list[StreamEvent], None]
) -> AsyncGenerator[bytes, None]:
    encoder = ChunkEncoder(
        id=f"chatcmpl-{call.request_id}", model=call.model, created=call.created_at_ms // 1000
    )
    async with aclosing(rest):
        yield _encode_batch(first, encoder, call)
        async for batch in rest:
            yield _encode_batch(batch, encoder, call)


def _encode_batch(batch: list[StreamEvent], encoder: ChunkEncoder, call: Call) -> bytes:
    return b"".join([_encode(event, encoder, call) for event in batch])


def _encode(event: StreamEvent, encoder: ChunkEncoder, call: Call) -> bytes:
    match event:
        case Delta():
            return encoder.delta(event)
        case UsageReport():
            return encoder.usage(event) if call.request.wants_usage else b""
        case Failed():
            return encode_event(event.error.to_envelope())
        case _:
            return DONE
