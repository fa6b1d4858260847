"""The upkeep function's handler with the events of AWS, over an emulated DynamoDB and SQS."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.e2e.conftest import BuildGateway
from tests.support.embedded_metrics import metrics_in
from tests.support.lambda_events import queue_event
from tests.support.lambda_gateway import TABLE, LambdaGateway
from tests.support.ledgers import COST, OPENING, RATES, SETTLED
from tests.support.served_gateway import free_port
from waystation.aws.dynamo_table import DynamoTable
from waystation.aws.queue import QueueError
from waystation.aws.sqs_queue import SqsQueue
from waystation.aws.table import Item
from waystation.ledger.outbox import write_message
from waystation.ledger.records import shard_of
from waystation.web.lambda_upkeep import UpkeepFailedError

SCHEDULE = json.loads((Path(__file__).parents[2] / "events" / "sweep.json").read_text("utf-8"))


@pytest.fixture
def gateway(build_gateway: BuildGateway, acme: dict[str, object]) -> LambdaGateway:
    """A cold gateway."""
    return build_gateway(acme)


@pytest.fixture
def table(gateway: LambdaGateway) -> Iterator[DynamoTable]:
    """The gateway's table, emptied of the records of tests afterwards."""
    table = DynamoTable(boto3.client("dynamodb"), TABLE)
    yield table
    for item in asyncio.run(table.scan("")):
        if str(item["SK"]).startswith(("REQ#", "M#")):
            asyncio.run(table.delete(str(item["PK"]), str(item["SK"])))


def _put_open(table: DynamoTable, request_id: str, *, user_id: str = "alice") -> None:
    """Put the record of a request whose function was stopped a moment after it began."""
    opening = replace(OPENING, request_id=request_id, user_id=user_id)
    asyncio.run(table.put(opening.to_item()))


def _item(table: DynamoTable, pk: str, sk: str) -> Item:
    item = asyncio.run(table.get(pk, sk))
    assert item is not None
    return item


def test_schedule_ends_what_nobody_settled_at_its_estimate(
    gateway: LambdaGateway, table: DynamoTable
) -> None:
    # Of one shard: the emulated DynamoDB takes no transactions from several threads.
    ids = [one for one in (f"01SWEPT{n}" for n in range(200)) if shard_of(one) == 7][:6]
    for number, request_id in enumerate(ids):
        _put_open(table, request_id, user_id=f"user-{number % 3}")

    assert gateway.run_upkeep(SCHEDULE) is None

    for number, request_id in enumerate(ids):
        record = _item(table, f"U#user-{number % 3}", f"REQ#{request_id}")
        assert (record["state"], record["cost"]) == ("EXPIRED", 20 * 1000)
        assert record["usage_source"] == "estimated"
        assert "GSI1PK" not in record
    sums = _item(table, "A#user-0#2026-05", "M#Acme#acme-large#28")
    assert (sums["requests"], sums["estimated"], sums["cost"]) == (2, 2, 2 * 20 * 1000)
    (line,) = gateway.log.lines()
    assert (line["message"], line["swept"], line["sweep_lag_s"]) == ("upkeep_swept", 6, 0)
    now_ms = round(time.time() * 1000)
    assert metrics_in(line, now_ms) == {
        ("swept", ()): 6,
        ("sweep_failures", ()): 0,
        ("sweep_lag_s", ()): 0,
    }


def test_policy_of_the_operator_decides_what_it_costs(
    build_gateway: BuildGateway, acme: dict[str, object], table: DynamoTable
) -> None:
    _put_open(table, "01RELEASED")

    build_gateway(acme, SWEEP_POLICY="release").run_upkeep(SCHEDULE)

    record = _item(table, "U#alice", "REQ#01RELEASED")
    assert (record["state"], record["cost"]) == ("EXPIRED", 0)


