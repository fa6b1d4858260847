"""A call that asks for an answer by a schema, and for less where that is refused."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.support.calls import COST, build_call, build_calls, completion, json_answer, priced_entry
from tests.support.fakes import InMemoryLedger, Reply, ScriptedEgress
from tests.support.titles import refuses
from waystation.calls.call import Call
from waystation.errors import UpstreamError

FORMAT = {"type": "json_schema", "json_schema": {"name": "extract", "schema": {}}}
REFUSED = "response_format is not supported"


def schema_call(**changes: Any) -> Call:
    """Return a call by a schema, whose plainer request says so in `plain`."""
    call = replace(build_call(params={"response_format": FORMAT}), kind="title", **changes)
    plainer = replace(call.request, params={"plain": True})
    return replace(call, plainer=plainer)


class Upstream:
    """Calls over one scripted upstream, and what came of them."""

    def __init__(self, *script: Reply | Exception) -> None:
        self.egress, self.ledger = ScriptedEgress(*script), InMemoryLedger()
        self.calls = build_calls(self.egress, self.ledger)

    async def ask(self, **changes: Any) -> None:
        await self.calls.complete(schema_call(**changes), lambda _: None)

    @property
    def asked(self) -> list[str]:
        """How each request asked: by `schema`, or `plain`."""
        return ["schema" if b"response_format" in r.body else "plain" for r in self.egress.sent]


def answers(count: int = 1) -> list[Reply]:
    return [json_answer(completion()) for _ in range(count)]


async def test_schema_that_is_taken_is_asked_for_once():
    upstream = Upstream(*answers())
    await upstream.ask()
    assert upstream.asked == ["schema"]


async def test_schema_that_is_refused_is_left_out_at_once_and_from_then_on():
    upstream = Upstream(refuses(REFUSED), *answers(2))
    await upstream.ask()
    assert upstream.asked == ["schema", "plain"]
    await upstream.ask()
    assert upstream.asked == ["schema", "plain", "plain"]


async def test_both_requests_are_one_record():
    upstream = Upstream(refuses(REFUSED), *answers())
    await upstream.ask()
    (record,) = upstream.ledger.records
    assert (record.kind, record.state, record.cost_nanousd) == ("title", "SETTLED", COST)
    assert record.error_code is None


@pytest.mark.parametrize(
    "change",
    [
        {"model": "another"},
        {"endpoint": priced_entry(name="Beta")},
        {"config_version": "v2"},
    ],
    ids=["model", "endpoint", "configuration"],
)
async def test_others_are_still_asked_by_the_schema(change: dict[str, Any]):
    upstream = Upstream(refuses(REFUSED), *answers(2))
    await upstream.ask()
    await upstream.ask(**change)
    assert upstream.asked == ["schema", "plain", "schema"]


REFUSALS = {
    "another fault": [refuses("max_tokens is too large")],
    "another status": [refuses(REFUSED, 404)],
    "the plain request too": [refuses(REFUSED), refuses(REFUSED)],
}


@pytest.mark.parametrize("script", REFUSALS.values(), ids=REFUSALS)
async def test_other_refusals_are_told_and_cost_nothing(script: list[Reply]):
    upstream = Upstream(*script)
    with pytest.raises(UpstreamError):
        await upstream.ask()
    assert len(upstream.egress.sent) == len(script)
    (record,) = upstream.ledger.records
    assert (record.state, record.cost_nanousd) == ("RELEASED", 0)


async def test_call_without_a_plainer_request_is_refused_as_it_is():
    upstream = Upstream(refuses(REFUSED))
    call = replace(schema_call(), plainer=None)
    with pytest.raises(UpstreamError):
        await upstream.calls.complete(call, lambda _: None)
    assert upstream.asked == ["schema"]


async def test_calls_at_once_each_find_out():
    upstream = Upstream(refuses(REFUSED), refuses(REFUSED), *answers(2))
    await asyncio.gather(upstream.ask(), upstream.ask())
    assert upstream.asked == ["schema", "schema", "plain", "plain"]
    assert len(upstream.ledger.records) == 2
