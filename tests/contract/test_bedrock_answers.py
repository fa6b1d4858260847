"""boto3 as the judge of Converse answers, OpenAI's SDK of what a client is told of them."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.support.bedrock_upstream import framed, framed_reply, point_boto3_at
from tests.support.converse_shaping import shape
from tests.support.fake_upstream import FakeUpstream, json_reply
from waystation.aws.bedrock import BedrockSender
from waystation.egress.deadlines import Deadline
from waystation.providers.bedrock.answer import ConverseAnswerReader
from waystation.wire.events import Delta, UsageReport
from waystation.wire.openai_chunks import ChunkEncoder
from waystation.wire.sse import SseDecoder

VECTORS = Path(__file__).parent / "vectors" / "bedrock"
CASES = sorted(path.name.removesuffix(".expected.json") for path in VECTORS.glob("*.expected.json"))
every_case = pytest.mark.parametrize("case", CASES)


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(keeps_connections=True) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def sender(upstream: FakeUpstream) -> Iterator[BedrockSender]:
    with pytest.MonkeyPatch.context() as patch:
        point_boto3_at(upstream, patch)
        yield BedrockSender()


def whole_of(case: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((VECTORS / f"{case}.response.json").read_bytes())
    return document


def events_of(case: str) -> list[dict[str, Any]]:
    events = SseDecoder().feed((VECTORS / f"{case}.response.sse").read_bytes())
    return [json.loads(event.data) for event in events]


async def received(sender: BedrockSender, *, is_stream: bool) -> AsyncIterator[bytes]:
    """Ask, and yield the answer as it is handed over."""
    request = shape(is_stream=is_stream).request
    async with sender.send(request, Deadline(float("inf"))) as response:
        while data := await response.receive():
            yield data


@every_case
async def test_boto3_reads_whole_answers_as_they_are(case, upstream, sender):
    whole = whole_of(case)
    metadata = whole.pop("ResponseMetadata")
    named = [("x-amzn-requestid", metadata["RequestId"])]
    upstream.answer(json_reply(whole, headers=named))
    handed_over = b"".join([data async for data in received(sender, is_stream=False)])
    assert json.loads(handed_over) == whole | {"ResponseMetadata": metadata}


@every_case
async def test_boto3_reads_streams_as_they_are(case, upstream, sender):
    _, *events = expected = events_of(case)
    upstream.answer(framed_reply(*map(framed, events)))
    decoder = SseDecoder()
    handed_over = [
        json.loads(event.data)
        async for data in received(sender, is_stream=True)
        for event in decoder.feed(data)
    ]
    assert handed_over == expected


@every_case
def test_whole_answers_are_chat_completions(case):
    body = ConverseAnswerReader().parse((VECTORS / f"{case}.response.json").read_bytes()).body
    body = without_document_citations({"created": 0, "model": "m", **body})
    read = ChatCompletion.model_validate_json(json.dumps(body))
    assert read.id == whole_of(case)["ResponseMetadata"]["RequestId"]
    assert read.usage is not None


@every_case
def test_streamed_answers_are_chunks_that_the_sdk_puts_together(case):
    encoder, state = ChunkEncoder("none", "none", 0), ChatCompletionStreamState()
    parser = ConverseAnswerReader().stream_parser()
    events = parser.feed((VECTORS / f"{case}.response.sse").read_bytes())
    for event in events:
        if isinstance(event, Delta):
            (read,) = chunks_of(encoder.delta(event))
            state.handle_chunk(read)
        elif isinstance(event, UsageReport):
            (read,) = chunks_of(encoder.usage(event))
            assert read.usage is not None
    completion = ConverseAnswerReader().parse((VECTORS / f"{case}.response.json").read_bytes())
    choices: Any = completion.body["choices"]
    folded = state.current_completion_snapshot.choices[0]
    assert folded.finish_reason == choices[0]["finish_reason"]
    assert folded.message.content == choices[0]["message"]["content"]
    calls = [call.to_dict() for call in folded.message.tool_calls or ()]
    assert [call["function"] for call in calls] == [
        {**call["function"], "parsed_arguments": None}
        for call in choices[0]["message"].get("tool_calls", ())
    ]


def chunks_of(data: bytes) -> list[ChatCompletionChunk]:
    return [
        ChatCompletionChunk.model_validate_json(event.data) for event in SseDecoder().feed(data)
    ]


def without_document_citations(body: dict[str, Any]) -> dict[str, Any]:
    """Take out the annotations that OpenAI has no type for."""
    for choice in body["choices"]:
        notes = choice["message"].pop("annotations", [])
        choice["message"]["annotations"] = [n for n in notes if n["type"] == "url_citation"]
    return body
