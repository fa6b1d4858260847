"""An upstream that refuses a user's key, or what else it says to one user alone."""

import json
from dataclasses import replace

import pytest

from tests.support.calls import (
    DONE,
    build_call,
    build_calls,
    chunk,
    completion,
    data,
    json_answer,
    priced_entry,
    stream_answer,
)
from tests.support.fakes import InMemoryLedger, Reply, ScriptedEgress
from waystation.calls.call import Call
from waystation.credentials.own import OwnCredentials
from waystation.errors import UpstreamAuthFailedError, UserKeyRejectedError
from waystation.ledger.records import LedgerRecord
from waystation.wire.events import Failed, StreamEvent

KEY = "key-of-alice-1234567"
OWN = OwnCredentials(KEY, "https://llm.user.test/v1")
ECHO = {"error": {"message": f"Wrong key {KEY}"}}


def build(entry: dict[str, object], *, is_stream: bool = False) -> Call:
    return build_call(entry=priced_entry(**entry), is_stream=is_stream)


def nothing(_record: LedgerRecord) -> None:
    return None


async def streamed(call: Call, egress: ScriptedEgress) -> list[StreamEvent]:
    calls = build_calls(egress, InMemoryLedger(), OWN)
    return [event async for batch in calls.stream(call, nothing) for event in batch]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("entry", [{"apiKey": "user_provided"}, {"baseURL": "user_provided"}])
async def test_a_refused_key_of_a_user_is_the_users_matter(entry, status):
    ledger = InMemoryLedger()
    calls = build_calls(ScriptedEgress(*[json_answer(ECHO, status)] * 2), ledger, OWN)
    with pytest.raises(UserKeyRejectedError) as whole:
        await calls.complete(build(entry), nothing)
    with pytest.raises(UserKeyRejectedError):
        await anext(calls.stream(build(entry, is_stream=True), nothing))
    assert (whole.value.status, whole.value.type) == (401, "authentication_error")
    assert whole.value.message == "The upstream of endpoint 'Acme' refused your key."
    assert [(one.state, one.error_code) for one in ledger.records] == [
        ("RELEASED", "user_key_rejected")
    ] * 2


async def test_a_refused_key_of_the_operator_stays_the_operators_matter():
    calls = build_calls(ScriptedEgress(json_answer(ECHO, 401)), InMemoryLedger(), OWN)
    with pytest.raises(UpstreamAuthFailedError):
        await calls.complete(build({}), nothing)


async def test_a_count_tells_it_too():
    call = build({"apiKey": "user_provided", "provider": "anthropic"})
    call = replace(call, request=replace(call.request, native={"messages": []}))
    calls = build_calls(ScriptedEgress(json_answer(ECHO, 401)), InMemoryLedger(), OWN)
    with pytest.raises(UserKeyRejectedError):
        await calls.count_tokens(call)


async def test_a_stream_that_has_begun_ends_with_it():
    call = build({"apiKey": "user_provided", "provider": "anthropic"}, is_stream=True)
    start = {"type": "message_start", "message": {"id": "m", "model": "m", "usage": {}}}
    text = {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
    delta = {"type": "text_delta", "text": "Hi"}
    said = {"type": "content_block_delta", "index": 0, "delta": delta}
    refused = {"type": "error", "error": {"type": "authentication_error", "message": KEY}}
    answer = stream_answer(*map(data, (start, text, said, refused)))
    *_, last = await streamed(call, ScriptedEgress(answer))
    assert isinstance(last, Failed)
    assert isinstance(last.error, UserKeyRejectedError)
    assert KEY not in last.error.message


REFUSED = json_answer({"error": {"message": "Unknown parameter: 'stream_options'"}}, 400)


def answer() -> Reply:
    return stream_answer(chunk("Hi", "stop"), DONE)


@pytest.mark.parametrize(
    ("entry", "asked"),
    [
        ({"apiKey": "user_provided"}, [True, False, False]),
        ({"baseURL": "user_provided"}, [True, False, True]),
    ],
    ids=["the operator's URL", "a user's URL"],
)
async def test_what_the_upstream_of_one_user_refuses_is_no_matter_of_others(entry, asked):
    egress = ScriptedEgress(REFUSED, answer(), answer())
    calls = build_calls(egress, InMemoryLedger(), OWN)
    for _ in range(2):
        async for _batch in calls.stream(build(entry, is_stream=True), nothing):
            pass
    assert ["stream_options" in json.loads(request.body) for request in egress.sent] == asked


async def test_nothing_of_the_operators_is_sent_to_a_users_url():
    egress = ScriptedEgress(json_answer(completion()))
    entry: dict[str, object] = {"baseURL": "user_provided", "headers": {"X-Team": "the-team"}}
    await build_calls(egress, InMemoryLedger(), OWN).complete(build(entry), nothing)
    (request,) = egress.sent
    assert request.url == "https://llm.user.test/v1/chat/completions"
    assert dict(request.headers)["authorization"] == f"Bearer {KEY}"
    assert "the-" not in str(request.headers)
