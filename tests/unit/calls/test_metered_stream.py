"""One metered call, streamed."""

import asyncio
import json
from dataclasses import replace

import pytest

from tests.support.calls import (
    COST,
    DONE,
    RAW_USAGE,
    SECRET,
    build_call,
    build_calls,
    chunk,
    completion,
    data,
    json_answer,
    priced_entry,
    stream_answer,
    usage_chunk,
)
from tests.support.fakes import Hang, InMemoryLedger, Reply, ScriptedEgress
from tests.unit.calls import test_metered_complete as whole
from waystation.errors import (
    GatewayError,
    InvalidBaseUrlError,
    UpstreamFailedError,
    UpstreamUnreachableError,
)
from waystation.ledger.records import LedgerRecord
from waystation.wire.events import Delta, Failed, Finished, StreamEvent, UsageReport
from waystation.wire.usage import Usage

SETTLED = replace(whole.SETTLED, is_stream=True)
RELEASED = replace(whole.RELEASED, is_stream=True)
INPUT_ESTIMATED = replace(whole.INPUT_ESTIMATED, is_stream=True)
HEAD = {"id": "chatcmpl-1", "created": 7, "model": "m"}
PRICED = {**RAW_USAGE, "cost": COST / 1e9, "cost_nanousd": COST}
ENDING = [UsageReport(Usage(10, 5), PRICED, HEAD), Finished()]


def delta(text: str, finish: str | None = None) -> Delta:
    return Delta([{"index": 0, "delta": {"content": text}, "finish_reason": finish}], HEAD)


async def stream(
    *script: Reply | Exception | Hang, **call
) -> tuple[list[StreamEvent], list[LedgerRecord], ScriptedEgress]:
    """Stream one call to its end; the record must be there with the last batch."""
    egress, ledger = ScriptedEgress(*script), InMemoryLedger()
    events: list[StreamEvent] = []
    async for batch in build_calls(egress, ledger).stream(
        build_call(is_stream=True, **call), lambda _: None
    ):
        assert batch
        assert len(ledger.records) == isinstance(batch[-1], Finished | Failed)
        events += batch
    return events, ledger.records, egress


async def refused(
    *script: Reply | Exception | Hang, **call
) -> tuple[GatewayError, list[LedgerRecord], ScriptedEgress]:
    """Stream one call that fails before its first event."""
    egress, ledger = ScriptedEgress(*script), InMemoryLedger()
    batches = build_calls(egress, ledger).stream(build_call(is_stream=True, **call), lambda _: None)
    with pytest.raises(GatewayError) as caught:
        await anext(batches)
    return caught.value, ledger.records, egress


async def test_events_pass_and_the_last_ones_tell_the_cost():
    reply = stream_answer(chunk("Hel"), chunk("lo", "stop"), usage_chunk(), DONE)
    events, records, egress = await stream(reply)
    assert events == [delta("Hel"), delta("lo", "stop"), *ENDING]
    assert records == [SETTLED]
    assert reply.is_closed
    assert json.loads(egress.sent[0].body)["stream_options"] == {"include_usage": True}


async def test_events_of_one_piece_come_in_one_batch():
    whole_stream = chunk("Hel") + chunk("lo", "stop") + usage_chunk() + DONE
    egress, ledger = ScriptedEgress(stream_answer(whole_stream)), InMemoryLedger()
    call = build_call(is_stream=True)
    batches = [b async for b in build_calls(egress, ledger).stream(call, lambda _: None)]
    assert batches == [[delta("Hel"), delta("lo", "stop"), *ENDING]]


async def test_usage_repeated_counts_once_and_the_last_wins():
    early = usage_chunk({"prompt_tokens": 10, "completion_tokens": 1})
    events, records, _ = await stream(
        stream_answer(early, chunk("Hello", "stop"), early, usage_chunk(), DONE)
    )
    assert events == [delta("Hello", "stop"), *ENDING]
    assert records == [SETTLED]


async def test_missing_usage_is_estimated_and_marked():
    events, records, _ = await stream(stream_answer(chunk("Hello", "stop"), DONE))
    usage, cost = Usage(2, 2, source="estimated"), 2 * 1000 + 2 * 2000
    told = {
        "prompt_tokens": 2,
        "completion_tokens": 2,
        "total_tokens": 4,
        "estimated": True,
        "cost": cost / 1e9,
        "cost_nanousd": cost,
    }
    assert events == [delta("Hello", "stop"), UsageReport(usage, told, HEAD), Finished()]
    assert records == [replace(SETTLED, usage=usage, cost_nanousd=cost)]


