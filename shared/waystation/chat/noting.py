"""Keeps what the one log line of a chat tells: what was asked for, and what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from waystation.calls.accounting import OnSettled
from waystation.calls.noting import listed_model, notes_of
from waystation.chat.service import Chat, ChatService
from waystation.identity.incoming import Incoming
from waystation.ledger.errors import IdempotencyCompletedError, IdempotencyInProgressError
from waystation.ledger.records import Idempotency, LedgerRecord, bounded
from waystation.wire.chat_request import ChatRequest


async def route_noted(
    service: ChatService,
    incoming: Incoming,
    request: ChatRequest,
    idempotency: Idempotency | None = None,
) -> tuple[Chat, OnSettled]:
    """Route a chat; return it, and what notes its record when it is settled.

    Raises GatewayError.
    """
    incoming.notes.update(model=bounded(request.model), stream=request.stream)
    chat = await service.route(incoming, request, idempotency)
    call = chat.call
    incoming.notes.update(
        endpoint=call.endpoint.name,
        model=bounded(call.model),
        listed_model=listed_model(call.endpoint, call.model),
    )

    def on_settled(record: LedgerRecord) -> None:
        incoming.notes.update(notes_of(record))

    return chat, on_settled


@contextmanager
def hits_noted(incoming: Incoming) -> Iterator[None]:
    """Note a request that is not made, because its idempotency key is in use."""
    try:
        yield
    except (IdempotencyCompletedError, IdempotencyInProgressError):
        incoming.notes["idempotent_hit"] = True
        raise
