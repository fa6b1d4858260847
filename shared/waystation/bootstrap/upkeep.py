"""Makes what the upkeep function needs, which is the ledger and no configuration."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from waystation.ledger.ledger import TableLedger
from waystation.settings import load_settings, runs_on_lambda
from waystation.upkeep.outbox import OutboxReader
from waystation.upkeep.sweeping import Sweeper


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What the function keeps between its events."""

    sweeper: Sweeper
    outbox: OutboxReader


def start_upkeep() -> Callable[[], Upkeep]:
    """Return what makes the collaborators on first use; on Lambda they are made at once.

    Raises SettingsError on Lambda where the environment cannot be used.
    """
    get_upkeep = cache(_build)
    if runs_on_lambda():
        get_upkeep()
    return get_upkeep


def _build() -> Upkeep:
    from waystation.aws.clients import make_clients  # noqa: PLC0415 (boto3 only where AWS is)
    from waystation.aws.dynamo_table import DynamoTable  # noqa: PLC0415

    settings = load_settings()
    table = DynamoTable(make_clients().dynamodb, settings.table_name)
    ledger = TableLedger(table, None, _now_ms, policy=settings.sweep_policy)
    return Upkeep(Sweeper(table, ledger, _now_ms), OutboxReader(ledger))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
