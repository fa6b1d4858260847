"""The SDKs of OpenAI and Anthropic as judges of what is asked for a title.

Each case says in an SDK's own words what a title is to be asked by. The SDK sends it to a fake
upstream; the gateway's request has to be the same.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from anthropic import Anthropic
from anthropic.types.message_create_params import (
    MessageCreateParamsNonStreaming as MessageParams,
)
from openai import OpenAI
from openai.types import CompletionUsage
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming as ChatParams,
)
from openai.types.responses.response_create_params import ResponseCreateParams
from pydantic import TypeAdapter

from tests.support.anthropic_upstream import message, text_block, tool_block
from tests.support.calls import completion, json_answer
from tests.support.config_entries import MINIMAL
from tests.support.fake_upstream import FakeUpstream, Received, json_reply
from tests.support.fakes import Reply
from tests.support.responses_upstream import response, text_item
from tests.support.title_making import body_of, build_titles, make_title
from waystation.titles.service import Title
from waystation.wire.upstream_request import UpstreamRequest

# The SDK warns of models that are to go.
pytestmark = pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")

PROMPT = """\
Analyze this conversation and provide:
1. The detected language of the conversation
2. A concise title in the detected language (5 words or less, no punctuation or quotation)

User: Hi! {output} $& \\1
AI: Hello {convo}."""
ASKED = {
    "endpoint": "Acme",
    "model": "acme-large",
    "input": "Hi! {output} $& \\1",
    "output": "Hello {convo}.",
}
TITLE = "A Greeting"
RESULT = {"language": "English", "title": TITLE}
SCHEMA = {
    "type": "object",
    "properties": {
        "language": {
            "type": "string",
            "description": "The detected language of the conversation",
        },
        "title": {
            "type": "string",
            "description": "A concise title for the conversation in 5 words or less, "
            "without punctuation or quotation",
        },
    },
    "required": ["language", "title"],
}
AS_SYSTEM: Any = [{"role": "system", "content": PROMPT}]
AS_ITEM: Any = [{"type": "message", **AS_SYSTEM[0]}]
AS_USER: Any = [{"role": "user", "content": PROMPT}]
BY_SCHEMA: Any = {
    "response_format": {"type": "json_schema", "json_schema": {"name": "extract", "schema": SCHEMA}}
}
BY_TOOL: Any = {
    "tools": [
        {
            "type": "function",
            "function": {"name": "extract", "description": "", "parameters": SCHEMA},
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "extract"}},
}
MESSAGES_TOOL: Any = {
    "tools": [{"name": "extract", "description": "", "input_schema": SCHEMA}],
    "tool_choice": {"type": "tool", "name": "extract"},
}
TEXT_BY_SCHEMA: Any = {
    "text": {"format": {"type": "json_schema", "name": "extract", "schema": SCHEMA}}
}
NATIVE = {"provider": "anthropic"}
STRUCTURED = {"titleMethod": "structured"}
KEYS = {"ACME_KEY": "key", "OPENAI_API_KEY": "key", "ANTHROPIC_API_KEY": "key"}
SEARCHING = {"addParams": {"web_search": True}}

COMPLETIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {"messages": AS_SYSTEM}),
    "of a user": ({"titleMessageRole": "user"}, {"messages": AS_USER}),
    "with parameters": (
        {"addParams": {"temperature": 0.2, "seed": 7, "max_tokens": 9, "n": 3, "stop": ["."]}},
        {"messages": AS_SYSTEM, "temperature": 0.2, "seed": 7, "stop": ["."]},
    ),
    "by a schema": (STRUCTURED, {"messages": AS_SYSTEM, **BY_SCHEMA}),
    "by a schema, by the older word": (
        {"titleMethod": "functions"},
        {"messages": AS_SYSTEM, **BY_SCHEMA},
    ),
    "by a tool": (
        {**STRUCTURED, "titleModel": "gpt-4"},
        {"messages": AS_SYSTEM, "model": "gpt-4", **BY_TOOL},
    ),
}
RESPONSES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (SEARCHING, {"input": AS_ITEM, "text": {}}),
    "by a schema": ({**SEARCHING, **STRUCTURED}, {"input": AS_ITEM, **TEXT_BY_SCHEMA}),
}
MESSAGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (NATIVE, {"messages": AS_USER}),
    "of a system, which is not to be had alone": (
        {**NATIVE, "titleMessageRole": "system"},
        {"messages": AS_USER},
    ),
    "by a tool": ({**NATIVE, **STRUCTURED}, {"messages": AS_USER, **MESSAGES_TOOL}),
}


def titled(
    answer: Callable[[UpstreamRequest], Reply], **entry: object
) -> tuple[Title, list[UpstreamRequest]]:
    """Return a title of the minimal entry after changes, and the requests that made it."""
    entry = {**MINIMAL, "titleConvo": True, "titleModel": "acme-small", **entry}

    async def make() -> tuple[Title, list[UpstreamRequest]]:
        runtime, egress = build_titles({"custom": [entry]}, answer, **KEYS)
        return await make_title(runtime, ASKED), egress.sent

    return asyncio.run(make())


def expect_same(request: UpstreamRequest, sent: Received, *headers: str) -> None:
    assert body_of(request) == sent.json
    assert request.url.removeprefix("https://llm.acme.test") == sent.path
    own = dict(request.headers)
    for name in ("content-type", *headers):
        assert sent.header(name) == [own[name]]


def expect_known(kind: Any, request: UpstreamRequest) -> None:
    """Expect a body of which the SDK's types know everything."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    read = adapter.validate_python(body_of(request))
    assert json.loads(adapter.dump_json(read, warnings=False)) == body_of(request)