async def test_whole_answer_to_a_streamed_request_is_told_as_a_stream():
    events, records, _ = await stream(json_answer(completion()))
    message = {"role": "assistant", "content": "Hello"}
    choice = {"index": 0, "finish_reason": "stop", "delta": message}
    head = {"id": "chatcmpl-1", "created": 7, "model": "acme-large-0711"}
    assert events == [
        Delta([choice], head),
        UsageReport(Usage(10, 5), PRICED, head),
        Finished(),
    ]
    assert records == [SETTLED]


@pytest.mark.parametrize(
    ("status", "ours", "code"),
    [(400, 400, "c"), (401, 502, "upstream_auth_failed"), (500, 502, "upstream_error")],
)
async def test_refusal_is_raised_with_its_status_and_released(status, ours, code):
    reply = json_answer({"error": {"message": f"{SECRET}!", "code": "c"}}, status)
    error, records, _ = await refused(reply)
    assert (error.status, error.code) == (ours, code)
    assert SECRET not in error.message
    assert records == [replace(RELEASED, error_code=code)]


async def test_upstream_that_cannot_be_reached_is_released():
    _, records, _ = await refused(UpstreamUnreachableError("x"))
    assert records == [replace(RELEASED, error_code="upstream_unreachable")]


EARLY = {
    "silence": (Hang(), 504, "upstream_timeout"),
    "silence after the headers": (stream_answer(Hang()), 504, "upstream_timeout"),
    "heartbeats alone": (stream_answer(*[b": ping\n\n"] * 5, Hang()), 504, "upstream_timeout"),
    "reset": (UpstreamFailedError("x"), 502, "upstream_error"),
    "reset after the headers": (stream_answer(UpstreamFailedError("x")), 502, "upstream_error"),
    "error event": (stream_answer(data({"error": "x"})), 502, "upstream_error"),
    "HTML": (Reply(200, {"content-type": "text/html"}, [b"<p>"]), 502, "upstream_invalid_response"),
    "nothing": (stream_answer(), 502, "upstream_invalid_response"),
    "whole answer that is none": (json_answer({}), 502, "upstream_invalid_response"),
}


@pytest.mark.parametrize(("reply", "status", "code"), EARLY.values(), ids=EARLY)
async def test_failure_before_the_first_event_keeps_its_status_and_is_estimated(
    reply, status, code
):
    error, records, _ = await refused(reply, first_byte_s=0.03, idle_s=0.03)
    assert (error.status, error.code) == (status, code)
    assert records == [replace(INPUT_ESTIMATED, error_code=code)]


async def test_usage_that_came_before_the_failure_is_charged():
    _, records, _ = await refused(stream_answer(usage_chunk(), UpstreamFailedError("x")))
    assert records == [replace(SETTLED, error_code="upstream_error")]


LATE = {
    "silence": (Hang(), "upstream_timeout", "The upstream took too long to answer."),
    "reset": (UpstreamFailedError("x"), "upstream_error", "x"),
    "error event": (data({"error": f"{SECRET}!"}), "upstream_error", "[REDACTED]!"),
    "end of the bytes": (b"", "upstream_invalid_response", "The upstream's stream broke off."),
    "no JSON": (
        b"data: {\n\n",
        "upstream_invalid_response",
        "The upstream's answer is not a chat completion.",
    ),
}


@pytest.mark.parametrize(("step", "code", "message"), LATE.values(), ids=LATE)
async def test_failure_after_the_first_event_is_an_event(step, code, message):
    reply = stream_answer(chunk("Hello"), step)
    events, records, _ = await stream(reply, idle_s=0.03)
    first, last = events
    assert first == delta("Hello")
    assert isinstance(last, Failed)
    assert (last.error.code, last.error.message) == (code, message)
    usage = Usage(2, 2, source="estimated")
    assert records == [replace(SETTLED, usage=usage, cost_nanousd=6000, error_code=code)]
    assert reply.is_closed


async def test_failure_after_the_usage_is_charged_as_reported():
    reply = stream_answer(chunk("Hello"), usage_chunk(), UpstreamFailedError("x"))
    events, records, _ = await stream(reply)
    assert [type(event) for event in events] == [Delta, Failed]
    assert records == [replace(SETTLED, error_code="upstream_error")]


