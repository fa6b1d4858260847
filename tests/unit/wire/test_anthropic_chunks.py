"""A streamed message, as it goes to a client of Anthropic's API."""

from typing import Any

from tests.support.message_events import deltas, encoded, start
from waystation.errors import UpstreamFailedError, UpstreamRateLimitedError
from waystation.wire.anthropic_chunks import MessageEncoder
from waystation.wire.events import Failed, Finished, Native, StreamEvent, UsageReport

BEGUN = Native("message_start", {"type": "message_start", "message": {"id": "msg_1"}})
PING = Native("ping", {"type": "ping", "x": None})
STOPPED = Native("message_stop", {"type": "message_stop", "y": 1})
PRICED = UsageReport(None, {"input_tokens": 9, "cost": 0.5, "cost_nanousd": 5})


def ending(**usage: object) -> Native:
    delta = {"stop_reason": "end_turn"}
    return Native("message_delta", {"type": "message_delta", "delta": delta, "usage": usage})


def test_error_is_an_event_with_the_id_of_the_request():
    events: list[StreamEvent] = [*deltas(finish=None), Failed(UpstreamFailedError("It broke."))]
    assert encoded(events)[-1] == {
        "type": "error",
        "error": {"type": "api_error", "message": "It broke."},
        "request_id": "r1",
    }


def test_events_of_the_same_api_pass_as_they_are():
    events: list[StreamEvent] = [BEGUN, PING, Native("new", {"type": "new"})]
    assert encoded(events) == [BEGUN.data, PING.data, {"type": "new"}]


def test_the_last_events_wait_for_the_cost():
    encoder = MessageEncoder(request_id="r1", model="m")
    assert encoder.encode(ending(output_tokens=2)) == b""
    assert encoder.encode(STOPPED) == b""
    assert encoder.encode(PRICED) == b""
    assert encoder.encode(Finished()) == (
        b"event: message_delta\n"
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
        b'"usage":{"output_tokens":2,"cost":0.5,"cost_nanousd":5}}\n\n'
        b"event: message_stop\n"
        b'data: {"type":"message_stop","y":1}\n\n'
    )


def test_what_waited_goes_before_whatever_else_comes():
    events: list[StreamEvent] = [ending(output_tokens=1), PING, ending(output_tokens=2)]
    told = encoded([*events, STOPPED, PRICED, Finished()])
    assert [event.get("usage") for event in told] == [
        {"output_tokens": 1},
        None,
        {"output_tokens": 2, "cost": 0.5, "cost_nanousd": 5},
        None,
    ]


def test_two_endings_are_both_told():
    told = encoded([ending(output_tokens=1), ending(output_tokens=2), PRICED, Finished()])
    assert [event.get("usage") for event in told] == [
        {"output_tokens": 1},
        {"output_tokens": 2, "cost": 0.5, "cost_nanousd": 5},
        None,
    ]


def test_an_end_that_is_missing_is_added():
    assert encoded([PING, PRICED, Finished()]) == [PING.data, {"type": "message_stop"}]


def test_a_failure_lets_go_of_what_waited():
    told = encoded([ending(output_tokens=1), Failed(UpstreamRateLimitedError("Slow down."))])
    assert told[0]["usage"] == {"output_tokens": 1}
    assert told[1]["error"] == {"type": "rate_limit_error", "message": "Slow down."}


def test_a_whole_answer_of_the_same_api_is_told_as_events():
    message: dict[str, Any] = {
        "id": "msg_1",
        "content": [{"type": "new"}],
        "stop_reason": "end_turn",
        "usage": {"output_tokens": 2},
    }
    told = encoded([Native("message", message), PRICED, Finished()])
    assert told[1] == start(0, type="new")
    assert told[-2]["usage"] == {"output_tokens": 2, "cost": 0.5, "cost_nanousd": 5}
    assert told[-1] == {"type": "message_stop"}
