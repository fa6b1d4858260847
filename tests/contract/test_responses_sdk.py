"""OpenAI's SDK as the judge: of what goes to the API, what comes from it, what a client is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import (
    Response,
    ResponseFunctionToolCall,
    ResponseReasoningItem,
    ResponseStreamEvent,
)
from openai.types.responses.response_create_params import ResponseCreateParams
from openai.types.responses.response_output_message_param import Content
from pydantic import TypeAdapter

from tests.support.responses_upstream import (
    call_item,
    events_of,
    reasoning_item,
    refusal_item,
    response,
    search_item,
    text_item,
    url_citation,
)
from waystation.providers.openai_compatible.responses import (
    ResponsesAnswerReader,
    build_responses_body,
)
from waystation.wire.events import Delta, UsageReport
from waystation.wire.openai_chunks import ChunkEncoder
from waystation.wire.sse import SseDecoder

VECTORS = Path(__file__).parent / "vectors" / "openai_responses"
CASES = sorted(path.name.removesuffix(".expected.json") for path in VECTORS.glob("*.expected.json"))
BODY: TypeAdapter[Any] = TypeAdapter(ResponseCreateParams)
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
CONTENT: TypeAdapter[Any] = TypeAdapter(Content)
every_case = pytest.mark.parametrize("case", CASES)

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
HI: dict[str, object] = {"role": "user", "content": "Hi"}

BODIES: dict[str, tuple[list[dict[str, object]], dict[str, object]]] = {
    "plain": ([HI], {"user": "alice", "stream": False, "max_tokens": 5, "temperature": 0.5}),
    "streamed": ([HI], {"stream": True, "stream_options": {"include_obfuscation": False}}),
    "roles": ([{"role": "system", "content": "s"}, HI, {"role": "assistant", "content": "a"}], {}),
    "images and files": (
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "t"},
                    {"type": "image_url", "image_url": {"url": "data:x"}},
                    {"type": "file", "file": {"file_data": "data:x", "filename": "a.pdf"}},
                ],
            }
        ],
        {},
    ),
    "a tool loop": (
        [
            HI,
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [CALL],
                "reasoning_items": [reasoning_item("s", encrypted="e")],
            },
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "sunny"}]},
        ],
        {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": True},
    ),
    "custom tools": (
        [
            HI,
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "g", "input": ""}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "x"},
        ],
        {
            "tools": [
                {
                    "type": "custom",
                    "custom": {
                        "name": "g",
                        "format": {
                            "type": "grammar",
                            "grammar": {"syntax": "lark", "definition": "start: A"},
                        },
                    },
                }
            ],
            "tool_choice": {"type": "custom", "custom": {"name": "g"}},
        },
    ),
    "choices": (
        [HI],
        {
            "functions": [{"name": "f"}],
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "f"}}],
                },
            },
        },
    ),
    "formats": (
        [HI],
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
            },
            "verbosity": "low",
            "reasoning_effort": "high",
            "reasoning": {"summary": "auto"},
            "logprobs": True,
            "top_logprobs": 2,
            "web_search_options": {"search_context_size": "low"},
            "store": False,
            "metadata": {"a": "b"},
        },
    ),
}


@pytest.mark.parametrize(("messages", "params"), BODIES.values(), ids=BODIES)
def test_bodies_are_what_the_sdk_would_send(messages, params):
    body = build_responses_body(messages, {"model": "gpt-5", **params})
    read = BODY.validate_python(body, strict=True)
    assert json.loads(BODY.dump_json(read, warnings=False)) == body


def test_what_an_assistant_said_in_parts_is_what_the_sdk_would_send():
    parts = [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}]
    body = build_responses_body([{"role": "assistant", "content": parts}], {})
    items: Any = body["input"]
    for part in items[0]["content"]:
        CONTENT.validate_python(part, strict=True)


@every_case
def test_vectors_are_valid(case):
    whole = Response.model_validate_json((VECTORS / f"{case}.response.json").read_bytes())
    assert [item.type for item in whole.output]
    for event in SseDecoder().feed((VECTORS / f"{case}.response.sse").read_bytes()):
        if event.data != "[DONE]":
            check_event(json.loads(event.data))


def test_answers_of_the_fake_upstream_are_valid():
    cited = text_item("a", "b", citations=[url_citation(0, 1, "u", "t")])
    call = call_item("f", "{}")
    items = [reasoning_item("s", encrypted="e"), search_item(), cited, refusal_item("no"), call]
    Response.model_validate(response(*items))
    for event in events_of(*items):
        check_event(event)


def check_event(document: dict[str, Any]) -> None:
    """Expect an event that the SDK knows, with nothing that it does not know."""
    read = EVENT.validate_python(document)
    assert read.type == document["type"]
    assert read.model_extra in (None, {})


@every_case
def test_whole_answers_are_chat_completions(case):
    body = ResponsesAnswerReader().parse((VECTORS / f"{case}.response.json").read_bytes()).body
    read = ChatCompletion.model_validate_json(json.dumps(without_file_citations(body)))
    assert (read.id, read.object) == (f"resp_{case}", "chat.completion")
    assert read.usage is not None


@every_case
def test_streamed_answers_are_chunks_that_the_sdk_puts_together(case):
    encoder = ChunkEncoder("none", "none", 0)
    state = ChatCompletionStreamState()
    for event in (
        ResponsesAnswerReader()
        .stream_parser()
        .feed((VECTORS / f"{case}.response.sse").read_bytes())
    ):
        if isinstance(event, Delta):
            (read,) = chunks_of(encoder.delta(event))
            assert read.id == f"resp_{case}"
            state.handle_chunk(read)
        elif isinstance(event, UsageReport):
            (read,) = chunks_of(encoder.usage(event))
            assert read.usage is not None
    completion = ResponsesAnswerReader().parse((VECTORS / f"{case}.response.json").read_bytes())
    choices: Any = completion.body["choices"]
    folded = state.current_completion_snapshot.choices[0].message.to_dict()
    assert as_told(folded) == as_told(choices[0]["message"])


def test_the_sdk_reads_back_the_items_that_go_out():
    said: dict[str, object] = {
        "role": "assistant",
        "tool_calls": [CALL],
        "reasoning_items": [reasoning_item("s", encrypted="e")],
    }
    items: Any = build_responses_body([said], {})["input"]
    assert ResponseReasoningItem.model_validate(items[0]).encrypted_content == "e"
    assert ResponseFunctionToolCall.model_validate(items[1]).name == "weather"


def chunks_of(data: bytes) -> list[ChatCompletionChunk]:
    return [
        ChatCompletionChunk.model_validate_json(event.data) for event in SseDecoder().feed(data)
    ]


def as_told(value: Any) -> Any:
    """Take out nulls, the numbers of streamed entries, and what the SDK adds of its own."""
    if isinstance(value, list):
        return [as_told(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    own = {"index"} if "type" in value else {"parsed", "parsed_arguments"}
    return {k: as_told(v) for k, v in value.items() if v is not None and k not in own}


def without_file_citations(body: dict[str, Any]) -> dict[str, Any]:
    """Leave the citations that a chat completion of the SDK can have."""
    message = body["choices"][0]["message"]
    notes = [note for note in message.get("annotations", []) if note["type"] == "url_citation"]
    choice = body["choices"][0] | {"message": message | {"annotations": notes}}
    return body | {"choices": [choice]}
