"""Calls, citations and the upstream's own tools in streamed messages."""

from typing import Any

import pytest

from tests.support.anthropic_upstream import (
    MESSAGE_STOP,
    Event,
    block_delta,
    block_start,
    block_stop,
    events_of,
    message_delta,
    message_start,
    search_block,
    search_result_block,
    text_block,
    tool_block,
    web_citation,
)
from tests.support.event_bytes import encoded
from tests.support.streamed_answers import pieces, read_stream
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.wire.events import StreamEvent

START = message_start()
END = [message_delta(), MESSAGE_STOP]


def parse(*events: Event | bytes) -> list[StreamEvent]:
    return read_stream(AnthropicAnswerReader(), *map(encoded, events))


def block(start: dict[str, Any], *deltas: Event) -> list[dict[str, Any]]:
    """Return the deltas of an answer of one block."""
    return pieces(parse(START, block_start(start), *deltas, block_stop(), *END))


def call(index: int, arguments: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}


def begun(index: int, call_id: str, name: str) -> dict[str, Any]:
    function = {"name": name, "arguments": ""}
    return {
        "tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]
    }


def test_calls_are_numbered_among_themselves():
    blocks = [text_block("a"), tool_block("f", {"x": "é"}, "c1"), tool_block("g", {"y": 2}, "c2")]
    assert pieces(parse(*events_of(*blocks))) == [
        {"content": "a"},
        begun(0, "c1", "f"),
        call(0, '{"x":'),
        call(0, '"é"}'),
        begun(1, "c2", "g"),
        call(1, '{"y"'),
        call(1, ":2}"),
    ]


def test_calls_may_be_interleaved():
    events = [
        block_start(tool_block("f", {}, "c1"), 0),
        block_start(tool_block("g", {}, "c2"), 3),
        block_delta("input_json_delta", 3, partial_json="{2}"),
        block_delta("input_json_delta", 0, partial_json="{1}"),
        block_stop(3),
        block_stop(0),
    ]
    assert pieces(parse(START, *events, *END)) == [
        begun(0, "c1", "f"),
        begun(1, "c2", "g"),
        call(1, "{2}"),
        call(0, "{1}"),
    ]


def test_a_call_without_input_has_empty_arguments():
    assert block(tool_block("f", {})) == [begun(0, "toolu_1", "f"), call(0, "{}")]
    empty = block_delta("input_json_delta", partial_json="")
    assert block(tool_block("f", {}), empty) == [begun(0, "toolu_1", "f"), call(0, "{}")]


def test_input_in_the_start_of_a_call_counts_if_no_other_comes():
    start = tool_block("f", {"x": 1})
    assert block(start) == [begun(0, "toolu_1", "f"), call(0, '{"x":1}')]
    assert block(start, block_delta("input_json_delta", partial_json="{}")) == [
        begun(0, "toolu_1", "f"),
        call(0, "{}"),
    ]


def test_what_the_upstreams_own_tools_did_is_told_when_it_is_whole():
    search, found = search_block(), search_result_block("https://a.test", "A")
    assert pieces(parse(*events_of(search, found))) == [
        {"server_tool_blocks": [{"index": 0, **search}]},
        {"server_tool_blocks": [{"index": 1, **found}]},
    ]


@pytest.mark.parametrize("told", ["", '{"query":', "[1]", "[" * 100])
def test_input_of_the_upstreams_own_tools_that_is_none_stays_as_it_began(told):
    delta = block_delta("input_json_delta", partial_json=told)
    assert block(search_block(), delta) == [
        {"server_tool_blocks": [{"index": 0, **search_block()}]}
    ]


@pytest.mark.parametrize("is_early", [True, False])
def test_citations_are_told_when_their_text_is_whole(is_early):
    texts = [block_delta("text_delta", text=text) for text in ("4", "56")]
    notes = [
        block_delta("citations_delta", citation=web_citation(f"https://{name}.test", name))
        for name in ("a", "b")
    ]
    start = {"type": "text", "text": "", "citations": []}
    deltas = [*notes, *texts] if is_early else [*texts, *notes]
    told = pieces(
        parse(
            START,
            block_start({"type": "text", "text": "123"}),
            block_stop(),
            block_start(start, 1),
            *({**delta, "index": 1} for delta in deltas),
            block_stop(1),
            *END,
        )
    )
    assert told[1:3] == [{"content": "4"}, {"content": "56"}]
    assert told[3:] == [
        {
            "annotations": [
                {
                    "index": number,
                    "type": "url_citation",
                    "url_citation": {
                        "start_index": 3,
                        "end_index": 6,
                        "url": f"https://{name}.test",
                        "title": name,
                        "cited_text": "21 °C",
                        "encrypted_index": "Eo8BCioIAhgB",
                    },
                }
                for number, name in enumerate("ab")
            ]
        }
    ]


def test_citations_are_numbered_in_the_whole_message():
    cited = text_block("ab", [web_citation("https://a.test", "A")])
    told = pieces(parse(*events_of(cited, cited)))
    notes = [note for piece in told for note in piece.get("annotations", [])]
    assert [
        (n["index"], n["url_citation"]["start_index"], n["url_citation"]["end_index"])
        for n in notes
    ] == [(0, 0, 2), (1, 2, 4)]
