"""Chats told by Anthropic's API: its SDK makes the same of a stream as of the whole answer."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.support.fake_upstream import FakeUpstream, stream_reply
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.providers.openai_compatible.parse import ChatAnswerReader
from waystation.providers.openai_compatible.responses import ResponsesAnswerReader
from waystation.providers.provider import AnswerReader
from waystation.wire.anthropic_answer import to_message
from waystation.wire.anthropic_chunks import MessageEncoder
from waystation.wire.events import (
    Completion,
    Delta,
    Failed,
    Finished,
    StreamEvent,
    UsageReport,
    stream_of,
)

VECTORS = Path(__file__).parent / "vectors"
READERS: dict[str, AnswerReader] = {
    "anthropic": AnthropicAnswerReader(),
    "openai_compatible": ChatAnswerReader(),
    "openai_responses": ResponsesAnswerReader(),
}
CASES = [
    (folder, path.name.removesuffix(".response.sse"))
    for folder in READERS
    for path in sorted((VECTORS / folder).glob("*.response.sse"))
]
ASKED: Any = {
    "model": "m",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "Hi"}],
}
MESSAGE = TypeAdapter(anthropic.types.Message)


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as upstream:
        yield upstream


def gathered(upstream: FakeUpstream, events: Iterable[StreamEvent]) -> dict[str, Any]:
    """Return what the SDK makes of a stream of these events."""
    encoder = MessageEncoder(request_id="r1", model="m")
    upstream.answer(stream_reply(*filter(None, map(encoder.encode, events))))
    url = f"http://{upstream.address}"
    with (
        anthropic.Anthropic(base_url=url, api_key="k", max_retries=0) as client,
        client.messages.stream(**ASKED) as stream,
    ):
        return _known(stream.get_final_message().to_dict())


def whole(completion: Completion) -> dict[str, Any]:
    """Return the same answer as a message, after a look at its types."""
    message: Any = json.loads(json.dumps(to_message(completion, id="msg_r1", model="m")))
    MESSAGE.validate_python(message)
    return _known(message)


def _known(message: Any) -> dict[str, Any]:
    """Return a message without what the SDK adds, or does not gather: the cost."""
    for block in message["content"]:
        block.pop("parsed_output", None)
        block.pop("toolset_name", None)
    counts = {k: v for k, v in message["usage"].items() if k in {"input_tokens", "output_tokens"}}
    return {**{k: v for k, v in message.items() if v is not None}, "usage": counts}


def _settled(events: list[StreamEvent]) -> list[StreamEvent]:
    """Return the events as a metered call tells them: one report of the usage, before the end."""
    reports = [event for event in events if isinstance(event, UsageReport)]
    last = reports[-1] if reports else UsageReport(None, {})
    return [*(event for event in events if isinstance(event, Delta)), last, Finished()]


@pytest.mark.parametrize(("folder", "case"), CASES, ids=lambda part: part)
def test_a_stream_comes_to_the_whole(upstream: FakeUpstream, folder: str, case: str) -> None:
    reader = READERS[folder]
    parser = reader.stream_parser()
    events = parser.feed((VECTORS / folder / f"{case}.response.sse").read_bytes())
    events += parser.finish()
    assert not any(isinstance(event, Failed) for event in events)
    completion = reader.parse((VECTORS / folder / f"{case}.response.json").read_bytes())

    assert gathered(upstream, _settled(events)) == whole(completion)


texts = st.text(max_size=5)
numbers = st.integers(-(2**63), 2**64 - 1)
inputs = st.dictionaries(texts, st.none() | numbers | texts | st.lists(texts), max_size=3)
calls = st.builds(
    lambda name, given: {
        "id": f"call_{name}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(given)},
    },
    st.text("abc", min_size=1, max_size=3),
    inputs,
)
thoughts = st.builds(
    lambda text, signature: {"type": "thinking", "thinking": text, "signature": signature},
    texts,
    st.text("abc", min_size=1),
) | st.builds(lambda data: {"type": "redacted_thinking", "data": data}, texts)
notes = st.builds(
    lambda title: {"type": "url_citation", "url_citation": {"url": "https://a", "title": title}},
    texts,
)
messages = st.fixed_dictionaries(
    {"content": st.none() | texts},
    optional={
        "reasoning_content": texts,
        "thinking_blocks": st.lists(thoughts, max_size=3),
        "tool_calls": st.lists(calls, max_size=3),
        "annotations": st.lists(notes, max_size=2),
        "refusal": st.none() | texts,
    },
)
completions = st.builds(
    lambda message, finish, usage: Completion(
        {
            "id": "chatcmpl-1",
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": usage, "completion_tokens": usage},
        },
        None,
    ),
    messages,
    st.sampled_from(["stop", "length", "tool_calls", "content_filter", None]),
    st.integers(0, 1000),
)


@settings(max_examples=50, deadline=None)
@given(completions)
def test_any_answer_told_as_a_stream_comes_to_the_whole(
    upstream: FakeUpstream, completion: Completion
) -> None:
    assert gathered(upstream, stream_of(completion)) == whole(completion)
