"""The failure matrix: functions that are killed while an upstream works, in processes of their own.

What they leave is ended by the upkeep function, at an estimate, and its key can be used again.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.aws_server import AwsServer, aws_server
from tests.support.chat_function import CHAT_CODE, ENDING, process_of
from tests.support.fake_lambda import FakeLambda, fake_lambda
from tests.support.fake_upstream import FakeUpstream, chunk_of, json_reply, stream_reply
from tests.support.fake_upstream import completion as completion_of
from tests.support.lambda_gateway import TABLE, LambdaGateway, build_config
from tests.support.served_gateway import CHAT, chat_body
from tests.support.tables import open_table
from waystation.aws.table import Item

GRANTED = 1_000_000_000
PROMPT_PRICE = 2000
KEYED = {"authorization": "Bearer key-of-alice", "idempotency-key": "k1"}
SCHEDULE = json.loads((Path(__file__).parents[2] / "events" / "sweep.json").read_text("utf-8"))
WORKING = stream_reply(chunk_of("Hel"), 5.0, *ENDING)
SILENT = [5.0, *json_reply(completion_of())]


@pytest.fixture
def aws() -> Iterator[AwsServer]:
    with aws_server(ACME_KEY="canary-key-of-acme-5b1f7a3c") as aws:
        yield aws


@pytest.fixture
def config(acme: dict[str, object]) -> str:
    return build_config(acme, balance={"enabled": True, "startBalance": GRANTED // 1000})


@pytest.fixture
async def chat(
    aws: AwsServer, config: str, tmp_path: Path, anyio_backend: str
) -> AsyncIterator[FakeLambda]:
    """The chat function, which draws on balances."""
    environment = aws.environment(config)
    async with fake_lambda(CHAT_CODE, tmp_path, environment=environment, timeout_s=60) as chat:
        chat.client.headers.update(KEYED)
        yield chat


@pytest.fixture
def upkeep(config: str, chat: FakeLambda) -> Iterator[LambdaGateway]:
    """The upkeep function on the same table."""
    gateway = LambdaGateway(config)
    yield gateway
    gateway.close()


async def item(pk: str, sk: str) -> Item:
    return await open_table(TABLE).get(pk, sk) or {}


async def balance() -> tuple[object, ...]:
    """Return avail, held, spent and inflight of alice's balance."""
    found = await item("U#alice", "BAL")
    return tuple(found[name] for name in ("avail", "held", "spent", "inflight"))


async def records() -> list[Item]:
    return list(await open_table(TABLE).query("U#alice", "REQ#"))


async def kill_while_working(chat: FakeLambda, upstream: FakeUpstream, *, stream: bool) -> None:
    """Ask, and kill the function as soon as the upstream has the request."""

    async def ask() -> None:
        body = chat_body(stream=stream, max_tokens=100)
        async with chat.client.stream("POST", CHAT, json=body) as answer:
            if answer.status_code != httpx2.codes.OK:
                assert answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR
                return
            seen = b"".join([piece async for piece in answer.aiter_bytes()])
            assert b"[DONE]" not in seen

    asking = asyncio.create_task(ask())
    while not upstream.received:
        assert not asking.done()
        await asyncio.sleep(0.02)
    process_of(chat).kill()
    try:
        await asking
    except httpx2.RemoteProtocolError:
        assert stream
    await chat.function.settled()


async def pass_time(names: tuple[str, ...] = ("REQ#", "IDM#")) -> None:
    """Let the time of all that is open be over."""
    table = open_table(TABLE)
    for one in await table.query("U#alice"):
        if str(one["SK"]).startswith(names):
            changed: dict[str, Any] = {**one, "expires_at": 1}
            if "GSI1SK" in one:
                changed["GSI1SK"] = f"{1:013d}{str(one['GSI1SK'])[13:]}"
            await table.put(changed)


@pytest.mark.parametrize(
    ("stream", "reply"), [(False, SILENT), (True, WORKING)], ids=["whole", "streamed"]
)
async def test_function_that_is_killed(
    chat: FakeLambda,
    upkeep: LambdaGateway,
    upstream: FakeUpstream,
    *,
    stream: bool,
    reply: list[Any],
) -> None:
    upstream.answer(reply)
    await kill_while_working(chat, upstream, stream=stream)
    (record,) = await records()
    assert isinstance(hold := record["hold"], int)
    assert (record["state"], hold > 0) == ("RESERVED", True)
    assert await balance() == (GRANTED - hold, hold, 0, 1)

    again = await chat.client.post(CHAT, json=chat_body(stream=stream, max_tokens=100))
    assert again.status_code == httpx2.codes.CONFLICT
    assert again.headers["retry-after"] == "2"
    assert len(upstream.received) == 1

    await asyncio.to_thread(upkeep.run_upkeep, SCHEDULE)
    assert [one["state"] for one in await records()] == ["RESERVED"]  # its time is not over
    await pass_time()
    for _ in range(2):
        await asyncio.to_thread(upkeep.run_upkeep, SCHEDULE)

    (record,) = await records()
    assert (record["state"], record["usage_source"]) == ("EXPIRED", "estimated")
    assert isinstance(cost := record["cost"], int)
    assert isinstance(estimated := record["estimated_in"], int)
    assert cost == estimated * PROMPT_PRICE > 0
    assert "GSI1PK" not in record
    assert await balance() == (GRANTED - cost, 0, cost, 0)
    (sums,) = await open_table(TABLE).query(f"A#alice#{str(record['created_at'])[:7]}")
    assert [sums[name] for name in ("requests", "estimated", "cost")] == [1, 1, cost]
    swept = [line for line in upkeep.log.lines() if line["message"] == "upkeep_swept"]
    assert [line["swept"] for line in swept] == [0, 1, 0]
    assert "canary" not in upkeep.log.text + chat.log_path.read_text()

    upstream.answer(json_reply(completion_of()))
    body = chat_body(stream=stream, max_tokens=100)
    assert (await chat.client.post(CHAT, json=body)).status_code == httpx2.codes.OK
    assert len(upstream.received) == 2
