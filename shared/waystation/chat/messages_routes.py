"""POST /v1/messages and /v1/messages/count_tokens: chats by Anthropic's API."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from waystation.calls.call import Call
from waystation.calls.idempotency import read_idempotency
from waystation.chat.noting import hits_noted, route_noted
from waystation.chat.routes import ChatRuntime
from waystation.chat.service import ChatService
from waystation.identity.incoming import Incoming
from waystation.wire.answers import Answer, EventStream, JsonAnswer
from waystation.wire.anthropic_answer import to_message
from waystation.wire.anthropic_chunks import MessageEncoder
from waystation.wire.anthropic_request import parse_messages_request
from waystation.wire.anthropic_usage import with_cost
from waystation.wire.events import Completion, StreamEvent

_ROUTE = "/v1/messages"


def create_message(
    get_runtime: Callable[[], ChatRuntime],
) -> Callable[[Incoming], Awaitable[Answer]]:
    """Return the handler of a message.

    It raises GatewayError; a stream that has begun tells its errors itself.
    """

    async def handle(incoming: Incoming) -> Answer:
        return await _create(get_runtime().chat, incoming)

    return handle


def count_message_tokens(
    get_runtime: Callable[[], ChatRuntime],
) -> Callable[[Incoming], Awaitable[Answer]]:
    """Return the handler that counts the tokens of a message. It raises GatewayError."""

    async def handle(incoming: Incoming) -> Answer:
        request = parse_messages_request(incoming.body, incoming.headers, is_answered=False)
        service = get_runtime().chat
        chat, _ = await route_noted(service, incoming, request)
        return JsonAnswer(await service.count_tokens(chat))

    return handle


async def _create(service: ChatService, incoming: Incoming) -> Answer:
    request = parse_messages_request(incoming.body, incoming.headers)
    idempotency = read_idempotency(incoming, _ROUTE)
    chat, on_settled = await route_noted(service, incoming, request, idempotency)
    if not request.stream:
        with hits_noted(incoming):
            completion = await service.complete(chat, on_settled)
        return JsonAnswer(_message(completion, chat.call))
    batches = service.stream(chat, on_settled)
    with hits_noted(incoming):
        first = await anext(batches)
    return EventStream(_encoded(chat.call, first, batches))


def _message(completion: Completion, call: Call) -> dict[str, object]:
    body = completion.body
    if completion.native_bytes is None:
        return to_message(completion, id=f"msg_{call.request_id}", model=call.model)
    usage = body["usage"]
    return {**body, "usage": with_cost(usage, usage)} if isinstance(usage, dict) else body


async def _encoded(
    call: Call, first: list[StreamEvent], rest: AsyncGenerator[list[StreamEvent], None]
) -> AsyncGenerator[bytes, None]:
    encoder = MessageEncoder(request_id=call.request_id, model=call.model)
    async with aclosing(rest):
        yield b"".join(map(encoder.encode, first))
        async for batch in rest:
            yield b"".join(map(encoder.encode, batch))
