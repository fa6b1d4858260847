"""The events of upkeep: a schedule's, and batches of messages from the outbox."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeAlias

from waystation.settings import log_level, metrics_namespace
from waystation.upkeep.outbox import OutboxReader
from waystation.upkeep.sweeping import Sweeper
from waystation.web.log import set_up_logging

KEPT_S = 10.0  # of a function's time: longer than one record or message takes

Handler: TypeAlias = Callable[[Any, Any], object]


class UpkeepFailedError(Exception):
    """Ends an invocation as failed. Lambda writes the text into the log, so it tells no more."""


class UpkeepRuntime(Protocol):
    @property
    def sweeper(self) -> Sweeper: ...
    @property
    def outbox(self) -> OutboxReader: ...


def handle_upkeep(get_runtime: Callable[[], UpkeepRuntime]) -> Handler:
    """Return a handler that sweeps when the schedule says so, and applies the outbox's messages.

    Of a batch it returns what SQS shall deliver again. It raises UpkeepFailedError where the table
    cannot be read, and for an event of any other kind.
    """
    set_up_logging(log_level(), tuple, metrics_namespace())

    def handler(event: Any, context: Any) -> object:
        loop = _loop()
        left_s = context.get_remaining_time_in_millis() / 1000 - KEPT_S
        ends_at = loop.time() + max(left_s, 0.0)
        return loop.run_until_complete(_handle(get_runtime(), event, ends_at))

    return handler


def _handle(
    runtime: UpkeepRuntime, event: Mapping[str, Any], ends_at: float
) -> Coroutine[Any, Any, object]:
    records = event.get("Records", [])
    if records and all(record.get("eventSource") == "aws:sqs" for record in records):
        return _read(runtime.outbox, records, ends_at)
    if event.get("source") == "aws.events":
        return _sweep(runtime.sweeper, ends_at)
    raise UpkeepFailedError("The event is neither a schedule's nor the outbox's.")


async def _sweep(sweeper: Sweeper, ends_at: float) -> None:
    if (await sweeper.sweep(ends_at)).unread:
        raise UpkeepFailedError("The table cannot be read: see the lines sweep_failed.")


async def _read(
    outbox: OutboxReader, records: list[Mapping[str, object]], ends_at: float
) -> dict[str, object]:
    failed = await outbox.read(records, ends_at)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _loop() -> asyncio.AbstractEventLoop:
    """Return the process's one event loop, made on first use."""
    try:
        return asyncio.get_event_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        return loop
