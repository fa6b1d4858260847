"""One metered call, answered whole."""

import asyncio
import json
from dataclasses import replace

import pytest

from tests.support.calls import (
    COST,
    RAW_USAGE,
    SECRET,
    build_call,
    build_calls,
    completion,
    json_answer,
    priced_entry,
)
from tests.support.config_entries import build_entry, token_config
from tests.support.fakes import Hang, InMemoryLedger, Reply, ScriptedEgress
from waystation.errors import (
    EndpointMisconfiguredError,
    GatewayError,
    InvalidBaseUrlError,
    ResponseTooLargeError,
    UpstreamAuthFailedError,
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from waystation.ledger.pricing import rates_of
from waystation.ledger.records import LedgerRecord
from waystation.wire.events import Completion
from waystation.wire.upstream_request import Reach
from waystation.wire.usage import Share, Usage

SETTLED = LedgerRecord(
    request_id="01JZZZZZZZZZZZZZZZZZZZZZZZ",
    user_id="alice",
    key_id="k1",
    endpoint="Acme",
    model="acme-large",
    kind="chat",
    state="SETTLED",
    config_version="v1",
    created_at_ms=1_780_000_000_000,
    settled_at_ms=1_780_000_001_000,
    usage=Usage(10, 5),
    rates=rates_of(priced_entry(), "acme-large"),
    cost_nanousd=COST,
    conversation_id="c1",
    upstream_id="chatcmpl-1",
)
RELEASED = replace(
    SETTLED, state="RELEASED", usage=None, rates=None, cost_nanousd=0, upstream_id=None
)
INPUT_ESTIMATED = replace(
    SETTLED,
    usage=Usage(2, 0, source="estimated"),
    cost_nanousd=2000,
    upstream_id=None,
)


async def complete(
    *script: Reply | Exception | Hang, **call
) -> tuple[Completion | GatewayError, list[LedgerRecord], ScriptedEgress]:
    """Make one call; return what came of it, the records, and what was sent."""
    egress, ledger = ScriptedEgress(*script), InMemoryLedger()
    told: list[LedgerRecord] = []
    try:
        result = await build_calls(egress, ledger).complete(build_call(**call), told.append)
    except GatewayError as error:
        assert told == ledger.records
        return error, ledger.records, egress
    assert told == ledger.records
    return result, ledger.records, egress


async def test_answer_comes_with_its_cost_and_is_settled():
    answer, records, egress = await complete(json_answer(completion()))
    priced = {**RAW_USAGE, "cost": COST / 1e9, "cost_nanousd": COST}
    assert answer == Completion(completion(priced), Usage(10, 5), "chatcmpl-1")
    assert records == [SETTLED]
    (sent,) = egress.sent
    assert sent.url == "https://llm.acme.test/v1/chat/completions"
    assert dict(sent.headers)["authorization"] == f"Bearer {SECRET}"
    assert json.loads(sent.body) == {
        "model": "acme-large",
        "user": "alice",
        "stream": False,
        "messages": [{"role": "user", "content": "12345678"}],
    }


async def test_unknown_price_leaves_the_cost_out():
    answer, records, _ = await complete(json_answer(completion()), entry=build_entry())
    assert isinstance(answer, Completion)
    assert answer.body == completion()
    assert records == [replace(SETTLED, rates=None, cost_nanousd=None)]


async def test_price_is_that_of_the_model_as_it_is_sent():
    entry = priced_entry(addParams={"model": "acme-other"})
    _, records, _ = await complete(json_answer(completion()), entry=entry)
    assert records == [replace(SETTLED, model="acme-other", rates=None, cost_nanousd=None)]


async def test_share_of_another_model_is_priced_by_its_own_rates():
    rates = token_config()["m"]
    dear = rates | {"prompt": 100, "completion": 200}
    entry = priced_entry(provider="anthropic", tokenConfig={"acme-large": rates, "advisor": dear})
    runs = [
        {"type": "message", "input_tokens": 10, "output_tokens": 5},
        {"type": "advisor_message", "model": "advisor", "input_tokens": 3, "output_tokens": 2},
    ]
    usage = {"input_tokens": 10, "output_tokens": 5, "iterations": runs}
    answer, records, _ = await complete(
        json_answer({"id": "msg_1", "content": [], "usage": usage}), entry=entry
    )
    cost = COST + 3 * 100_000 + 2 * 200_000
    assert isinstance(answer, Completion)
    assert answer.body["usage"] == {
        "prompt_tokens": 13,
        "completion_tokens": 7,
        "total_tokens": 20,
        "iterations": runs,
        "cost": cost / 1e9,
        "cost_nanousd": cost,
    }
    (record,) = records
    assert record.usage == Usage(13, 7, shares=(Share("advisor", Usage(3, 2)),))
    assert record.rates_by_model == {"advisor": rates_of(entry, "advisor")}
    assert record.cost_nanousd == cost


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -1, "completion_tokens": 5}])
async def test_missing_or_void_usage_is_estimated_and_marked(usage):
    answer, records, _ = await complete(json_answer(completion(usage)))
    cost = 2 * 1000 + 2 * 2000  # 8 characters in, 5 out
    assert isinstance(answer, Completion)
    assert answer.body["usage"] == {
        "prompt_tokens": 2,
        "completion_tokens": 2,
        "total_tokens": 4,
        "estimated": True,
        "cost": cost / 1e9,
        "cost_nanousd": cost,
    }
    assert records == [replace(SETTLED, usage=Usage(2, 2, source="estimated"), cost_nanousd=cost)]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (302, "upstream_redirect"),
        (400, "c"),
        (401, "upstream_auth_failed"),
        (404, "c"),
        (429, "upstream_rate_limited"),
        (500, "upstream_error"),
        (503, "upstream_error"),
    ],
)
async def test_refusal_is_released_at_no_cost(status, code):
    body = {"error": {"message": f"{SECRET}!", "code": "c"}}
    error, records, _ = await complete(json_answer(body, status))
    assert isinstance(error, GatewayError)
    assert error.code == code
    assert SECRET not in error.message
    assert records == [replace(RELEASED, error_code=code)]


