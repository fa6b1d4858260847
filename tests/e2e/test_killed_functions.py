"""Functions that are killed wherever a stream waits: nothing it cost is lost, or taken twice."""

import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeAlias

import boto3
import pytest

from tests.support.aws_server import AwsServer, aws_server
from tests.support.chat_function import chat_function
from tests.support.emulated_aws import watched
from tests.support.fake_lambda import FakeLambda, until
from tests.support.fake_upstream import FakeUpstream, Step, stream_reply
from tests.support.killed_requests import GRANTED, MODES, KilledRequest, takes_over
from tests.support.killing import PATIENCE_S, asks_for, grants, held, opens, settles, writes_record
from tests.support.lambda_gateway import TABLE, make_gateway_key
from tests.support.tables import open_table
from waystation.identity.user import User
from waystation.ledger.errors import IdempotencyCompletedError, IdempotencyInProgressError

Make: TypeAlias = Callable[[str], KilledRequest]

HELD: Step = 60.0  # the upstream says nothing more for as long as that

CALLS = {  # which call is kept waiting, whether that is when it is done, and what becomes of it
    "before the caller is known": (asks_for("dynamodb:GetItem"), False, None),
    "before its record is open": (writes_record, False, None),
    "when its record is open": (opens, True, "EXPIRED"),
    "before it is settled": (settles, False, "EXPIRED"),
    "when it is settled": (settles, True, "SETTLED"),
}
SAID = [  # after so many events; the client has this text by then
    ("no balance", 0, ""),
    ("no balance", 1, '"one"'),
    ("no balance", 2, '"two"'),
    ("no balance", 3, '"two"'),
    ("no balance", 4, '"two"'),
    ("balance and key", 0, ""),
    ("balance and key", 2, '"two"'),
    ("balance and key", 4, '"two"'),
    ("Anthropic", 0, ""),
    ("Anthropic", 1, ""),
    ("Anthropic", 3, '"on"'),
    ("Anthropic", 7, '"tw"'),
    ("Anthropic", 10, '"o"'),
]
in_every_mode = pytest.mark.parametrize("mode", MODES)


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with aws_server(ACME_KEY="the-key-of-acme-5b1f7a3c") as aws:
        make_gateway_key("key-of-all", User("all"), is_trusted=True)
        yield aws


@pytest.fixture(scope="module")
def outbox(aws: AwsServer) -> Any:
    """The queue for what the table does not take."""
    return boto3.resource("sqs").create_queue(QueueName="outbox")


@pytest.fixture(scope="module")
def entries(acme: dict[str, object]) -> list[dict[str, object]]:
    """One entry for each API; they have the same prices."""
    rates = {"prompt": 2, "completion": 6, "context": 128000}
    claude = {"name": "Claude", "provider": "anthropic", "models": {"default": ["claude"]}}
    return [acme, acme | claude | {"tokenConfig": {"claude": rates}}]


