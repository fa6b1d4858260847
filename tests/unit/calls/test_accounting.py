"""The record of a call: when it is opened and ended, and what is held for it."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.calls import (
    COST,
    DONE,
    build_call,
    build_calls,
    chunk,
    completion,
    json_answer,
    priced_entry,
    stream_answer,
    usage_chunk,
)
from tests.support.fakes import (
    Hang,
    InMemoryLedger,
    Reply,
    ScriptedEgress,
    StaticSecrets,
    StaticUserKeys,
)
from tests.support.ledgers import balance_of, ledger_over, put_balance, record_of
from tests.support.logs import kept_lines
from waystation.aws.table import TableError
from waystation.calls.accounting import GRACE_MS
from waystation.calls.metered import MeteredCalls
from waystation.config.schema_balance import BalanceSettings
from waystation.credentials.own import OwnCredentials
from waystation.errors import LedgerUnavailableError, UpstreamFailedError
from waystation.ledger.balances import BalanceRules
from waystation.ledger.errors import InsufficientBalanceError, ModelNotPricedError
from waystation.ledger.intervals import Interval
from waystation.ledger.records import Idempotency, LedgerRecord, Opening
from waystation_cli.local.memory_table import InMemoryTable

BALANCE = BalanceSettings(enabled=True, start_balance=1000)
KEY = Idempotency("IDM#k", "body")
OWN = OwnCredentials("key-of-alice-1234567", "https://llm.user.test/v1")
NOW_MS = 1_780_000_001_000


def nothing(_record: LedgerRecord) -> None:
    return None


class GatedLedger(InMemoryLedger):
    """A ledger that opens, and settles, only when told to; and remembers whether by reserving."""

    def __init__(self) -> None:
        super().__init__()
        self.may_open = asyncio.Event()
        self.may_settle = asyncio.Event()
        self.reserved: list[tuple[Opening, BalanceRules | None]] = []

    async def open(self, opening: Opening) -> None:
        await self.may_open.wait()
        await super().open(opening)

    async def reserve(self, opening: Opening, balance: BalanceRules | None) -> None:
        self.reserved.append((opening, balance))
        await super().reserve(opening, balance)

    async def settle(self, record: LedgerRecord) -> None:
        await self.may_settle.wait()
        await super().settle(record)


async def turns(count: int = 30) -> None:
    """Let everything go on that can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_record_is_opened_beside_the_upstream_and_before_the_first_byte():
    ledger = GatedLedger()
    egress = ScriptedEgress(stream_answer(chunk("Hi"), usage_chunk(), DONE))
    batches = build_calls(egress, ledger).stream(build_call(is_stream=True), nothing)
    first = asyncio.ensure_future(anext(batches))
    await turns()
    assert (len(egress.sent), ledger.openings, first.done()) == (1, [], False)
    ledger.may_open.set()
    await first
    assert len(ledger.openings) == 1
    ledger.may_settle.set()
    await batches.aclose()


async def test_whole_answer_waits_for_its_opening_and_its_end():
    ledger = GatedLedger()
    egress = ScriptedEgress(json_answer(completion()))
    answer = asyncio.ensure_future(build_calls(egress, ledger).complete(build_call(), nothing))
    await turns()
    assert (len(egress.sent), ledger.records, answer.done()) == (1, [], False)
    ledger.may_open.set()
    await turns()
    assert (len(ledger.openings), answer.done()) == (1, False)
    ledger.may_settle.set()
    await answer
    assert len(ledger.records) == 1


async def test_opening_tells_what_is_known_before_the_answer():
    ledger = InMemoryLedger()
    call = build_call(seconds=30)
    await build_calls(ScriptedEgress(json_answer(completion())), ledger).complete(call, nothing)
    (opening,) = ledger.openings
    late = opening.expires_at_ms - NOW_MS - GRACE_MS
    assert 29_000 < late <= 30_000
    assert replace(opening, expires_at_ms=0) == Opening(
        request_id=call.request_id,
        user_id="alice",
        key_id="k1",
        endpoint="Acme",
        model="acme-large",
        kind="chat",
        config_version="v1",
        created_at_ms=call.created_at_ms,
        expires_at_ms=0,
        estimated_input_tokens=2,
        rates=ledger.records[0].rates,
        conversation_id="c1",
    )
    assert ledger.records[0].cost_nanousd == COST


@pytest.mark.parametrize("is_stream", [False, True])
async def test_call_that_is_cancelled_again_and_again_is_settled(is_stream: bool):
    ledger = GatedLedger()
    ledger.may_open.set()
    egress = ScriptedEgress(Reply(200, {"content-type": "application/json"}, [Hang()]))
    calls, call = build_calls(egress, ledger), build_call(is_stream=is_stream)
    asked = anext(calls.stream(call, nothing)) if is_stream else calls.complete(call, nothing)
    task = asyncio.ensure_future(asked)
    for _ in range(3):
        await turns()
        task.cancel()
    await turns()
    assert not task.done()
    ledger.may_settle.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [record.state for record in ledger.records] == ["SETTLED"]


