"""Streamed responses as the events of a chat completion."""

import json

import pytest

from tests.support.event_bytes import encoded
from tests.support.responses_upstream import (
    Event,
    Item,
    ending,
    events_of,
    item_added,
    item_done,
    reasoning_item,
    refusal_item,
    response,
    search_item,
    text_delta,
    text_item,
    url_citation,
)
from tests.support.streamed_answers import failure, pieces, read_stream
from waystation.errors import UpstreamInvalidResponseError
from waystation.providers.openai_compatible.responses import ResponsesAnswerReader
from waystation.wire.events import Delta, Finished, StreamEvent, UsageReport
from waystation.wire.usage import Usage

HEAD = {"id": "resp_1", "model": "upstream-model", "created": 1700000000}
RAW = {
    "prompt_tokens": 10,
    "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "completion_tokens": 5,
    "completion_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}
COUNTED = Usage(10, 5, cache_read_tokens=0, cache_write_tokens=0, reasoning_tokens=0)
CREATED: Event = {"type": "response.created", "response": response(status="in_progress")}


def parse(*events: Event | bytes) -> list[StreamEvent]:
    return read_stream(ResponsesAnswerReader(), *map(encoded, events))


def test_a_stream_is_deltas_usage_and_the_end():
    def delta(piece: object, finish: str | None = None, **extra: object) -> Delta:
        return Delta([{"index": 0, "delta": piece, "finish_reason": finish}], {**HEAD, **extra})

    assert parse(*events_of(text_item("Hello!"), service_tier="flex")) == [
        delta({"role": "assistant", "content": "Hel"}),
        delta({"content": "lo!"}),
        delta({}, "stop", service_tier="flex"),
        UsageReport(COUNTED, RAW, HEAD),
        Finished(),
    ]


def test_nothing_is_told_before_the_model_says_something():
    begun = [
        CREATED,
        {"type": "response.in_progress"},
        item_added(search_item()),
        item_done(search_item()),
    ]
    assert failure(parse(*begun)) == (
        UpstreamInvalidResponseError,
        "The upstream's stream broke off.",
    )
    assert len(parse(*begun)) == 1


def test_the_type_of_the_data_is_enough():
    events = events_of(text_item("Hello!"))
    bare = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    assert parse(*bare) == parse(*events)


def test_the_name_of_the_event_is_enough():
    named = [
        f"event: {event.pop('type')}\ndata: {json.dumps(event)}\n\n".encode()
        for event in events_of(text_item("Hello!"))
    ]
    assert parse(*named) == parse(*events_of(text_item("Hello!")))


NOISE: list[Event | bytes] = [
    b": ping\n\n",
    b"data:\n\n",
    b"data: [DONE]\n\n",
    {"type": "keepalive", "sequence_number": 3},
    {"type": "response.queued", "response": {}},
    {"type": "response.future.delta", "delta": "x"},
    {"type": "response.output_item.added", "item": None},
    {"type": "response.output_text.annotation.added", "annotation": None},
]


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_noise_is_no_event(noise):
    events = events_of(text_item("Hello!"))
    mixed = [piece for event in events for piece in (noise, event)]
    assert parse(*mixed) == parse(*events)


def test_reasoning_has_a_blank_line_between_its_parts():
    one, two = reasoning_item("ab", "cd", encrypted="e"), reasoning_item("ef")
    assert pieces(parse(*events_of(one, search_item(), two, text_item("4")))) == [
        {"reasoning_content": "a"},
        {"reasoning_content": "b"},
        {"reasoning_content": "\n\nc"},
        {"reasoning_content": "d"},
        {"reasoning_items": [{"index": 0, **one}]},
        {"reasoning_content": "\n\ne"},
        {"reasoning_content": "f"},
        {"reasoning_items": [{"index": 1, **two}]},
        {"content": "4"},
    ]


def test_reasoning_itself_is_told_where_there_is_no_summary():
    content = [{"type": "reasoning_text", "text": "ab"}, {"type": "reasoning_text", "text": "c"}]
    item: Item = {"type": "reasoning", "summary": [], "content": content}
    kind = "response.reasoning_text"
    events = [
        {"type": f"{kind}.delta", "output_index": 0, "content_index": 0, "delta": "a"},
        {"type": f"{kind}.delta", "output_index": 0, "content_index": 0, "delta": "b"},
        {"type": f"{kind}.done", "output_index": 0, "content_index": 1, "text": "c"},
    ]
    assert pieces(parse(*events, item_done(item), ending(item, text_item("4")))) == [
        {"reasoning_content": "a"},
        {"reasoning_content": "b"},
        {"reasoning_content": "\n\nc"},
        {"content": "4"},
    ]


def test_a_summary_beside_the_reasoning_itself_is_not_told_too():
    events = [
        {"type": "response.reasoning_text.delta", "output_index": 0, "delta": "long"},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "short"},
    ]
    assert pieces(parse(*events, ending(reasoning_item("short"), text_item("4")))) == [
        {"reasoning_content": "long"},
        {"content": "4", "reasoning_items": [{"index": 0, **reasoning_item("short")}]},
    ]


