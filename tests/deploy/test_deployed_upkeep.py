"""Upkeep in the deployed stack: records that were left open, and messages of the outbox."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from tests.deploy.conftest import LIVE_WITHIN_S, Gateway, within
from tests.support.embedded_metrics import metrics_in
from tests.support.fake_upstream import completion, json_reply
from tests.support.ledgers import COST, OPENING, SETTLED
from waystation.ledger.outbox import write_message

AGAIN_S = 10  # so that a message has not come five times when it can be applied
SCHEDULE = Path(__file__).parents[2] / "events" / "sweep.json"


def test_record_that_was_left_open_is_ended_by_the_schedules_event(gateway: Gateway):
    opening = replace(OPENING, request_id="01LEFTOPEN", user_id="upkeep-1")
    _put(gateway, opening.to_item())

    answer = _sweep(gateway)

    assert "FunctionError" not in answer, answer["Payload"].read()
    record = gateway.record(opening.request_id, "upkeep-1")
    assert (record["state"], record["cost"]) == ("EXPIRED", 20_000)
    assert "GSI1PK" not in record
    sums = _item(gateway, "A#upkeep-1#2026-05", "M#Acme#acme-large#28")
    assert (sums["requests"], sums["estimated"], sums["cost"]) == (1, 1, 20_000)
    (line, *_) = [line for line in _lines(gateway, "upkeep_swept") if line["swept"]]
    assert metrics_in(line, round(time.time() * 1000))["swept", ()] == 1


def test_sweep_fails_aloud_without_its_index_and_the_next_one_makes_up_for_it(gateway: Gateway):
    opening = replace(OPENING, request_id="01LEFTLONGER", user_id="upkeep-3")
    _put(gateway, opening.to_item())

    with gateway.without("UpkeepRole", "dynamodb:Query"):
        failed = _sweep(gateway)
    before = _record(gateway, opening.request_id, "upkeep-3")
    done = _sweep(gateway)

    assert "The table cannot be read" in failed["Payload"].read().decode()
    assert "AccessDenied" in _lines(gateway, "sweep_failed")[-1]["cause"]
    assert before["state"] == "RESERVED"
    assert "FunctionError" not in done
    assert _record(gateway, opening.request_id, "upkeep-3")["state"] == "EXPIRED"


def test_schedule_calls_the_function(gateway: Gateway):
    events, function = gateway.client("events"), gateway.resource("UpkeepFunction")
    called: list[tuple[str, str]] = [
        (rule["ScheduleExpression"], target["Arn"])
        for rule in events.list_rules()["Rules"]
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    ]
    ((expression, arn),) = called
    assert expression == "rate(5 minutes)"
    assert arn.endswith(f":{function}")


def test_record_is_settled_once_however_often_its_message_comes(gateway: Gateway):
    record = replace(SETTLED, request_id="01TWICE", user_id="upkeep-2")
    message = write_message("settle", record.to_item())

    for _ in range(2):
        _send(gateway, message)

    assert within(LIVE_WITHIN_S, lambda: _is_empty(gateway, "Outbox"))
    assert _record(gateway, "01TWICE", "upkeep-2")["state"] == "SETTLED"
    sums = _item(gateway, "A#upkeep-2#2026-05", "M#Acme#acme-large#28")
    assert (sums["requests"], sums["cost"]) == (1, COST)


def test_message_waits_for_a_table_that_can_be_written(gateway: Gateway):
    record = replace(SETTLED, request_id="01WAITS", user_id="upkeep-4")

    with _delivered_again_after(gateway, AGAIN_S):
        with gateway.without("UpkeepRole", "dynamodb:PutItem"):
            _send(gateway, write_message("settle", record.to_item()))
            waits = within(LIVE_WITHIN_S, lambda: bool(_lines(gateway, "outbox_message_waits")))
        assert waits
        assert _record(gateway, "01WAITS", "upkeep-4") == {}
        assert within(LIVE_WITHIN_S, lambda: bool(_record(gateway, "01WAITS", "upkeep-4")))

    assert _record(gateway, "01WAITS", "upkeep-4")["state"] == "SETTLED"
    assert _is_empty(gateway, "OutboxDeadLetters")


def test_message_that_cannot_be_applied_is_a_dead_letter(gateway: Gateway):
    with _delivered_again_after(gateway, 1):
        _send(gateway, '{"v":1,"canary":"poison"}')
        assert within(LIVE_WITHIN_S, lambda: not _is_empty(gateway, "OutboxDeadLetters"))

    sqs, url = gateway.client("sqs"), gateway.deployment.outputs["OutboxDeadLetters"]
    (letter,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert letter["Body"] == '{"v":1,"canary":"poison"}'
    sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
    assert _lines(gateway, "outbox_message_refused")
    assert "canary" not in gateway.logged("UpkeepLogs")


def test_chat_that_the_table_refuses_is_settled_by_the_outbox(gateway: Gateway):
    gateway.upstream.answer(json_reply(completion("Good day.")))
    gateway.push("small")
    assert within(LIVE_WITHIN_S, lambda: gateway.chat("Late/late").status_code == 200)

    with gateway.without("ChatRole", "dynamodb:PutItem"):
        answer = gateway.chat("Late/late")
        assert answer.status_code == 200
        request_id = answer.headers["x-request-id"]
        is_settled = within(
            LIVE_WITHIN_S,
            lambda: _record(gateway, request_id, "ann").get("state") == "SETTLED",
        )

    assert is_settled
    lines = _lines(gateway, "settle_deferred", "ChatLogs")
    assert request_id in [line["request_id"] for line in lines]


def test_ledger_agrees_with_itself_after_all_of_this(gateway: Gateway):
    assert gateway.deployment.waystation("reconcile") == "All agrees.\n"


@pytest.mark.parametrize("name", ["SettleUnwrittenAlarm", "OutboxDeadLettersAlarm"])
def test_alarm_is_there(gateway: Gateway, name: str):
    cloudwatch = gateway.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[gateway.resource(name)])["MetricAlarms"]
    assert alarm["Threshold"] == 1
    assert alarm["AlarmActions"] == []


def test_dashboard_is_there(gateway: Gateway):
    name = gateway.deployment.stack_name
    body = gateway.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    (metric, *_) = json.loads(body)["widgets"][0]["properties"]["metrics"][0]
    assert f"waystation-{name}" in metric["expression"]


def _sweep(gateway: Gateway) -> Any:
    """Return Lambda's answer to the schedule's event."""
    return gateway.client("lambda").invoke(
        FunctionName=gateway.resource("UpkeepFunction"), Payload=SCHEDULE.read_bytes()
    )


def _put(gateway: Gateway, item: dict[str, object]) -> None:
    serializer = TypeSerializer()
    stored = {name: serializer.serialize(value) for name, value in item.items()}
    gateway.client("dynamodb").put_item(
        TableName=gateway.deployment.outputs["TableName"], Item=stored
    )


def _item(gateway: Gateway, pk: str, sk: str) -> dict[str, Any]:
    """Return an item; empty if there is none."""
    answer = gateway.client("dynamodb").get_item(
        TableName=gateway.deployment.outputs["TableName"],
        Key={"PK": {"S": pk}, "SK": {"S": sk}},
    )
    deserializer = TypeDeserializer()
    found = answer.get("Item", {}).items()
    return {name: deserializer.deserialize(value) for name, value in found}


def _record(gateway: Gateway, request_id: str, user_id: str) -> dict[str, Any]:
    return _item(gateway, f"U#{user_id}", f"REQ#{request_id}")


def _send(gateway: Gateway, body: str) -> None:
    url = gateway.deployment.outputs["Outbox"]
    gateway.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def _is_empty(gateway: Gateway, queue: str) -> bool:
    """Tell whether a queue has no message, not even one that is being read."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = gateway.deployment.outputs[queue]
    found = gateway.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return all(found["Attributes"][name] == "0" for name in names)


@contextmanager
def _delivered_again_after(gateway: Gateway, seconds: int) -> Iterator[None]:
    """Have the outbox deliver again after so long what was not applied."""
    sqs, url = gateway.client("sqs"), gateway.deployment.outputs["Outbox"]
    name = "VisibilityTimeout"
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: str(seconds)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def _lines(gateway: Gateway, message: str, group: str = "UpkeepLogs") -> list[dict[str, Any]]:
    """Return the lines of a log with a message."""
    lines = gateway.logged(group).splitlines()
    return [json.loads(line) for line in lines if f'"message":"{message}"' in line]
