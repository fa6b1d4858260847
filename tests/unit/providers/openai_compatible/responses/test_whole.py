"""Whole responses as chat completions."""

import json
from typing import Any

import pytest

from tests.support.mutations import mutations
from tests.support.responses_upstream import (
    Item,
    call_item,
    custom_call_item,
    reasoning_item,
    refusal_item,
    response,
    search_item,
    text_item,
    url_citation,
    usage,
)
from waystation.errors import UpstreamError, UpstreamFailedError, UpstreamInvalidResponseError
from waystation.providers.openai_compatible.responses import ResponsesAnswerReader
from waystation.wire.events import Completion
from waystation.wire.usage import Usage

CUSTOM = custom_call_item("g", "x", "c2")
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}


def parse(*items: Item, **fields: object) -> Completion:
    return ResponsesAnswerReader().parse(json.dumps(response(*items, **fields)).encode())


def choice(*items: Item, **fields: object) -> dict[str, Any]:
    choices: Any = parse(*items, **fields).body["choices"]
    found: dict[str, Any] = choices[0]
    assert len(choices) == 1
    return found


def message(*items: Item, **fields: object) -> dict[str, Any]:
    found: dict[str, Any] = choice(*items, **fields)["message"]
    assert found.pop("role") == "assistant"
    return found


def test_a_text():
    counts = usage(20, 9, cached=16, reasoning=4) | {"future": 1}
    assert parse(text_item("Hi"), usage=counts, created_at=1700000000.7) == Completion(
        {
            "id": "resp_1",
            "created": 1700000000,
            "model": "upstream-model",
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hi"},
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 20,
                "prompt_tokens_details": {"cached_tokens": 16, "cache_write_tokens": 0},
                "completion_tokens": 9,
                "completion_tokens_details": {"reasoning_tokens": 4},
                "total_tokens": 29,
                "future": 1,
            },
        },
        Usage(20, 9, cache_read_tokens=16, cache_write_tokens=0, reasoning_tokens=4),
        "resp_1",
    )


def test_the_service_tier_is_told():
    assert parse(text_item("Hi"), service_tier="flex").body["service_tier"] == "flex"


def test_texts_are_joined_and_their_citations_moved():
    one = text_item("Hi. ", citations=[url_citation(0, 3, "https://a.test", "A")])
    two = text_item("You.", citations=[url_citation(1, 2, "https://b.test", "B")])
    container = {"type": "container_file_citation", "file_id": "f", "start_index": 0}
    path = {"type": "file_path", "file_id": "f", "index": 2}
    file = {"type": "file_citation", "file_id": "f", "index": 2}
    two["content"][0]["annotations"] += [container, path, file]

    assert message(one, two) == {
        "content": "Hi. You.",
        "annotations": [
            {
                "type": "url_citation",
                "url_citation": {
                    "start_index": 0,
                    "end_index": 3,
                    "url": "https://a.test",
                    "title": "A",
                },
            },
            {
                "type": "url_citation",
                "url_citation": {
                    "start_index": 5,
                    "end_index": 6,
                    "url": "https://b.test",
                    "title": "B",
                },
            },
            {
                "type": "container_file_citation",
                "container_file_citation": {"file_id": "f", "start_index": 4},
            },
            {"type": "file_path", "file_path": {"file_id": "f", "index": 2}},
            {"type": "file_citation", "file_citation": {"file_id": "f", "index": 6}},
        ],
    }


def test_summaries_are_joined_and_their_items_handed_out():
    one, two = reasoning_item("a", "", "b", encrypted="e"), reasoning_item("c")
    assert message(one, two, text_item("4")) == {
        "content": "4",
        "reasoning_content": "a\n\nb\n\nc",
        "reasoning_items": [one, two],
    }


def test_reasoning_itself_stands_in_for_a_summary():
    content = [{"type": "reasoning_text", "text": "a"}, {"type": "reasoning_text", "text": "b"}]
    item: Item = {"type": "reasoning", "summary": [], "content": content}
    assert message(item, text_item("4")) == {"content": "4", "reasoning_content": "a\n\nb"}
    summary = [{"type": "summary_text", "text": "s"}]
    assert message(item | {"summary": summary})["reasoning_content"] == "s"


def test_calls():
    assert choice(text_item("See:"), call_item("f", "{}"), CUSTOM) == {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": "See:",
            "tool_calls": [
                CALL,
                {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
            ],
        },
        "finish_reason": "tool_calls",
    }


def test_the_id_of_an_item_stands_in_for_that_of_its_call():
    item = call_item("f", "{}") | {"call_id": None, "id": "fc_1"}
    assert message(item)["tool_calls"][0]["id"] == "fc_1"


