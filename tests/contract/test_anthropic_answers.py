"""Two SDKs as judges: Anthropic's of what comes in, OpenAI's of what a client is told."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from anthropic import Anthropic, APIStatusError
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent, RefusalStopDetails
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from tests.support.anthropic_upstream import (
    error,
    events_of,
    message,
    messages_refused,
    messages_reply,
    messages_streamed,
    redacted_block,
    search_block,
    search_result_block,
    text_block,
    thinking_block,
    tool_block,
    usage,
    web_citation,
)
from tests.support.fake_upstream import FakeUpstream
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.wire.events import Delta, UsageReport
from waystation.wire.openai_chunks import ChunkEncoder
from waystation.wire.sse import SseDecoder

VECTORS = Path(__file__).parent / "vectors" / "anthropic"
CASES = sorted(path.name.removesuffix(".expected.json") for path in VECTORS.glob("*.expected.json"))
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
every_case = pytest.mark.parametrize("case", CASES)


@every_case
def test_vectors_are_valid(case):
    whole = json.loads((VECTORS / f"{case}.response.json").read_bytes())
    received = SseDecoder().feed((VECTORS / f"{case}.response.sse").read_bytes())
    check_message(whole)
    check_stream(map(json.loads, (event.data for event in received)), whole)


def test_answers_of_the_fake_upstream_are_valid():
    blocks = [
        thinking_block("Hmm."),
        redacted_block(),
        search_block(),
        search_result_block("https://a.test", "A"),
        text_block("21 °C", [web_citation("https://a.test", None)]),
        tool_block("f", {"a": 1}),
    ]
    details = {"type": "refusal", "category": None, "explanation": "No."}
    fields = {"stop_reason": "refusal", "stop_details": details, "usage": usage(7, 9)}
    check_message(message(*blocks, **fields))
    check_stream(events_of(*blocks, **fields), message(*blocks, **fields))
    assert RefusalStopDetails.model_validate(details).explanation == "No."


def test_the_sdk_is_served_by_the_fake_upstream():
    asked: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    blocks = [thinking_block("Hmm."), text_block("Hello!"), tool_block("f", {"a": 1})]
    expected = message(*blocks, stop_reason="tool_use")
    with (
        FakeUpstream() as upstream,
        Anthropic(api_key="k", base_url=f"http://{upstream.address}", max_retries=0) as client,
    ):
        upstream.answer(
            messages_reply(*blocks, stop_reason="tool_use"),
            messages_streamed(*blocks, stop_reason="tool_use"),
            messages_refused("overloaded_error", "Later."),
        )
        whole = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            streamed = stream.get_final_message()
        with pytest.raises(APIStatusError) as caught:
            client.messages.create(**asked)
    assert without_nulls(whole.to_dict()) == without_nulls(expected)
    assert without_nulls(streamed.to_dict()) == without_nulls(expected)
    assert (caught.value.status_code, caught.value.body) == (
        529,
        error("overloaded_error", "Later."),
    )


def check_message(document: dict[str, Any]) -> Message:
    """Expect a message that the SDK knows, with nothing that it does not know."""
    read = Message.model_validate(document)
    assert not list(unknown_to(read))
    return read


def check_stream(events: Iterable[dict[str, Any]], whole: dict[str, Any]) -> None:
    """Expect events that the SDK knows, and puts together to the whole message."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for document in events:
        if document["type"] == "ping":
            continue
        read = EVENT.validate_python(document)
        assert read.type == document["type"]
        assert not list(unknown_to(read))
        snapshot = accumulate_event(event=read, current_snapshot=snapshot, json_bufs=buffers)
    assert without_nulls(snapshot.to_dict()) == without_nulls(whole)


def unknown_to(model: Any) -> Iterable[str]:
    yield from model.model_extra or ()
    for name in type(model).model_fields:
        value = getattr(model, name)
        for part in value if isinstance(value, list) else [value]:
            if hasattr(part, "model_extra"):
                yield from unknown_to(part)


@every_case
def test_whole_answers_are_chat_completions(case):
    body = AnthropicAnswerReader().parse((VECTORS / f"{case}.response.json").read_bytes()).body
    body = without_document_citations({"created": 0, **body})
    read = ChatCompletion.model_validate_json(json.dumps(body))
    assert (read.id, read.object) == (f"msg_{case}", "chat.completion")
    assert read.usage is not None


@every_case
def test_streamed_answers_are_chunks_that_the_sdk_puts_together(case):
    encoder = ChunkEncoder("none", "none", 0)
    state = ChatCompletionStreamState()
    parser = AnthropicAnswerReader().stream_parser()
    for event in parser.feed((VECTORS / f"{case}.response.sse").read_bytes()):
        if isinstance(event, Delta):
            (read,) = chunks_of(encoder.delta(event))
            assert read.id == f"msg_{case}"
            state.handle_chunk(read)
        elif isinstance(event, UsageReport):
            (read,) = chunks_of(encoder.usage(event))
            assert read.usage is not None
    completion = AnthropicAnswerReader().parse((VECTORS / f"{case}.response.json").read_bytes())
    choices: Any = completion.body["choices"]
    folded = state.current_completion_snapshot.choices[0]
    assert folded.finish_reason == choices[0]["finish_reason"]
    assert as_told(folded.message.to_dict()) == as_told(choices[0]["message"])


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


def without_nulls(value: Any) -> Any:
    """Take out what says nothing: nulls, and lists of citations that have none."""
    if isinstance(value, list):
        return [without_nulls(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {k: without_nulls(v) for k, v in value.items() if v is not None and v != []}


def without_document_citations(body: dict[str, Any]) -> dict[str, Any]:
    """Leave the citations that a chat completion of the SDK can have."""
    told = body["choices"][0]["message"]
    notes = [note for note in told.get("annotations", []) if note["type"] == "url_citation"]
    choice = body["choices"][0] | {"message": told | {"annotations": notes}}
    return body | {"choices": [choice]}