def said(request: UpstreamRequest) -> Reply:
    """Answer by a chat completion, in the way that was asked for."""
    body = body_of(request)
    told: dict[str, object] = {"content": TITLE}
    if "tools" in body:
        function = {"name": "extract", "arguments": json.dumps(RESULT)}
        told = {"content": None, "tool_calls": [{"id": "c", "function": function}]}
    elif "response_format" in body:
        told = {"content": json.dumps(RESULT)}
    return json_answer(completion(choices=[{"index": 0, "message": told}]))


@pytest.fixture(scope="module")
def upstream():
    with FakeUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def openai(upstream):
    with OpenAI(api_key="key", base_url=upstream.url, max_retries=0) as client:
        yield client


@pytest.mark.parametrize(("entry", "asked"), COMPLETIONS.values(), ids=COMPLETIONS)
def test_chat_completions_are_asked_as_by_the_sdk(upstream, openai, entry, asked):
    title, (request,) = titled(said, **entry)
    assert title.text == TITLE
    upstream.answer(json_reply(completion()))
    openai.chat.completions.create(
        **{"model": "acme-small", "user": "alice", "stream": False, **asked}
    )
    expect_same(request, upstream.last, "authorization", "accept")
    expect_known(ChatParams, request)


def test_schema_that_is_refused_gives_way_to_the_tool_of_the_sdk(upstream, openai):
    def refused_once(request: UpstreamRequest) -> Reply:
        if "response_format" not in body_of(request):
            return said(request)
        told = {"message": "This model knows no json_schema.", "param": "response_format"}
        return json_answer({"error": told}, status=400)

    title, (_, request) = titled(refused_once, **STRUCTURED)
    assert title.text == TITLE
    upstream.answer(json_reply(completion()))
    openai.chat.completions.create(
        model="acme-small", user="alice", stream=False, messages=AS_SYSTEM, **BY_TOOL
    )
    expect_same(request, upstream.last, "authorization", "accept")
    expect_known(ChatParams, request)


@pytest.mark.parametrize(("entry", "asked"), RESPONSES.values(), ids=RESPONSES)
def test_responses_are_asked_as_by_the_sdk(upstream, openai, entry, asked):
    text = json.dumps(RESULT) if asked["text"] else TITLE
    title, (request,) = titled(lambda _: json_answer(response(text_item(text))), **entry)
    assert title.text == TITLE
    upstream.answer(json_reply(response(text_item("Hello!"))))
    openai.responses.create(model="acme-small", user="alice", stream=False, **asked)
    expect_same(request, upstream.last, "authorization", "accept")
    expect_known(ResponseCreateParams, request)


@pytest.mark.parametrize(("entry", "asked"), MESSAGES.values(), ids=MESSAGES)
def test_messages_are_asked_as_by_the_sdk(upstream, entry, asked):
    block = tool_block("extract", RESULT) if "tools" in asked else text_block(TITLE)
    title, (request,) = titled(lambda _: json_answer(message(block)), **entry)
    assert title.text == TITLE
    upstream.answer(json_reply(message(text_block("Hello!"))))
    root = f"http://{upstream.address}"
    with Anthropic(api_key="key", base_url=root, max_retries=0) as client:
        client.messages.create(
            model="acme-small",
            max_tokens=4096,
            metadata={"user_id": "alice"},
            stream=False,
            **asked,
        )
    expect_same(request, upstream.last, "accept")
    expect_known(MessageParams, request)


def test_built_in_endpoint_for_titles_is_where_the_sdk_asks_by_itself():
    _, (completion_request,) = titled(said, titleEndpoint="openAI")
    answer = json_answer(message(text_block(TITLE)))
    _, (messages_request,) = titled(lambda _: answer, titleEndpoint="anthropic")
    with OpenAI(api_key="key") as openai, Anthropic(api_key="key") as anthropic:
        assert completion_request.url == f"{openai.base_url}chat/completions"
        assert messages_request.url == f"{anthropic.base_url}/v1/messages"
    expect_known(ChatParams, completion_request)
    expect_known(MessageParams, messages_request)


def test_usage_of_a_title_is_a_usage_of_the_sdk():
    title, _ = titled(said)
    usage = CompletionUsage.model_validate(title.usage)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 5, 15)