@pytest.fixture(scope="module")
async def _free(
    aws: AwsServer,
    entries: list[dict[str, object]],
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[FakeLambda]:
    async with chat_function(aws, tmp_path_factory.mktemp("free"), *entries) as chat:
        yield chat


@pytest.fixture(scope="module")
async def _paid(
    aws: AwsServer,
    outbox: Any,
    entries: list[dict[str, object]],
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[FakeLambda]:
    balance = {"enabled": True, "startBalance": GRANTED // 1000}
    directory, url = tmp_path_factory.mktemp("paid"), outbox.url
    async with chat_function(aws, directory, *entries, balance=balance, OUTBOX_URL=url) as chat:
        yield chat


@pytest.fixture
def make(_free: FakeLambda, _paid: FakeLambda, upstream: FakeUpstream) -> Make:
    """Make a user of their own for each request that is killed."""
    users = itertools.count()

    def make(name: str) -> KilledRequest:
        mode = MODES[name]
        upstream.answer(stream_reply(*mode.events))
        user = f"user-{next(users)}-{time.time_ns()}"
        return KilledRequest(mode, _paid if mode.reserves else _free, open_table(TABLE), user)

    return make


@in_every_mode
@pytest.mark.parametrize("call", CALLS)
async def test_killed_at_a_call_of_aws(
    make: Make, upstream: FakeUpstream, mode: str, call: str
) -> None:
    """The table has done it by then, or will never do it."""
    request, (is_it, when_done, state) = make(mode), CALLS[call]
    with held(is_it, when_done=when_done) as hold:
        await request.ask()
        await until(hold.is_reached.is_set, PATIENCE_S)
        await request.kill()
    await request.expect(state)
    assert b"[DONE]" not in request.came
    if is_it is not settles:
        assert request.came == b""
        assert not (request.mode.reserves and upstream.received)


@pytest.mark.parametrize(("mode", "count", "text"), SAID)
async def test_killed_while_the_upstream_is_silent(
    make: Make, upstream: FakeUpstream, mode: str, count: int, text: str
) -> None:
    """It has said so many events, and nobody will ever know what it has made of the rest."""
    request = make(mode)
    steps = stream_reply(*request.mode.events[:count], HELD, is_complete=False)
    size = sum(len(step) for step in steps if isinstance(step, bytes))
    upstream.answer(steps)
    await request.ask()
    await until(lambda: bool(upstream.received) and upstream.last.sent_bytes == size, PATIENCE_S)
    await until(lambda: text.encode() in request.came, PATIENCE_S)
    await request.until_state("RESERVED")
    await request.kill()
    await request.expect("EXPIRED")


@in_every_mode
async def test_killed_before_the_upstream_has_answered_at_all(
    make: Make, upstream: FakeUpstream, mode: str
) -> None:
    request = make(mode)
    upstream.answer([HELD])
    await request.ask()
    await until(lambda: bool(upstream.received), PATIENCE_S)
    await request.until_state("RESERVED")
    await request.kill()
    await request.expect("EXPIRED")


@in_every_mode
async def test_killed_when_it_is_settled_and_the_last_byte_is_not_taken(
    make: Make, upstream: FakeUpstream, mode: str
) -> None:
    request = make(mode)
    spaced: list[object] = [step for event in request.mode.events for step in (0.02, event)]
    upstream.answer(stream_reply(*spaced))  # so that it comes in several pieces
    await request.ask(is_read=False)
    await request.until_state("SETTLED")
    await request.kill()
    assert b"[DONE]" not in request.came
    await request.expect("SETTLED")


@pytest.mark.parametrize("is_sent", [False, True], ids=["not sent", "sent"])
async def test_killed_while_the_outbox_is_told(make: Make, outbox: Any, *, is_sent: bool) -> None:
    """The table refuses to settle; what the queue has corrects what the sweep has guessed."""
    request = make("balance and key")
    with (
        watched(lambda asked: "ValidationException" if settles(asked) else None),
        held(asks_for("AmazonSQS:SendMessage"), when_done=is_sent) as hold,
    ):
        await request.ask()
        await until(hold.is_reached.is_set, PATIENCE_S)
        await request.kill()
    await request.expect("EXPIRED")
    sent = outbox.receive_messages(MaxNumberOfMessages=10)
    messages = [message for message in sent if request.user in message.body]
    assert len(messages) == int(is_sent)
    for message in messages * 2:
        await request.apply(message.body)
    await request.expect("SETTLED" if is_sent else "EXPIRED")


async def test_killed_when_the_start_balance_is_granted(make: Make, upstream: FakeUpstream) -> None:
    """What was granted stays granted, once."""
    request = make("balance and key")
    with held(grants, when_done=True) as hold:
        await request.ask(has_balance=False)
        await until(hold.is_reached.is_set, PATIENCE_S)
        await request.kill()
    await request.expect(None)
    assert upstream.received == []
    await takes_over(request)
    assert [item["SK"] for item in await request.items("ADJ#")] == ["ADJ#start"]


async def test_key_of_a_killed_request_is_taken_over_by_one(
    make: Make, upstream: FakeUpstream
) -> None:
    request = make("balance and key")
    upstream.answer([HELD])
    await request.ask()
    await until(lambda: bool(upstream.received), PATIENCE_S)
    await request.kill()
    await takes_over(request)
    with pytest.raises(IdempotencyInProgressError):
        await takes_over(request)
    await request.sweep()
    states = [record["state"] for record in await request.items("REQ#")]
    assert states == ["EXPIRED", "RESERVED"]


async def test_key_of_a_request_that_was_settled_is_done(make: Make) -> None:
    request = make("balance and key")
    with held(settles, when_done=True) as hold:
        await request.ask()
        await until(hold.is_reached.is_set, PATIENCE_S)
        await request.kill()
    with pytest.raises(IdempotencyCompletedError):
        await takes_over(request)
    await request.expect("SETTLED")
