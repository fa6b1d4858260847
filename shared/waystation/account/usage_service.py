"""What a caller may see of usage and balances: their own, and all of it with the admin role."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from waystation.account.usage_query import UsageQuery
from waystation.aws.table import Table, TableError
from waystation.config.schema_balance import BalanceSettings
from waystation.config.schema_currency import Currency
from waystation.config.snapshot import SnapshotSource
from waystation.errors import InvalidBodyError, LedgerUnavailableError, NotFoundError
from waystation.identity.user import Caller
from waystation.ledger.balances import Balance, read_balance
from waystation.ledger.usage_queries import TooMuchUsageError, UsageQueries
from waystation.ledger.usage_sums import Portion, Row, sum_up, total_of

MAX_RECORDS = 10_000
MAX_AGGREGATES = 50_000


@dataclass(frozen=True, slots=True)
class UsageReport:
    """All rows, their sum, and what amounts are shown in beside USD."""

    rows: Sequence[Row]
    total: Row
    currency: Currency | None


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """A balance, its rules (None where none is enforced), and what it is shown in beside USD."""

    balance: Balance
    settings: BalanceSettings | None
    currency: Currency | None


class UsageService:
    """Reads the ledger. Whose it is, the caller's identity alone says."""

    def __init__(self, *, config: SnapshotSource, table: Table) -> None:
        self._config = config
        self._table = table
        self._queries = UsageQueries(table)

    async def usage(self, caller: Caller, query: UsageQuery, ends_at: float) -> UsageReport:
        """Return the rows that are asked for.

        `ends_at` is on the event loop's clock.

        Raises NotFoundError for another's data, InvalidBodyError for what only the admin role may
        ask and for too much at once, LedgerUnavailableError, ConfigUnavailableError.
        """
        user_id = _whose(caller, query.user)
        if "user" in query.group_by and not caller.is_admin:
            raise InvalidBodyError("group_by=user takes the admin role.", param="group_by")
        currency = (await self._config.snapshot()).currency
        async with _bounded(ends_at):
            rows = sum_up(await self._portions(user_id, query), query.group_by)
        return UsageReport(rows, total_of(rows), currency)

    async def balance(self, caller: Caller, user: str | None) -> BalanceReport:
        """Return the balance of the caller, or with the admin role of whom they name.

        Raises NotFoundError for another's, LedgerUnavailableError, ConfigUnavailableError.
        """
        user_id = _whose(caller, user or caller.user.id) or caller.user.id
        snapshot = await self._config.snapshot()
        try:
            balance = await read_balance(self._table, user_id)
        except TableError as error:
            raise LedgerUnavailableError("The ledger cannot be read.") from error
        return BalanceReport(balance, snapshot.balance, snapshot.currency)

    async def _portions(self, user_id: str | None, query: UsageQuery) -> list[Portion]:
        if query.is_of_records:
            if user_id is None:
                raise InvalidBodyError("conversations need user=: one at a time.", param="user")
            return await self._queries.records_of(
                user_id, query.span, query.only, limit=MAX_RECORDS
            )
        if user_id is None:
            return await self._queries.everybodys_aggregates(
                query.span, query.only, limit=MAX_AGGREGATES
            )
        return await self._queries.aggregates_of(
            user_id, query.span, query.only, limit=MAX_AGGREGATES
        )


def _whose(caller: Caller, user: str | None) -> str | None:
    """Return whose data is asked for; None is everybody's. Raises NotFoundError."""
    if caller.is_admin:
        return user
    if user not in (None, caller.user.id):
        raise NotFoundError("There is no such user.")
    return caller.user.id


@asynccontextmanager
async def _bounded(ends_at: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(ends_at):
            yield
    except (TooMuchUsageError, TimeoutError) as error:
        raise InvalidBodyError(
            "This is too much at once: narrow from and to, or name a user, endpoint or model.",
            param="from",
        ) from error
    except TableError as error:
        raise LedgerUnavailableError("The ledger cannot be read.") from error
