"""Where in a stream its usage stands, and which report of several counts."""

import json

import pytest

from waystation.providers.openai_compatible.parse import ChatStreamParser
from waystation.wire.events import Delta, Finished, StreamEvent, UsageReport
from waystation.wire.usage import Usage

EARLY = {"prompt_tokens": 3, "completion_tokens": 1}
RAW = {"prompt_tokens": 3, "completion_tokens": 4}
DONE = b"data: [DONE]\n\n"


def data(document: object) -> bytes:
    return f"data: {json.dumps(document)}\n\n".encode()


def chunk(text: str = "", finish: str | None = None, **extra: object) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return data({"id": "c1", "choices": [choice], **extra})


def parse(*pieces: bytes) -> list[StreamEvent]:
    parser = ChatStreamParser()
    return [event for piece in pieces for event in parser.feed(piece)] + parser.finish()


def reports(*pieces: bytes) -> list[tuple[Usage | None, bool]]:
    told = [event for event in parse(*pieces) if isinstance(event, UsageReport)]
    return [(event.usage, event.counts_output) for event in told]


KIMIS = data({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": RAW}]})
LAST = {
    "in a chunk of its own": chunk("Hi", "stop") + data({"choices": [], "usage": RAW}),
    "in one without choices": chunk("Hi", "stop") + data({"usage": RAW}),
    "in the last chunk": chunk("Hi") + chunk("", "stop", usage=RAW),
    "in x_groq": chunk("Hi") + chunk("", "stop", x_groq={"id": "r", "usage": RAW}),
    "in x_groq and beside": chunk("", "stop", usage=RAW, x_groq={"usage": EARLY}),
    "in a choice": chunk("Hi") + KIMIS,
    "repeated": chunk("", "stop", usage=RAW) + data({"choices": [], "usage": RAW}),
    "growing": chunk("H", usage=EARLY) + chunk("i", "stop", usage=RAW),
    "empty after it": chunk("", "stop", usage=RAW) + data({"choices": [], "usage": {}}),
    "null after it": chunk("", "stop", usage=RAW) + chunk("", usage=None),
}


@pytest.mark.parametrize("stream", LAST.values(), ids=LAST)
def test_last_report_is_the_one_that_counts(stream):
    assert reports(stream, DONE)[-1] == (Usage(3, 4), True)
    assert [type(event) for event in parse(stream, DONE)][-1] is Finished


def test_report_before_the_end_counts_if_nothing_follows():
    stream = chunk("H", usage=RAW) + chunk("i") + chunk("", "stop")
    assert reports(stream, DONE) == [(Usage(3, 4), False), (Usage(3, 4), True)]
    assert reports(stream) == [(Usage(3, 4), False), (Usage(3, 4), True)]


def test_report_of_an_answer_that_breaks_off_does_not_count_its_output():
    assert reports(chunk("H", usage=EARLY), chunk("i")) == [(Usage(3, 1), False)]


@pytest.mark.parametrize("void", [{"prompt_tokens": -1}, {"prompt_tokens": 1.5}, {"x": 1}])
def test_void_report_takes_the_place_of_an_earlier_one(void):
    stream = chunk("H", usage=EARLY) + chunk("", "stop", usage=void)
    assert reports(stream, DONE)[-1] == (None, True)


@pytest.mark.parametrize("usage", [{}, None, [], "12", 0, False])
@pytest.mark.parametrize("place", ["usage", "x_groq"])
def test_what_is_no_report_tells_nothing(place, usage):
    beside = {"usage": usage} if place == "usage" else {"x_groq": {"usage": usage}}
    assert reports(chunk("Hi", "stop", **beside), DONE) == []
    assert reports(chunk("Hi", "stop", x_groq=usage), DONE) == []


def test_usage_elsewhere_stays_for_the_client():
    delta = next(event for event in parse(KIMIS) if isinstance(event, Delta))
    assert delta.choices[0]["usage"] == RAW
