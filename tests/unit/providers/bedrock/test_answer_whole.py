"""Whole answers as chat completions."""

import json
from typing import Any

import pytest

from tests.support.bedrock_upstream import (
    REQUEST_ID,
    Block,
    answer,
    cited_block,
    handed_over_whole,
    page_citation,
    reasoning_block,
    redacted_block,
    text_block,
    tool_block,
    usage,
    web_citation,
)
from waystation.errors import UpstreamError, UpstreamInvalidResponseError
from waystation.providers.bedrock.answer import ConverseAnswerReader
from waystation.wire.events import Completion
from waystation.wire.usage import Usage


def parse(*blocks: Block, **fields: Any) -> Completion:
    return ConverseAnswerReader().parse(handed_over_whole(*blocks, **fields))


def choice_of(*blocks: Block, **fields: Any) -> Any:
    choices: Any = parse(*blocks, **fields).body["choices"]
    (choice,) = choices
    return choice


def message_of(*blocks: Block) -> Any:
    message = choice_of(*blocks)["message"]
    assert message.pop("role") == "assistant"
    return message


def test_a_text():
    completion = parse(text_block("Hel"), text_block("lo"))
    assert completion.body == {
        "id": REQUEST_ID,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello"},
                "finish_reason": "stop",
                "provider_specific_fields": {"native_finish_reason": "end_turn"},
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
    assert completion.usage == Usage(10, 5)
    assert completion.upstream_id == REQUEST_ID


def test_an_answer_without_an_id():
    body = json.dumps(answer(text_block("a"))).encode()
    completion = ConverseAnswerReader().parse(body)
    assert completion.upstream_id is None
    assert "id" not in completion.body


def test_reasoning():
    assert message_of(
        reasoning_block("A", "s1"), redacted_block(), reasoning_block("B", None), text_block("C")
    ) == {
        "content": "C",
        "reasoning_content": "A\n\nB",
        "thinking_blocks": [
            {"type": "thinking", "thinking": "A", "signature": "s1"},
            {"type": "redacted_thinking", "data": "cmVkYWN0ZWQ="},
        ],
    }


def test_calls():
    own = {"toolUse": {"toolUseId": "s", "name": "nova_grounding", "type": "server_tool_use"}}
    assert message_of(tool_block("f", {"a": "é"}), own, tool_block("g", {}, "t2")) == {
        "content": None,
        "tool_calls": [
            {
                "id": "tooluse_1",
                "type": "function",
                "function": {"name": "f", "arguments": '{"a":"é"}'},
            },
            {"id": "t2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    }


def test_citations():
    web, page = web_citation("https://a.test", "A"), page_citation(3, "D")
    assert message_of(text_block("Hi. "), cited_block("21 °C", web, page, {})) == {
        "content": "Hi. 21 °C",
        "annotations": [
            {
                "type": "url_citation",
                "url_citation": {
                    "start_index": 4,
                    "end_index": 9,
                    "url": "https://a.test",
                    "domain": "a.test",
                    "title": "A",
                    "cited_text": "21 °C",
                },
            },
            {
                "type": "documentPage",
                "documentPage": {
                    "start_index": 4,
                    "end_index": 9,
                    "documentIndex": 0,
                    "start": 3,
                    "end": 3,
                    "title": "D",
                },
            },
            {"type": "citation", "citation": {"start_index": 4, "end_index": 9}},
        ],
    }


def test_blocks_of_other_kinds_are_not_told():
    assert message_of({"image": {"format": "png"}}, {"hologram": 1}) == {"content": None}


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_model_output", "stop"),
    ],
)
def test_reasons_for_the_end(reason, finish):
    choice = choice_of(text_block("a"), stopReason=reason)
    assert choice["finish_reason"] == finish
    assert choice["provider_specific_fields"] == {"native_finish_reason": reason}


def test_no_reason_for_the_end():
    assert choice_of(tool_block("f", {}), stopReason=None)["finish_reason"] == "tool_calls"
    choice = choice_of(text_block("a"), stopReason=None)
    assert choice["finish_reason"] == "stop"
    assert "provider_specific_fields" not in choice


def test_what_else_is_known_of_the_end():
    known = {"trace": {"guardrail": {}}, "additionalModelResponseFields": {"stop_sequence": "A"}}
    fields = choice_of(text_block("a"), **known)["provider_specific_fields"]
    assert fields == {"native_finish_reason": "end_turn"} | known


def test_cached_tokens_come_on_top():
    by_lifetime = [{"ttl": "1h", "inputTokens": 4}, {"ttl": "5m", "inputTokens": 3}]
    counted = usage(
        cacheReadInputTokens=20, cacheWriteInputTokens=7, cacheDetails=by_lifetime, other=1
    )
    completion = parse(text_block("a"), usage=counted)
    assert completion.usage == Usage(
        37, 5, cache_read_tokens=20, cache_write_tokens=7, cache_write_1h_tokens=4
    )
    assert completion.body["usage"] == {
        "prompt_tokens": 37,
        "completion_tokens": 5,
        "total_tokens": 42,
        "prompt_tokens_details": {
            "cached_tokens": 20,
            "cache_write_tokens": 7,
            "cache_creation_token_details": {
                "ephemeral_1h_input_tokens": 4,
                "ephemeral_5m_input_tokens": 3,
            },
        },
        "other": 1,
    }


@pytest.mark.parametrize("counted", [None, {}, usage(-1), usage(received=1.5)], ids=str)  # type: ignore[arg-type]
def test_counts_that_cannot_be_are_none(counted):
    assert parse(text_block("a"), usage=counted).usage is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"output": []}',
        b'{"output": {"message": {"content": "a"}}}',
        b'{"output": {"message": {"content": ["a"]}}}',
        b'{"output": {"message": {"content": [{"text": 1}]}}}',
        b'{"output": {"message": {"content": [{"toolUse": {"name": "f"}}]}}}',
    ],
    ids=str,
)
def test_what_is_no_answer_is_refused(body):
    with pytest.raises(UpstreamInvalidResponseError):
        ConverseAnswerReader().parse(body)


def test_too_many_calls_are_refused():
    with pytest.raises(UpstreamInvalidResponseError):
        parse(*[tool_block("f", {})] * 129)


def test_an_error_is_told():
    with pytest.raises(UpstreamError) as caught:
        ConverseAnswerReader().parse(b'{"error": {"message": "No."}}')
    assert caught.value.message == "No."
