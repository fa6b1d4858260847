"""Whole messages as chat completions."""

import json
from typing import Any

import pytest

from tests.support.anthropic_upstream import (
    message,
    redacted_block,
    search_block,
    search_result_block,
    text_block,
    thinking_block,
    tool_block,
    usage,
    web_citation,
)
from tests.support.mutations import mutations
from waystation.errors import (
    UpstreamError,
    UpstreamInvalidResponseError,
)
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.wire.events import Completion
from waystation.wire.usage import Usage


def parse(*blocks: dict[str, Any], **fields: object) -> Completion:
    return AnthropicAnswerReader().parse(json.dumps(message(*blocks, **fields)).encode())


def choice_of(*blocks: dict[str, Any], **fields: object) -> dict[str, Any]:
    choices: Any = parse(*blocks, **fields).body["choices"]
    (choice,) = choices
    found: dict[str, Any] = choice
    return found


def said(*blocks: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = choice_of(*blocks)["message"]
    return found


def test_a_message_is_a_chat_completion():
    assert parse(text_block("Hello!")) == Completion(
        body={
            "id": "msg_1",
            "object": "chat.completion",
            "model": "claude-test-1",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hello!"},
                    "finish_reason": "stop",
                    "provider_specific_fields": {"native_finish_reason": "end_turn"},
                }
            ],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        },
        usage=Usage(10, 5),
        upstream_id="msg_1",
    )


def test_texts_are_joined():
    assert said(text_block("a"), text_block(""), text_block("b"))["content"] == "ab"


@pytest.mark.parametrize("blocks", [[], [text_block("")], [thinking_block("t")]])
def test_an_answer_without_text_has_none(blocks):
    assert said(*blocks)["content"] is None


def test_thinking_is_told_as_text_and_as_it_came():
    one, hidden, two = thinking_block("ab"), redacted_block(), thinking_block("cd", "sig2")
    silent = thinking_block("", "sig3")
    assert said(one, hidden, silent, two, text_block("4")) == {
        "role": "assistant",
        "content": "4",
        "reasoning_content": "ab\n\ncd",
        "thinking_blocks": [one, hidden, silent, two],
    }


def test_calls_are_told_with_their_input_as_text():
    block = tool_block("f", {"city": "Łódź", "days": [1, 2]}, "c1")
    bare = {"type": "tool_use", "id": "c2", "name": "g"}
    assert said(block, bare) == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "f", "arguments": '{"city":"Łódź","days":[1,2]}'},
            },
            {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    }


def test_who_made_a_call_is_kept():
    caller = {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"}
    (call,) = said(tool_block("f", {}) | {"caller": caller, "toolset_name": None})["tool_calls"]
    assert call["caller"] == caller
    assert "toolset_name" not in call


def test_what_the_upstreams_own_tools_did_is_kept_as_it_came():
    ran = {"type": "bash_code_execution_tool_result", "tool_use_id": "s2", "content": {}}
    blocks = [search_block(), search_result_block("https://a.test", "A"), ran]
    assert said(*blocks, text_block("4")) == {
        "role": "assistant",
        "content": "4",
        "server_tool_blocks": blocks,
    }


def test_blocks_of_a_kind_unknown_here_are_skipped():
    assert said({"type": "future", "text": "x"}, {"text": "x"}, text_block("4"))["content"] == "4"


PLACE = {"start_index": 3, "end_index": 6}
WEB = {"cited_text": "21 °C", "encrypted_index": "Eo8BCioIAhgB"}
FOUND = {"type": "search_result_location", "source": "https://a.test/x", "title": "X", "n": 1}
CHARS = {"type": "char_location", "document_index": 0, "start_char_index": 5, "end_char_index": 9}
CITATIONS: dict[str, tuple[dict[str, object], str, dict[str, object]]] = {
    "web": (
        web_citation("https://a.test", "A"),
        "url_citation",
        {"url": "https://a.test", "title": "A", **WEB},
    ),
    "web without a title": (
        web_citation("https://a.test", None),
        "url_citation",
        {"url": "https://a.test", "title": "https://a.test", **WEB},
    ),
    "search result": (
        FOUND,
        "url_citation",
        {"source": "https://a.test/x", "url": "https://a.test/x", "title": "X", "n": 1},
    ),
    "search result without a URL": (
        FOUND | {"source": "shelf 3"},
        "search_result_location",
        {"source": "shelf 3", "title": "X", "n": 1},
    ),
    "characters of a document": (
        CHARS,
        "char_location",
        {"document_index": 0, "start_char_index": 5, "end_char_index": 9},
    ),
    "no type": ({"x": 1}, "citation", {"x": 1}),
}


@pytest.mark.parametrize(("note", "kind", "told"), CITATIONS.values(), ids=CITATIONS)
def test_citations_are_annotations_of_the_text_of_their_block(note, kind, told):
    assert said(text_block("123"), text_block("456", [note]), text_block("7"))["annotations"] == [
        {"type": kind, kind: PLACE | told}
    ]


REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "future": "stop",
}


@pytest.mark.parametrize(("native", "finish"), REASONS.items(), ids=REASONS)
def test_why_it_ended_is_told_by_both_names(native, finish):
    choice = choice_of(tool_block("f", {}), stop_reason=native)
    assert choice["finish_reason"] == finish
    assert choice["provider_specific_fields"] == {"native_finish_reason": native}


def test_what_goes_with_the_end_is_kept():
    fields = {"stop_sequence": "END", "stop_details": {"type": "refusal"}, "container": {"id": "c"}}
    assert choice_of(**fields)["provider_specific_fields"] == {
        "native_finish_reason": "end_turn",
        **fields,
    }


@pytest.mark.parametrize(
    ("blocks", "finish"), [([], "stop"), ([tool_block("f", {})], "tool_calls")]
)
def test_an_end_without_a_reason_is_guessed_from_the_calls(blocks, finish):
    choice = choice_of(*blocks, stop_reason=None)
    assert choice["finish_reason"] == finish
    assert "provider_specific_fields" not in choice


@pytest.mark.parametrize("told", [None, [], "x"], ids=str)
def test_no_usage_is_none(told):
    completion = parse(text_block("a"), usage=told)
    assert completion.usage is None
    assert "usage" not in completion.body


def test_void_usage_is_none_and_its_counts_are_not_told():
    completion = parse(text_block("a"), usage=usage(-1, service_tier="standard"))
    assert completion.usage is None
    assert completion.body["usage"] == {"service_tier": "standard"}


def test_calls_are_bounded():
    calls = [tool_block("f", {})] * 128
    assert len(said(*calls)["tool_calls"]) == 128
    with pytest.raises(UpstreamInvalidResponseError):
        parse(*calls, tool_block("f", {}))


def test_what_is_wrong_in_one_place_is_read_or_refused():
    good = message(
        thinking_block("t"),
        redacted_block(),
        search_block(),
        text_block("Hi", [web_citation("https://a.test", "A"), CHARS]),
        tool_block("f", {"a": 1}),
        usage=usage(cache_creation_input_tokens=3, cache_creation={"ephemeral_1h_input_tokens": 3}),
    )
    for wrong in mutations(good):
        try:
            completion = AnthropicAnswerReader().parse(json.dumps(wrong).encode())
        except UpstreamError:
            continue
        assert completion.body["choices"]