def test_content_is_null_only_beside_calls_and_refusals():
    assert message(call_item("f", "{}")) == {"content": None, "tool_calls": [CALL]}
    assert message(refusal_item("no")) == {"content": None, "refusal": "no"}
    assert message(reasoning_item()) == {"content": "", "reasoning_items": [reasoning_item()]}
    assert message() == {"content": ""}


@pytest.mark.parametrize(
    "kind", ["file_search_call", "code_interpreter_call", "mcp_list_tools", "future", None, 1]
)
def test_what_has_no_place_in_a_chat_is_not_shown(kind):
    assert message(search_item(), {"type": kind, "id": "x"}, text_item("Hi")) == {"content": "Hi"}


ENDS = {
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "steered": "length",
    None: "length",
}


@pytest.mark.parametrize(("reason", "expected"), ENDS.items())
def test_why_an_incomplete_response_ended(reason, expected):
    fields = {"status": "incomplete", "incomplete_details": {"reason": reason}}
    assert choice(text_item("Hi"), **fields)["finish_reason"] == expected


def test_a_call_that_was_cut_off_is_none_to_make():
    fields = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert choice(call_item("f", '{"x'), **fields)["finish_reason"] == "length"


def test_logprobs():
    item = text_item("Hi")
    item["content"][0]["logprobs"] = [{"token": "Hi", "logprob": -0.5}]
    assert choice(item)["logprobs"] == {
        "content": [{"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": []}],
        "refusal": None,
    }


def test_usage_without_a_total_gets_one():
    counts = {"input_tokens": 3, "output_tokens": 4, "input_tokens_details": None}
    assert parse(text_item("Hi"), usage=counts).body["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": 7,
    }


@pytest.mark.parametrize("counts", [None, "x", []])
def test_no_usage_is_none(counts):
    completion = parse(text_item("Hi"), usage=counts)
    assert (completion.usage, "usage" in completion.body) == (None, False)


def test_an_odd_head_is_left_out():
    completion = parse(text_item("Hi"), id=5, model=None, created_at="now")
    assert completion.body.keys() == {"object", "choices", "usage"}
    assert completion.upstream_id is None


FAILURES = {
    "failed": ({"status": "failed", "error": {"message": "Overloaded"}}, "Overloaded"),
    "error": ({"error": {"code": "server_error", "message": "Overloaded"}}, "Overloaded"),
    "failed without words": ({"status": "failed"}, "The upstream reported an error."),
    "cancelled": ({"status": "cancelled"}, "The upstream cancelled its response."),
    "queued": ({"status": "queued"}, "The upstream has not finished its response."),
    "in progress": ({"status": "in_progress"}, "The upstream has not finished its response."),
}


@pytest.mark.parametrize(("fields", "told"), FAILURES.values(), ids=FAILURES)
def test_a_response_that_failed_is_an_error(fields, told):
    with pytest.raises(UpstreamFailedError) as caught:
        parse(text_item("Hi"), **fields)
    assert caught.value.message == told


INVALID = {
    "nothing": b"",
    "HTML": b"<html>",
    "list": b"[]",
    "empty": b"{}",
    "chat completion": b'{"object":"chat.completion","choices":[]}',
    "output is an object": b'{"output":{}}',
    "item is a text": b'{"output":["x"]}',
    "content is a text": b'{"output":[{"type":"message","content":"x"}]}',
    "text is a number": (
        b'{"output":[{"type":"message","content":[{"type":"output_text","text":1}]}]}'
    ),
    "call without a name": b'{"output":[{"type":"function_call","call_id":"c"}]}',
}


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID)
def test_what_is_no_response_is_refused(body):
    with pytest.raises(UpstreamInvalidResponseError) as caught:
        ResponsesAnswerReader().parse(body)
    assert caught.value.message == "The upstream's answer is not a response."


def test_calls_are_bounded():
    calls = [call_item("f", "{}")] * 128
    assert len(message(*calls)["tool_calls"]) == 128
    with pytest.raises(UpstreamInvalidResponseError):
        parse(*calls, call_item("f", "{}"))


def test_what_is_wrong_in_one_place_is_read_or_refused():
    item = text_item("Hi", citations=[url_citation(0, 2, "u", "t")])
    item["content"][0]["logprobs"] = [{"token": "Hi", "logprob": -0.5, "top_logprobs": [{}]}]
    reasoning = reasoning_item("s") | {"content": [{"type": "reasoning_text", "text": "r"}]}
    good = response(reasoning, item, refusal_item("no"), call_item("f", "{}"), CUSTOM)
    for wrong in mutations(good):
        try:
            completion = ResponsesAnswerReader().parse(json.dumps(wrong).encode())
        except UpstreamError:
            continue
        assert completion.body["choices"]
