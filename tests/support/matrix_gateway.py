"""A gateway whose every part may fail: its upstreams, its table, its queue, its time."""

import asyncio
import itertools
import time
from pathlib import Path
from typing import Literal

from tests.support.faulty_table import Fault
from tests.support.lambda_gateway import build_config
from tests.support.ledgers import InMemoryQueue
from tests.support.served_gateway import FailingTable, ServedGateway, free_port
from waystation.aws.table import Put, Refusal, TableBusyError, TableUnsureError, Write
from waystation.ledger.balances import BalanceRules, start_writes
from waystation.ledger.ledger import TableLedger
from waystation.upkeep.sweeping import Sweep, Sweeper
from waystation_cli.replaying import find_messages

API_KEY = "canary-key-of-acme-5b1f7a3c"
GRANTED = 1_000_000_000  # nUSD
SWEPT_AFTER_S = 3600.0

Phase = Literal["open", "settle"]


def matrix_config(acme: dict[str, object], *others: dict[str, object], reserves: bool) -> str:
    """Return a librechat.yaml with an entry for each dialect, and some that cannot be reached."""
    rates = {"prompt": 2, "completion": 6, "context": 128000}
    elsewhere = {
        "Refusing": f"http://127.0.0.1:{free_port()}/v1",
        "Nowhere": "http://upstream.test/v1",
        "Encrypted": str(acme["baseURL"]).replace("http:", "https:"),
    }
    entries = [
        acme | {"tokenConfig": {"acme-large": rates}},
        acme
        | {
            "name": "Claude",
            "provider": "anthropic",
            "models": {"default": ["claude-sonnet-4-5"]},
            "tokenConfig": {"claude-sonnet-4-5": rates},
        },
        acme | {"name": "Responding", "addParams": {"useResponsesApi": True}},
        *(acme | {"name": name, "baseURL": url} for name, url in elsewhere.items()),
    ]
    balance = {"enabled": reserves, "startBalance": GRANTED // 1000}
    return build_config(*entries, *others, balance=balance)


class MatrixTable(FailingTable):
    """A table whose transactions fail as told, those that open and those that end a record."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[Phase, list[Fault]] = {"open": [], "settle": []}
        self.tries: dict[Phase, int] = {"open": 0, "settle": 0}
        self.always: dict[Phase, Fault] = {}

    def heal(self) -> None:
        """Fail no more."""
        self.is_down = False
        self.faults, self.tries = {"open": [], "settle": []}, {"open": 0, "settle": 0}
        self.always = {}

    async def transact(self, *writes: Write) -> Refusal | None:
        first = writes[0]
        if not (isinstance(first, Put) and str(first.item["SK"]).startswith("REQ#")):
            return await super().transact(*writes)
        await asyncio.sleep(0)  # others may be between this and what was read before
        phase: Phase = "open" if first.item["state"] == "RESERVED" else "settle"
        self.tries[phase] += 1
        faults = self.faults[phase]
        fault = faults.pop(0) if faults else self.always.get(phase)
        if fault is Fault.BUSY:
            raise TableBusyError("busy")
        if fault is Fault.UNSURE_BEFORE:
            raise TableUnsureError("unsure")
        self.is_down = self.is_down or fault is Fault.DOWN
        done = await super().transact(*writes)
        if fault is Fault.UNSURE_AFTER:
            raise TableUnsureError("unsure")
        return done


class MatrixGateway(ServedGateway):
    """A gateway that reserves each request, with a balance and a key, or opens it beside."""

    table: MatrixTable

    def __init__(self, config: str, directory: Path, *, reserves: bool) -> None:
        super().__init__(config, directory, ACME_KEY=API_KEY)
        self.table = MatrixTable()
        self.outbox = self.queue = InMemoryQueue()
        self.reserves = reserves
        self._numbers = itertools.count()

    def heal(self) -> None:
        """Forget what a test has broken."""
        self.table.heal()
        self.queue.messages.clear()
        self.queue.is_down = False
        self.remaining_ms = None
        self.log.clear()

    def redrive(self) -> None:
        """Deliver each message of the queue, twice, as queues may."""
        for message in [*self.queue.messages] * 2:
            self.run(self._ledger().apply(message))

    def replay(self) -> None:
        """Put back what is in the log alone."""
        for message in list(find_messages(self.log.text)):
            self.run(self._ledger().apply(message))

    def sweep(self, after_s: float = SWEPT_AFTER_S) -> Sweep:
        """Sweep as if so much time had passed."""

        def later_ms() -> int:
            return round((time.time() + after_s) * 1000)

        async def sweep() -> Sweep:
            sweeper = Sweeper(self.table, TableLedger(self.table, None, later_ms), later_ms)
            return await sweeper.sweep(asyncio.get_running_loop().time() + 5)

        return self.run(sweep())

    def _ledger(self) -> TableLedger:
        return TableLedger(self.table, None, lambda: round(time.time() * 1000))

    def add_user(self) -> tuple[str, str]:
        """Make a user, with a balance where there are balances; return its id and its key.

        The key is known from here on, so that the table may fail.
        """
        user_id = f"user-{next(self._numbers)}"
        key = f"canary-key-of-{user_id}"
        self.add_key(key, user_id)
        if self.reserves:
            self.run(self.table.transact(*start_writes(user_id, BalanceRules(GRANTED), 1)))
        self.client.get("/v1/models", headers={"authorization": f"Bearer {key}"})
        return user_id, key