CITED = text_item("Hello!", citations=[url_citation(0, 5, "u", "t")])
TEXT_DONE: Event = {"type": "response.output_text.done", "output_index": 0, "text": "Hello!"}
LATE_TEXTS: dict[str, list[Event]] = {
    "in its own event": [TEXT_DONE],
    "in its own event and the item": [TEXT_DONE, item_done(CITED)],
    "in the item": [item_done(CITED)],
    "half of it": [text_delta("Hel"), item_done(CITED)],
    "in the end": [],
    "without indexes": [
        {"type": "response.output_text.delta", "delta": "Hello!"},
        item_done(CITED),
    ],
    "under another index in the end": [text_delta("Hello!", output_index=7)],
}


@pytest.mark.parametrize("events", LATE_TEXTS.values(), ids=LATE_TEXTS)
def test_a_text_is_told_once_however_it_comes(events):
    told = pieces(parse(CREATED, *events, ending(CITED)))
    assert "".join(piece.get("content") or "" for piece in told) == "Hello!"
    assert [note for piece in told for note in piece.get("annotations", [])] == [
        {
            "index": 0,
            "type": "url_citation",
            "url_citation": {"start_index": 0, "end_index": 5, "url": "u", "title": "t"},
        }
    ]


def test_citations_are_numbered_and_moved():
    item = text_item("Hi. ", "You.", citations=[url_citation(0, 2, "a", "A")])
    item["content"][1]["annotations"] = [url_citation(0, 3, "b", "B")]
    told = pieces(parse(*events_of(text_item("12345"), item)))
    assert [note for piece in told for note in piece.get("annotations", [])] == [
        {
            "index": number,
            "type": "url_citation",
            "url_citation": {"start_index": start, "end_index": end, "url": url, "title": title},
        }
        for number, start, end, url, title in [(0, 5, 7, "a", "A"), (1, 9, 12, "b", "B")]
    ]


REFUSAL = "response.refusal"


@pytest.mark.parametrize(
    "events",
    [
        [{"type": f"{REFUSAL}.delta", "delta": "no"}, item_done(refusal_item("no"))],
        [{"type": f"{REFUSAL}.done", "refusal": "no"}, item_done(refusal_item("no"))],
        [item_done(refusal_item("no"))],
        [],
    ],
    ids=["piece by piece", "in its own event", "in the item", "in the end"],
)
def test_a_refusal_is_told_once(events):
    assert pieces(parse(CREATED, *events, ending(refusal_item("no")))) == [{"refusal": "no"}]


def test_an_answer_that_says_nothing_has_an_empty_text():
    fields = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    told = parse(CREATED, ending(reasoning_item(), **fields))
    assert pieces(told) == [
        {"reasoning_items": [{"index": 0, **reasoning_item()}]},
        {"content": ""},
    ]
    assert told[2].choices[0]["finish_reason"] == "length"  # type: ignore[union-attr]


def test_logprobs_come_beside_their_text():
    token = {"token": "Hi", "logprob": -0.5}
    told = parse(CREATED, text_delta("Hi", logprobs=[token]), ending(text_item("Hi")))
    assert told[0].choices[0]["logprobs"] == {  # type: ignore[union-attr]
        "content": [{"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": []}],
        "refusal": None,
    }


@pytest.mark.parametrize("is_early", [True, False])
def test_logprobs_that_come_late_are_told_once(is_early):
    token = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
    item = text_item("Hi")
    item["content"][0]["logprobs"] = [token]
    events = [text_delta("Hi", logprobs=[token])] if is_early else []
    for late in ([item_done(item)], []):
        told = parse(CREATED, *events, *late, ending(item))
        found = [event.choices[0].get("logprobs") for event in told if isinstance(event, Delta)]
        assert found == [{"content": [token], "refusal": None}, None]


def test_no_usage_is_no_report():
    told = parse(CREATED, text_delta("Hi"), ending(usage=None))
    assert [type(event) for event in told] == [Delta, Delta, Finished]


def test_the_head_may_come_with_the_end_only():
    told = parse(text_delta("Hi"), ending(text_item("Hi")))
    assert [event.extra for event in told if isinstance(event, Delta)] == [{}, HEAD]
