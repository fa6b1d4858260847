"""Reasoning found in an answer, wherever it is put."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.providers.openai_compatible.parse import ChatAnswerReader
from waystation.providers.openai_compatible.reasoning_answer import (
    ReasoningRules,
    ThinkSplitter,
    read_reasoning,
)
from waystation.wire.events import Delta, Failed, Finished

SPLIT = {
    "no block": ("Answer", "", "Answer"),
    "a block": ("<think>plan</think>Answer", "plan", "Answer"),
    "blank space around": ("\n<think>\nplan</think>\n\nAnswer", "plan", "Answer"),
    "a text about tags": (
        "`<think>plan</think>` is a block",
        "",
        "`<think>plan</think>` is a block",
    ),
    "two blocks": ("<think>a</think>\n<think>b</think>Y", "a\nb", "Y"),
    "a block after text": ("<think>a</think>X<think>b</think>", "a", "X<think>b</think>"),
    "blank space alone": (" \n", "", " \n"),
    "blank space first": ("\n Answer", "", "\n Answer"),
    "never closed": ("<think>plan", "plan", ""),
    "never opened": ("plan</think>Answer", "", "plan</think>Answer"),
    "an empty block": ("<think>\n\n</think>\n\nAnswer", "", "Answer"),
    "something like a tag": ("a <thin> b < think>", "", "a <thin> b < think>"),
    "the beginning of a tag": ("<thi", "", "<thi"),
    "the beginning of an end": ("<think>a</thi", "a</thi", ""),
    "nested": ("<think>a<think>b</think>c", "a<think>b", "c"),
}


@pytest.mark.parametrize(("text", "reasoning", "rest"), SPLIT.values(), ids=SPLIT)
def test_blocks_are_split_off(text, reasoning, rest):
    assert ThinkSplitter().feed(text, is_last=True) == (reasoning, rest)


pieces = st.lists(st.sampled_from(["<", "think", ">", "</", "<think>", "</think>", " ", "\n", "a"]))


@given(pieces, st.data())
def test_a_tag_may_be_cut_anywhere(parts, data):
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    splitter = ThinkSplitter()

    told = [splitter.feed(text[a:b]) for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    told.append(splitter.feed("", is_last=True))

    reasoning, rest = ("".join(texts) for texts in zip(*told, strict=True))
    assert (reasoning, rest) == ThinkSplitter().feed(text, is_last=True)


@given(st.text().filter(lambda text: text.strip() and "<" not in text))
def test_text_without_tags_is_told_at_once(text):
    assert ThinkSplitter().feed(text) == ("", text)


KEYS = {
    "either field": (None, {"reasoning": "R"}, {"reasoning_content": "R"}),
    "the usual field": (None, {"reasoning_content": "R"}, {"reasoning_content": "R"}),
    "both": (None, {"reasoning": "X", "reasoning_content": "R"}, {"reasoning_content": "R"}),
    "null in one": (
        None,
        {"reasoning": "R", "reasoning_content": None},
        {"reasoning_content": "R"},
    ),
    "null alone": (None, {"reasoning": None, "content": "A"}, {"content": "A"}),
    "an object is another field": (None, {"reasoning": {"a": 1}}, {"reasoning": {"a": 1}}),
    "reasoning chosen": ("reasoning", {"reasoning": "R"}, {"reasoning_content": "R"}),
    "reasoning chosen, not there": ("reasoning", {"reasoning_content": "X"}, {}),
    "reasoning chosen of both": (
        "reasoning",
        {"reasoning": "R", "reasoning_content": "X"},
        {"reasoning_content": "R"},
    ),
    "reasoning_content chosen": (
        "reasoning_content",
        {"reasoning": "X", "reasoning_content": "R"},
        {"reasoning": "X", "reasoning_content": "R"},
    ),
}


@pytest.mark.parametrize(("key", "message", "expected"), KEYS.values(), ids=KEYS)
def test_reasoning_key_selects_the_field(key, message, expected):
    read_reasoning(message, key)
    assert message == expected


def chunk(index: int = 0, finish: str | None = None, **delta: object) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()


def deltas(*chunks: bytes, rules: ReasoningRules | None = None) -> list[object]:
    parser = ChatAnswerReader(rules or ReasoningRules()).stream_parser()
    events = [event for data in chunks for event in parser.feed(data)] + parser.finish()
    assert isinstance(events[-1], Finished | Failed)
    return [
        (choice["index"], choice["delta"])
        for event in events
        if isinstance(event, Delta)
        for choice in event.choices
    ]


def test_a_tag_cut_across_chunks_is_split_live():
    told = deltas(
        chunk(content="<th"), chunk(content="ink>pl"), chunk(content="an</"),
        chunk(content="think>\n\nAns"), chunk(content="wer"), chunk(finish="stop"),
    )  # fmt: skip
    assert told == [
        (0, {}),
        (0, {"reasoning_content": "pl"}),
        (0, {"reasoning_content": "an"}),
        (0, {"content": "Ans"}),
        (0, {"content": "wer"}),
        (0, {}),
    ]


def test_what_looked_like_a_tag_comes_with_the_last_piece():
    assert deltas(chunk(content="<th"), chunk(finish="stop")) == [
        (0, {}),
        (0, {"content": "<th"}),
    ]


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n"])
def test_what_was_held_back_is_told_without_a_last_piece(end):
    assert deltas(chunk(content="<th"), end)[-1] == (0, {"content": "<th"})


def test_choices_are_split_apart():
    told = deltas(
        chunk(0, content="<think>a"),
        chunk(1, content="B"),
        chunk(0, content="</think>A", finish="stop"),
    )
    assert told == [
        (0, {"reasoning_content": "a"}),
        (1, {"content": "B"}),
        (0, {"content": "A"}),
    ]


def test_tags_stay_where_the_entry_keeps_them():
    rules = ReasoningRules(splits_think_tags=False)
    content = "<think>plan</think>Answer"
    assert deltas(chunk(content=content, finish="stop"), rules=rules) == [(0, {"content": content})]
    body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
    assert ChatAnswerReader(rules).parse(body).body["choices"] == [
        {"message": {"content": content}}
    ]


WHOLE = {
    "tags": (
        {"content": "<think>plan</think>Answer"},
        {"content": "Answer", "reasoning_content": "plan"},
    ),
    "only reasoning": (
        {"content": "<think>plan"},
        {"content": None, "reasoning_content": "plan"},
    ),
    "a field and tags": (
        {"content": "<think>b</think>A", "reasoning": "a"},
        {"content": "A", "reasoning_content": "ab"},
    ),
    "parts": ({"content": [{"type": "text", "text": "<think>"}]},) * 2,
    "none": ({"content": None, "reasoning": "a"}, {"content": None, "reasoning_content": "a"}),
}


@pytest.mark.parametrize(("message", "expected"), WHOLE.values(), ids=WHOLE)
def test_a_whole_answer_tells_its_reasoning_alike(message, expected):
    body = json.dumps({"choices": [{"message": message}]}).encode()
    completion = ChatAnswerReader(ReasoningRules()).parse(body)
    assert completion.body["choices"] == [{"message": expected}]
