"""Writes records, each exactly once."""

import asyncio
import json
import logging
from typing import Protocol

from waystation.aws.table import Table, TableError
from waystation.ledger.records import LedgerRecord

SETTLE_S = 2.5  # less than what is kept of a function's time for it

_log = logging.getLogger("waystation.ledger")


class Ledger(Protocol):
    async def settle(self, record: LedgerRecord) -> None:
        """Make the record durable. Never raises: an answer that was given is not spoiled."""


class TableLedger:
    """The ledger in the table.

    A record the table does not take in time is written whole to the log,
    as `ledger_settle_unwritten`, from where it can be put back.
    """

    def __init__(self, table: Table, *, settle_s: float = SETTLE_S) -> None:
        self._table = table
        self._settle_s = settle_s

    async def settle(self, record: LedgerRecord) -> None:
        item = record.to_item()
        try:
            async with asyncio.timeout(self._settle_s):
                await self._table.put_new(item)  # False: an earlier try of ours did arrive
        except (TableError, TimeoutError) as error:
            told = {"record": json.dumps(item), "cause": str(error) or "timeout"}
            _log.error("ledger_settle_unwritten", extra=told)
