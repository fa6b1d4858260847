"""Calls of tools in streamed responses."""

import pytest

from tests.support.event_bytes import encoded
from tests.support.responses_upstream import (
    Event,
    call_item,
    custom_call_item,
    ending,
    item_added,
    item_done,
    response,
)
from tests.support.streamed_answers import pieces, read_stream
from waystation.providers.openai_compatible.responses import ResponsesAnswerReader
from waystation.wire.events import Failed, Finished, StreamEvent

CREATED: Event = {"type": "response.created", "response": response(status="in_progress")}
CUSTOM = custom_call_item("g", "xy", "c2")


def parse(*events: Event | bytes) -> list[StreamEvent]:
    return read_stream(ResponsesAnswerReader(), *map(encoded, events))


def arguments(text: str, index: int = 0) -> Event:
    kind = "response.function_call_arguments.delta"
    return {"type": kind, "output_index": index, "delta": text}


def call(index: int, call_id: str, name: str) -> dict[str, object]:
    begun = {"name": name, "arguments": ""}
    return {"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": begun}]}


def more(index: int, text: str) -> dict[str, object]:
    return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}


def test_interleaved_calls_are_numbered_in_order():
    events = [
        item_added(call_item("f", "", "a"), 1),
        item_added(call_item("g", "", "b"), 3),
        arguments("{", 3),
        arguments("[", 1),
        arguments("}", 3),
        arguments("]", 1),
    ]
    ends = [item_done(call_item("f", "[]", "a"), 1), item_done(call_item("g", "{}", "b"), 3)]
    told = parse(CREATED, *events, *ends, ending())
    assert pieces(told) == [
        {**call(0, "a", "f")},
        call(1, "b", "g"),
        more(1, "{"),
        more(0, "["),
        more(1, "}"),
        more(0, "]"),
    ]
    assert told[6].choices[0]["finish_reason"] == "tool_calls"  # type: ignore[union-attr]


def test_custom_calls():
    kind = "response.custom_tool_call_input"
    events = [
        item_added(CUSTOM | {"input": ""}),
        {"type": f"{kind}.delta", "output_index": 0, "delta": "x"},
        {"type": f"{kind}.done", "output_index": 0, "input": "xy"},
        item_done(CUSTOM),
    ]
    begun = {"index": 0, "id": "c2", "type": "custom", "custom": {"name": "g", "input": ""}}
    assert pieces(parse(CREATED, *events, ending(CUSTOM))) == [
        {"tool_calls": [begun]},
        {"tool_calls": [{"index": 0, "custom": {"input": "x"}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "y"}}]},
    ]


FULL = call_item("f", "{}", "a")
ARGUMENTS_DONE: Event = {
    "type": "response.function_call_arguments.done",
    "output_index": 0,
    "arguments": "{}",
}
LATE_ARGUMENTS: dict[str, list[Event]] = {
    "in their own event": [item_added(FULL | {"arguments": ""}), ARGUMENTS_DONE, item_done(FULL)],
    "in the item": [item_added(FULL | {"arguments": ""}), item_done(FULL)],
    "in the item from the start": [
        item_added(FULL),
        arguments("{"),
        arguments("}"),
        item_done(FULL),
    ],
    "in an item that never began": [arguments("{"), ARGUMENTS_DONE, item_done(FULL)],
    "in an item that began without a name": [item_added(FULL | {"name": ""}), item_done(FULL)],
    "half of them": [item_added(FULL), arguments("{"), item_done(FULL)],
    "in the end": [],
}


@pytest.mark.parametrize("events", LATE_ARGUMENTS.values(), ids=LATE_ARGUMENTS)
def test_arguments_are_told_once_however_they_come(events):
    told = pieces(parse(CREATED, *events, ending(FULL)))
    calls = [piece["tool_calls"][0] for piece in told]
    assert calls[0]["id"] == "a"
    assert "".join(call["function"]["arguments"] for call in calls) == "{}"


def test_calls_are_bounded():
    calls = [item_added(call_item("f", "", f"c{index}"), index) for index in range(129)]
    assert isinstance(parse(*calls[:128], ending())[-1], Finished)
    assert isinstance(parse(*calls, ending())[-1], Failed)