async def test_total_ends_a_stream_that_goes_on_and_on():
    reply = stream_answer(chunk("Hello"), *[b": ping\n\n"] * 3, Hang())
    events, records, _ = await stream(reply, seconds=0.05)
    assert [type(event) for event in events] == [Delta, Failed]
    assert len(records) == 1


NAMES_IT = [
    (400, {"message": "Unknown parameter: 'stream_options'"}),
    (422, {"message": "extra fields", "param": "stream_options"}),
    (400, {"message": "include_usage is not supported"}),
]


@pytest.mark.parametrize(("status", "error"), NAMES_IT)
async def test_upstream_that_refuses_to_be_asked_for_usage_is_asked_without(status, error):
    egress = ScriptedEgress(
        json_answer({"error": error}, status),
        stream_answer(chunk("Hello", "stop"), DONE),
        stream_answer(chunk("Hello", "stop"), DONE),
        stream_answer(chunk("Hello", "stop"), DONE),
        stream_answer(chunk("Hello", "stop"), DONE),
    )
    ledger = InMemoryLedger()
    calls = build_calls(egress, ledger)
    for call in (
        build_call(is_stream=True),
        build_call(is_stream=True),
        build_call(is_stream=True, config_version="v2"),
        build_call(is_stream=True, entry=priced_entry(name="Other")),
    ):
        events = [e async for batch in calls.stream(call, lambda _: None) for e in batch]
        assert [type(event) for event in events] == [Delta, UsageReport, Finished]
    asked = ["stream_options" in json.loads(request.body) for request in egress.sent]
    assert asked == [True, False, False, True, True]
    assert len(ledger.records) == 4


async def test_usage_option_of_the_client_is_left_out_the_second_time_too():
    refusal = json_answer({"error": {"message": "stream_options?"}}, 400)
    params: dict[str, object] = {"stream_options": {"include_usage": True}}
    _, _, egress = await stream(refusal, stream_answer(chunk("Hello", "stop"), DONE), params=params)
    bodies = [json.loads(request.body) for request in egress.sent]
    assert [body.get("stream_options") for body in bodies] == [{"include_usage": True}, None]


async def test_second_refusal_is_final():
    refusal = {"error": {"message": "stream_options?"}}
    error, records, egress = await refused(json_answer(refusal, 400), json_answer(refusal, 400))
    assert error.status == 400
    assert len(egress.sent) == 2
    assert records == [replace(RELEASED, error_code="invalid_request_error")]


async def test_url_of_a_users_that_leads_nowhere_is_released_before_the_stream_begins():
    error, records, _ = await refused(InvalidBaseUrlError())
    assert isinstance(error, InvalidBaseUrlError)
    assert records == [replace(RELEASED, error_code="invalid_base_url")]


@pytest.mark.parametrize(
    ("status", "message"), [(400, "Unknown parameter: 'stop'"), (500, "stream_options")]
)
async def test_other_refusals_are_not_repeated(status, message):
    _, records, egress = await refused(json_answer({"error": {"message": message}}, status))
    assert len(egress.sent) == len(records) == 1


async def test_stream_closed_early_is_settled_once_and_its_connection_closed():
    reply = stream_answer(chunk("Hello"), chunk(" you", "stop"), usage_chunk(), DONE)
    egress, ledger = ScriptedEgress(reply), InMemoryLedger()
    batches = build_calls(egress, ledger).stream(build_call(is_stream=True), lambda _: None)
    assert await anext(batches) == [delta("Hello")]
    await batches.aclose()
    assert ledger.records == [
        replace(SETTLED, usage=Usage(2, 2, source="estimated"), cost_nanousd=6000)
    ]
    assert reply.is_closed


async def test_cancelled_stream_is_settled_once_and_its_connection_closed():
    reply = stream_answer(chunk("Hello"), Hang())
    egress, ledger = ScriptedEgress(reply), InMemoryLedger()
    batches = build_calls(egress, ledger).stream(build_call(is_stream=True), lambda _: None)
    await anext(batches)
    task = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.records == [
        replace(SETTLED, usage=Usage(2, 2, source="estimated"), cost_nanousd=6000)
    ]
    assert reply.is_closed