async def test_url_of_a_users_that_leads_nowhere_is_released_at_no_cost():
    error, records, _ = await complete(InvalidBaseUrlError())
    assert isinstance(error, InvalidBaseUrlError)
    assert records == [replace(RELEASED, error_code="invalid_base_url")]


async def test_upstream_may_have_the_addresses_that_the_operator_allows():
    call = replace(build_call(), allowed_addresses=frozenset({"llm.test:8080"}))
    egress = ScriptedEgress(json_answer(completion()))
    await build_calls(egress, InMemoryLedger()).complete(call, lambda _: None)
    assert egress.sent[0].reach == Reach(allowed=frozenset({"llm.test:8080"}))


async def test_upstream_that_cannot_be_reached_is_released_at_no_cost():
    unreachable = UpstreamUnreachableError("x")
    error, records, _ = await complete(unreachable)
    assert error is unreachable
    assert records == [replace(RELEASED, error_code="upstream_unreachable")]


async def test_request_that_could_not_be_signed_is_released_at_no_cost():
    unsigned = UpstreamAuthFailedError("x")
    unsigned.is_sent = False
    _, records, _ = await complete(unsigned)
    assert records == [replace(RELEASED, error_code="upstream_auth_failed")]


SENT = {
    "silence": (Hang(), UpstreamTimeoutError, "upstream_timeout"),
    "silence after the headers": (
        Reply(200, {}, [Hang()]),
        UpstreamTimeoutError,
        "upstream_timeout",
    ),
    "reset": (UpstreamFailedError("x"), UpstreamFailedError, "upstream_error"),
    "reset after the headers": (
        Reply(200, {}, [b"{", UpstreamFailedError("x")]),
        UpstreamFailedError,
        "upstream_error",
    ),
    "no completion": (
        Reply(200, {}, [b"<html>"]),
        UpstreamInvalidResponseError,
        "upstream_invalid_response",
    ),
    "too large": (
        Reply(200, {}, [b" " * (1 << 20)] * 6),
        ResponseTooLargeError,
        "response_too_large",
    ),
    "error of status 200": (
        json_answer({"error": {"message": "x"}}),
        UpstreamFailedError,
        "upstream_error",
    ),
}


@pytest.mark.parametrize(("reply", "kind", "code"), SENT.values(), ids=SENT)
async def test_failure_after_sending_is_estimated(reply, kind, code):
    error, records, _ = await complete(reply, seconds=0.05)
    assert isinstance(error, GatewayError)
    assert type(error) is kind
    assert error.headers == {"x-should-retry": "false"}
    assert records == [replace(INPUT_ESTIMATED, error_code=code)]


@pytest.mark.parametrize("step", [Hang(), UpstreamFailedError("x"), b"x" * (1 << 17)])
async def test_refusal_whose_text_does_not_come_costs_nothing(step):
    error, records, _ = await complete(Reply(429, {}, [step]), seconds=0.05)
    assert isinstance(error, GatewayError)
    assert records == [replace(RELEASED, error_code=error.code)]


async def test_secret_in_an_answer_of_status_200_is_taken_out():
    body = {"error": {"message": "x" * 490 + SECRET}}
    error, _, _ = await complete(json_answer(body))
    assert isinstance(error, GatewayError)
    assert error.message == ("x" * 490 + "[REDACTED]")[:500]


async def test_call_that_cannot_be_prepared_leaves_no_record():
    entry = build_entry(apiKey="${MISSING}")
    error, records, egress = await complete(entry=entry)
    assert isinstance(error, EndpointMisconfiguredError)
    assert (records, egress.sent) == ([], [])


async def test_cancelled_call_is_settled_once():
    egress, ledger = ScriptedEgress(Hang()), InMemoryLedger()
    calls = build_calls(egress, ledger)
    task = asyncio.create_task(calls.complete(build_call(), lambda _: None))
    await asyncio.sleep(0.01)
    assert len(egress.sent) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.records == [INPUT_ESTIMATED]


async def test_refusal_of_stream_options_is_none_of_a_whole_answer():
    body = {"error": {"message": "stream_options is unknown"}}
    error, records, egress = await complete(json_answer(body, 400))
    assert isinstance(error, GatewayError)
    assert error.status == 400
    assert len(egress.sent) == len(records) == 1
