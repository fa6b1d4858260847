"""Records in a log, found whatever the log is wrapped in."""

import json

import pytest

from tests.support.ledgers import OPENING, SETTLED
from waystation.ledger.outbox import OutboxMessageError, read_message, write_message
from waystation_cli.replaying import find_messages


def line(event: str = "ledger_settle_unwritten", record: object = None) -> str:
    item = json.dumps(SETTLED.to_item()) if record is None else record
    return json.dumps({"level": "ERROR", "message": event, "record": item, "cause": "down"})


LINES = {
    "alone": line(),
    "after time and stream": f"2026-11-23T05:33:12.000Z 2026/11/23/[$LATEST]ab {line()}",
    "among others": f'START RequestId: 1\n{{"message": "request"}}\n{line()}\nEND\n',
    "filter-log-events": json.dumps({"events": [{"message": line(), "timestamp": 1}]}, indent=2),
    "insights": json.dumps({"results": [[{"field": "@message", "value": line()}]]}),
    "a list": json.dumps([line(), "nothing"]),
    "record as JSON": line(record=SETTLED.to_item()),
    "message of a queue": write_message("settle", SETTLED.to_item()),
    "message in a message": json.dumps({"Body": write_message("settle", SETTLED.to_item())}),
}


@pytest.mark.parametrize("text", LINES.values(), ids=LINES)
def test_record_is_found(text):
    (message,) = find_messages(text)
    told = read_message(message)
    assert (told.kind, told.item) == ("settle", SETTLED.to_item())


def test_records_come_in_the_order_of_the_log():
    opened = line("ledger_open_unwritten", json.dumps(OPENING.to_item()))
    kinds = [read_message(message).kind for message in find_messages(f"{opened}\n{line()}\n")]
    assert kinds == ["open", "settle"]


def test_several_records_may_stand_on_one_line():
    """As the command line of AWS writes a list of messages."""
    text = f"{line()}\t{line('request')}\t{line()}\n"
    assert [read_message(message).kind for message in find_messages(text)] == ["settle"] * 2


def test_other_lines_are_left_alone():
    text = '{"message": "request", "kind": "chat"}\nkind\n\n{"kind": 1\n[1, 2]\n'
    assert list(find_messages(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        line()[:-20],
        line(record="{"),
        line(record=7),
        "ledger_settle_unwritten",
        "ledger_settle_unwritten {",
    ],
)
def test_record_that_cannot_be_read_is_not_passed_over(text):
    (message,) = find_messages(text)
    with pytest.raises(OutboxMessageError):
        read_message(message)
