"""Writes records, each exactly once."""

import json
import logging
from typing import Protocol

from waystation.aws.table import Table, TableError
from waystation.ledger.records import LedgerRecord

_log = logging.getLogger("waystation.ledger")


class Ledger(Protocol):
    async def settle(self, record: LedgerRecord) -> None:
        """Make the record durable. Never raises: an answer that was given is not spoiled."""


class TableLedger:
    """The ledger in the table.

    A record the table does not take, after the client's own retries, is written whole to the log,
    as `ledger_settle_unwritten`, from where it can be put back.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def settle(self, record: LedgerRecord) -> None:
        item = record.to_item()
        try:
            await self._table.put_new(item)  # False: an earlier try of ours did arrive
        except TableError as error:
            _log.error(
                "ledger_settle_unwritten", extra={"record": json.dumps(item), "cause": str(error)}
            )
