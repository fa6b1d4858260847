"""What users may spend, in integer nano-USD.

    U#<user id> / BAL                `granted` = `avail` + `held` + `spent`
    U#<user id> / ADJ#<grant id>     why `granted` is what it is

`held` is the sum of the holds of open records, `inflight` their number. Everybody gets the start
balance once, with the first request; an automatic refill comes when a request finds too little.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from waystation.aws.table import IS_NEW, Item, Put, Table, Update, When, Write
from waystation.ledger.intervals import Interval
from waystation.ledger.records import bounded
from waystation.ledger.retries import Patient, random_pause
from waystation.ledger.settling import BALANCE_SK
from waystation.wire.key_parts import encode_part
from waystation.wire.moments import write_moment

GRANT_S = 2.0
MAX_INFLIGHT = 20
MAX_GRANT_NANOUSD = 10**15  # a million USD

DEFAULT_INTERVAL = Interval(30, "days")

GrantResult = Literal["granted", "known"]

_START = "start"
_REFILL = "refill-"


class GrantError(ValueError):
    """A grant that cannot be: its amount, or its id; the text says which."""


@dataclass(frozen=True, slots=True)
class BalanceRules:
    """What a user may spend: at the start, and again when so much time has passed since."""

    start_nanousd: int
    refill_nanousd: int | None = None
    refill_every: Interval = DEFAULT_INTERVAL
    max_inflight: int = MAX_INFLIGHT


@dataclass(frozen=True, slots=True)
class Balance:
    """A user's balance; `started` tells whether the start balance was granted."""

    avail: int = 0
    held: int = 0
    spent: int = 0
    granted: int = 0
    inflight: int = 0
    started: bool = False
    last_refill_ms: int | None = None


def parse_balance(item: Item | None) -> Balance:
    """Return a balance as the table has it."""
    if item is None:
        return Balance()
    return Balance(
        avail=_whole(item, "avail"),
        held=_whole(item, "held"),
        spent=_whole(item, "spent"),
        granted=_whole(item, "granted"),
        inflight=_whole(item, "inflight"),
        started=item.get("started") is True,
        last_refill_ms=cast("int | None", item.get("last_refill")),
    )


async def read_balance(table: Table, user_id: str) -> Balance:
    """Return a user's balance, all zero if there is none. Raises TableError."""
    return parse_balance(await table.get(_pk(user_id), BALANCE_SK))


async def grant(
    table: Table,
    user_id: str,
    amount_nanousd: int,
    *,
    grant_id: str,
    actor: str,
    reason: str,
    now_ms: int,
) -> GrantResult:
    """Give a user an amount, or take it, once for each id; `known` if it was given before.

    Raises GrantError for an amount or id that cannot be, and for an id that was used for another
    amount; TableError.
    """
    if type(amount_nanousd) is not int or not 0 < abs(amount_nanousd) <= MAX_GRANT_NANOUSD:
        raise GrantError(f"an amount is a whole number of nano-USD up to {MAX_GRANT_NANOUSD}")
    if not grant_id or grant_id == _START or grant_id.startswith(_REFILL):
        raise GrantError(f"the id is empty, or one of the gateway's own: {_START}, {_REFILL}…")
    adjustment = _adjustment(
        user_id, amount_nanousd, grant_id, actor=actor, reason=reason, now_ms=now_ms
    )
    change = Update(
        _pk(user_id),
        BALANCE_SK,
        set={"user_id": bounded(user_id)},
        add={"avail": amount_nanousd, "granted": amount_nanousd},
    )
    unsure = asyncio.Event()  # set where a try that was not answered may have done it
    refusal = await Patient(table, random_pause).transact(
        [Put(adjustment, IS_NEW), change],
        ends_at=asyncio.get_running_loop().time() + GRANT_S,
        on_unsure=unsure.set,
    )
    if refusal is None or refusal[0] is None:
        return "granted"
    found = refusal[0].item or {}
    if found.get("amount") != amount_nanousd:
        raise GrantError("this id was used for another amount")
    return "granted" if unsure.is_set() and found == adjustment else "known"


def start_writes(user_id: str, rules: BalanceRules, now_ms: int) -> Sequence[Write]:
    """Return what grants the start balance, once."""
    amount = rules.start_nanousd
    change = Update(
        _pk(user_id),
        BALANCE_SK,
        set={"user_id": bounded(user_id), "started": True, "last_refill": now_ms},
        add={"avail": amount, "granted": amount, "held": 0, "spent": 0, "inflight": 0},
        when=When(lacks=("started",), or_new=True),
    )
    told = _own(user_id, amount, _START, "start balance", now_ms)
    return [Put(told, IS_NEW), change]


def refill_writes(
    user_id: str, balance: Balance, rules: BalanceRules, now_ms: int
) -> Sequence[Write] | None:
    """Return what refills a balance, None if it is not time, or there is no refill.

    Of several that do it at once, one does.
    """
    last_ms, amount = balance.last_refill_ms, rules.refill_nanousd
    if not amount or last_ms is None or now_ms < rules.refill_every.after(last_ms):
        return None
    change = Update(
        _pk(user_id),
        BALANCE_SK,
        set={"last_refill": now_ms},
        add={"avail": amount, "granted": amount},
        when=When(equal={"last_refill": last_ms}),
    )
    refill_id = f"{_REFILL}{now_ms}"
    told = _own(user_id, amount, refill_id, "automatic refill", now_ms)
    return [Put(told, IS_NEW), change]


def hold_write(user_id: str, hold_nanousd: int, rules: BalanceRules) -> Update:
    """Return what sets a hold aside, if there is as much and not too much is under way."""
    return Update(
        _pk(user_id),
        BALANCE_SK,
        add={"avail": -hold_nanousd, "held": hold_nanousd, "inflight": 1},
        when=When(
            equal={"started": True},
            at_least={"avail": hold_nanousd},
            below={"inflight": rules.max_inflight},
        ),
    )


def _own(user_id: str, amount: int, grant_id: str, reason: str, now_ms: int) -> Item:
    return _adjustment(user_id, amount, grant_id, actor="gateway", reason=reason, now_ms=now_ms)


def _adjustment(
    user_id: str, amount: int, grant_id: str, *, actor: str, reason: str, now_ms: int
) -> dict[str, object]:
    return {
        "PK": _pk(user_id),
        "SK": f"ADJ#{encode_part(grant_id)}",
        "amount": amount,
        "actor": bounded(actor),
        "reason": bounded(reason),
        "created_at": write_moment(now_ms),
    }


def _pk(user_id: str) -> str:
    return f"U#{encode_part(user_id)}"


def _whole(item: Item, name: str) -> int:
    return cast("int", item.get(name, 0))
