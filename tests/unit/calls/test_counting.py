"""Asking an upstream how many tokens a request would have."""

import json
from dataclasses import replace

import pytest

from tests.support.calls import SECRET, build_call, build_calls, json_answer, priced_entry
from tests.support.fakes import InMemoryLedger, Reply, ScriptedEgress
from waystation.calls.call import Call
from waystation.errors import (
    NotFoundError,
    UpstreamAuthFailedError,
    UpstreamInvalidResponseError,
    UpstreamRejectedError,
    UpstreamUnreachableError,
)
from waystation.wire.upstream_request import Reach

NATIVE: dict[str, object] = {"messages": [{"role": "user", "content": "12345678"}]}


def native_call() -> Call:
    call = build_call(entry=priced_entry(provider="anthropic"))
    return replace(call, request=replace(call.request, native=NATIVE))


async def count(*script: Reply | Exception) -> tuple[object, ScriptedEgress]:
    egress, ledger = ScriptedEgress(*script), InMemoryLedger()
    counted = await build_calls(egress, ledger).count_tokens(native_call())
    assert ledger.records == []
    return counted, egress


async def test_answer_is_the_upstreams():
    counted, egress = await count(json_answer({"input_tokens": 14, "new": 1}))
    assert counted == {"input_tokens": 14, "new": 1}
    (request,) = egress.sent
    assert request.url == "https://llm.acme.test/v1/messages/count_tokens"
    assert json.loads(request.body) == {"model": "acme-large", **NATIVE}
    assert dict(request.headers)["x-api-key"] == SECRET


async def test_upstream_may_have_the_addresses_that_the_operator_allows():
    call = replace(native_call(), allowed_addresses=frozenset({"llm.test:8080"}))
    egress = ScriptedEgress(json_answer({"input_tokens": 14}))
    await build_calls(egress, InMemoryLedger()).count_tokens(call)
    assert egress.sent[0].reach == Reach(allowed=frozenset({"llm.test:8080"}))


REFUSALS = {
    "a refusal": (json_answer({"error": {"message": f"No {SECRET}"}}, 400), UpstreamRejectedError),
    "a key": (json_answer({}, 401), UpstreamAuthFailedError),
    "no JSON": (Reply(200, {}, [b"<p>"]), UpstreamInvalidResponseError),
    "no object": (json_answer([]), UpstreamInvalidResponseError),
    "no count": (json_answer({"input_tokens": "14"}), UpstreamInvalidResponseError),
    "no connection": (UpstreamUnreachableError("x"), UpstreamUnreachableError),
}


@pytest.mark.parametrize(("reply", "raised"), REFUSALS.values(), ids=REFUSALS)
async def test_what_is_no_count_is_an_error(reply, raised):
    with pytest.raises(raised) as caught:
        await count(reply)
    assert SECRET not in caught.value.message


async def test_other_apis_do_not_count():
    call = build_call()
    call = replace(call, request=replace(call.request, native=NATIVE))
    with pytest.raises(NotFoundError, match="'Acme' does not count tokens"):
        await build_calls(ScriptedEgress(), InMemoryLedger()).count_tokens(call)
