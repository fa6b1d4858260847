"""Applies the messages of the outbox: records that the table did not take when they were due.

What cannot be applied stays in the queue, which delivers it again, and in the end moves it to the
dead letters. Nothing is lost here, and nothing of a message is logged.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from waystation.aws.table import TableError

_log = logging.getLogger("waystation.upkeep")


class Applies(Protocol):
    async def apply(self, message: str) -> None:
        """Do what a message says, once. Raises TableError, OutboxMessageError."""


class OutboxReader:
    """Reads batches of SQS."""

    def __init__(self, ledger: Applies) -> None:
        self._ledger = ledger

    async def read(self, messages: Sequence[Mapping[str, object]], ends_at: float) -> list[str]:
        """Apply messages of SQS one after another; return the ids of those to be delivered again.

        They are all that are left at `ends_at` on the event loop's clock. The outcome is logged as
        `outbox_read`.
        """
        failed = [
            str(message["messageId"])
            for message in messages
            if not await self._is_applied(message, ends_at)
        ]
        applied = len(messages) - len(failed)
        _log.info("outbox_read", extra={"outbox_applied": applied, "outbox_failures": len(failed)})
        return failed

    async def _is_applied(self, message: Mapping[str, object], ends_at: float) -> bool:
        if asyncio.get_running_loop().time() >= ends_at:
            return False
        try:
            await self._ledger.apply(str(message["body"]))
        except TableError as error:
            _log.warning("outbox_message_waits", extra=_told(message, str(error)))
            return False
        except Exception as error:  # whatever is wrong with one must not keep the others
            _log.error("outbox_message_refused", extra=_told(message, type(error).__name__))
            return False
        return True


def _told(message: Mapping[str, object], cause: str) -> dict[str, object]:
    return {"message_id": message["messageId"], "cause": cause}