async def test_balance_is_held_before_the_upstream_is_asked():
    ledger = GatedLedger()
    ledger.may_settle.set()
    egress = ScriptedEgress(json_answer(completion()))
    settings = BalanceSettings(True, 1.5, True, 2, "weeks", 7)
    call = replace(build_call(params={"max_tokens": 100}), balance=settings)
    await build_calls(egress, ledger).complete(call, nothing)
    ((opening, rules),) = ledger.reserved
    assert rules == BalanceRules(1500, 7000, Interval(2, "weeks"))
    assert opening.draws
    assert 100 * 2000 < opening.hold_nanousd < 100 * 2000 + 200 * 1000
    (record,) = ledger.records
    assert (record.draws, record.hold_nanousd) == (True, opening.hold_nanousd)


@pytest.mark.parametrize("is_stream", [False, True])
async def test_no_balance_no_upstream(is_stream: bool):
    table, egress = InMemoryTable(), ScriptedEgress()
    seen: list[object] = []
    await put_balance(table, 5)
    calls = build_calls(egress, ledger_over(table))
    call = replace(build_call(is_stream=is_stream), balance=BALANCE)
    given = (call, seen.append, lambda: seen.append("accepted"))
    asked = anext(calls.stream(*given)) if is_stream else calls.complete(*given)
    with pytest.raises(InsufficientBalanceError):
        await asked
    assert (egress.sent, seen) == ([], [])
    assert await table.query("U#alice", "REQ#") == []


async def test_model_without_a_price_cannot_draw():
    egress = ScriptedEgress()
    call = replace(build_call(entry=priced_entry(tokenConfig={})), balance=BALANCE)
    with pytest.raises(ModelNotPricedError):
        await build_calls(egress, InMemoryLedger()).complete(call, nothing)
    assert egress.sent == []


async def test_users_own_key_draws_only_where_that_is_wanted():
    call = replace(build_call(entry=priced_entry(apiKey="user_provided")), balance=BALANCE)
    for draws in (False, True):
        ledger = GatedLedger()
        ledger.may_open.set()
        ledger.may_settle.set()
        egress = ScriptedEgress(json_answer(completion()))
        calls = MeteredCalls(
            egress=egress,
            secrets=StaticSecrets(),
            user_keys=StaticUserKeys(OWN),
            ledger=ledger,
            now_ms=lambda: NOW_MS,
            own_keys_draw=draws,
        )
        await calls.complete(call, nothing)
        assert len(ledger.reserved) == draws
        assert (ledger.records[0].draws, ledger.records[0].cost_nanousd) == (draws, COST)


async def test_keyed_request_reserves_without_a_hold():
    ledger = GatedLedger()
    ledger.may_settle.set()
    egress = ScriptedEgress(json_answer(completion()))
    await build_calls(egress, ledger).complete(replace(build_call(), idempotency=KEY), nothing)
    ((opening, rules),) = ledger.reserved
    assert (opening.idempotency, opening.draws, opening.hold_nanousd, rules) == (
        KEY,
        False,
        0,
        None,
    )
    assert ledger.records[0].idempotency == KEY


async def test_upstream_that_fails_gives_the_hold_back():
    table, egress = InMemoryTable(), ScriptedEgress(json_answer({"error": "x"}, 500))
    call = replace(build_call(), balance=replace(BALANCE, start_balance=100_000))
    with pytest.raises(UpstreamFailedError):
        await build_calls(egress, ledger_over(table)).complete(call, nothing)
    assert await balance_of(table) == (100_000_000, 0, 0, 0)
    assert (await record_of(table))["state"] == "RELEASED"


async def test_what_goes_wrong_once_a_call_is_accepted_gives_the_hold_back():
    def fail() -> None:
        raise LedgerUnavailableError("no")

    table, egress = InMemoryTable(), ScriptedEgress()
    call = replace(build_call(), balance=replace(BALANCE, start_balance=100_000))
    with pytest.raises(LedgerUnavailableError):
        await build_calls(egress, ledger_over(table)).complete(call, nothing, fail)
    assert await balance_of(table) == (100_000_000, 0, 0, 0)


@pytest.mark.parametrize("change", [{"balance": BALANCE}, {"idempotency": KEY}])
async def test_table_that_is_down_is_told_where_it_must_not_be(change: dict[str, object]):
    class Down(InMemoryTable):
        async def transact(self, *writes):
            raise TableError("down")

    egress = ScriptedEgress(json_answer(completion()))
    calls = build_calls(egress, ledger_over(Down()))
    with pytest.raises(LedgerUnavailableError):
        await calls.complete(replace(build_call(), **change), nothing)  # type: ignore[arg-type]
    assert egress.sent == []
    await calls.complete(build_call(), nothing)  # and goes on where it may


async def test_estimated_usage_is_told_in_the_log():
    calls = build_calls(ScriptedEgress(json_answer(completion(usage=None))), InMemoryLedger())
    with kept_lines("waystation.calls") as lines:
        await calls.complete(build_call(), nothing)
    assert [line.getMessage() for line in lines] == ["usage_missing"]


async def test_call_is_accepted_once_and_after_its_record():
    seen: list[str] = []

    class Telling(InMemoryLedger):
        async def reserve(self, opening: Opening, balance: BalanceRules | None) -> None:
            seen.append("reserved")

    egress = ScriptedEgress(json_answer(completion()))
    call = replace(build_call(), idempotency=KEY)
    await build_calls(egress, Telling()).complete(call, nothing, lambda: seen.append("accepted"))
    assert seen == ["reserved", "accepted"]