def test_sweep_leaves_what_it_has_no_time_for_and_tells_its_age(
    gateway: LambdaGateway, table: DynamoTable
) -> None:
    _put_open(table, "01LATER")
    gateway.context.remaining_ms = 10_000

    gateway.run_upkeep(SCHEDULE)

    assert _item(table, "U#alice", "REQ#01LATER")["state"] == "RESERVED"
    (line,) = gateway.log.lines()
    age_s = time.time() - OPENING.expires_at_ms / 1000
    assert (line["swept"], line["sweep_lag_s"]) == (0, pytest.approx(age_s, abs=60))


def test_message_is_applied_once_and_a_late_settle_corrects_the_estimate(
    gateway: LambdaGateway, table: DynamoTable
) -> None:
    _put_open(table, SETTLED.request_id)
    gateway.run_upkeep(SCHEDULE)
    message = write_message("settle", replace(SETTLED, rates=RATES).to_item())

    assert gateway.run_upkeep(queue_event(message, message)) == {"batchItemFailures": []}
    assert gateway.run_upkeep(queue_event(message)) == {"batchItemFailures": []}

    record = _item(table, "U#alice", f"REQ#{SETTLED.request_id}")
    assert (record["state"], record["cost"]) == ("SETTLED", COST)
    sums = _item(table, "A#alice#2026-05", "M#Acme#acme-large#28")
    assert (sums["requests"], sums["cost"], sums["estimated"]) == (1, COST, 0)


def test_poison_is_left_to_the_queue_and_the_rest_is_applied(
    gateway: LambdaGateway, table: DynamoTable
) -> None:
    poison, message = '{"canary": 1}', write_message("settle", SETTLED.to_item())
    event = queue_event(poison, message)

    answer: Any = gateway.run_upkeep(event)

    failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    assert failed == [event["Records"][0]["messageId"]]
    assert _item(table, "U#alice", f"REQ#{SETTLED.request_id}")["state"] == "SETTLED"
    assert "canary" not in gateway.log.text


def test_table_that_cannot_be_read_fails_the_invocation(
    build_gateway: BuildGateway, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme, TABLE_NAME="no-such-table")

    with pytest.raises(UpkeepFailedError, match="cannot be read"):
        gateway.run_upkeep(SCHEDULE)

    causes = {line.get("cause") for line in gateway.log.lines()}
    assert "the table refused: ResourceNotFoundException" in causes


@pytest.mark.parametrize(
    "event",
    [{}, {"Records": []}, {"Records": [{"eventSource": "aws:s3"}]}, {"source": "aws.s3"}],
    ids=["empty", "no record", "S3", "another event"],
)
def test_event_of_another_kind_is_refused(gateway: LambdaGateway, event: dict[str, Any]) -> None:
    with pytest.raises(UpkeepFailedError, match="neither"):
        gateway.run_upkeep(event)


@pytest.mark.usefixtures("aws")
def test_queue_takes_a_message_as_it_is() -> None:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName="outbox")["QueueUrl"]

    asyncio.run(SqsQueue(client, url).send('{"v":1}'))

    (message,) = client.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == '{"v":1}'


@pytest.mark.usefixtures("aws")
def test_queue_that_is_not_there_is_told_by_its_code() -> None:
    queue = SqsQueue(boto3.client("sqs"), "https://sqs.eu-central-1.amazonaws.com/123456789012/no")

    with pytest.raises(QueueError, match=r"the queue refused: .*NonExistentQueue"):
        asyncio.run(queue.send("{}"))


@pytest.mark.usefixtures("aws")
def test_queue_that_cannot_be_reached_is_told_by_the_kind_of_failure() -> None:
    quick = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
    url = f"http://127.0.0.1:{free_port()}"
    client = boto3.client("sqs", endpoint_url=url, config=quick)

    with pytest.raises(QueueError, match="the queue did not answer: EndpointConnectionError"):
        asyncio.run(SqsQueue(client, f"{url}/1/outbox").send("{}"))
