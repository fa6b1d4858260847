"""Keeps what the one log line of a chat tells: what was asked for, and what came of it."""

from waystation.calls.call import Call
from waystation.calls.metered import OnSettled
from waystation.chat.service import ChatService
from waystation.identity.incoming import Incoming
from waystation.ledger.records import LedgerRecord, bounded
from waystation.wire.chat_request import ChatRequest


async def route_noted(
    service: ChatService, incoming: Incoming, request: ChatRequest
) -> tuple[Call, OnSettled]:
    """Route a chat; return the call, and what notes its record when it is settled.

    Raises GatewayError.
    """
    incoming.notes.update(model=bounded(request.model), stream=request.stream)
    call = await service.route(incoming, request)
    incoming.notes.update(endpoint=call.endpoint.name, model=bounded(call.model))

    def on_settled(record: LedgerRecord) -> None:
        incoming.notes.update(_notes(record))

    return call, on_settled


def _notes(record: LedgerRecord) -> dict[str, object]:
    usage = record.usage
    return {
        "upstream_model": bounded(record.model),
        "error_code": record.error_code,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cache_read_tokens": usage.cache_read_tokens if usage else None,
        "cache_write_tokens": usage.cache_write_tokens if usage else None,
        "usage_source": usage.source if usage else None,
        "cost_nanousd": record.cost_nanousd,
    }
