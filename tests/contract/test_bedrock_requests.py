"""boto3 as the judge of Converse requests: of their shape, and of what goes out."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bedrock_upstream import converse_reply, point_boto3_at, text_block
from tests.support.converse_shaping import (
    ADAPTIVE,
    CLAUDE,
    HI,
    NOVA,
    body_of,
    call,
    file,
    image,
    said,
    shape,
    text,
    tool,
)
from tests.support.fake_upstream import FakeUpstream
from waystation.aws.bedrock import BedrockSender
from waystation.aws.bedrock_params import read_params
from waystation.egress.deadlines import Deadline
from waystation.errors import InvalidBodyError

OPERATION = (
    boto3.session.Session()
    .client("bedrock-runtime", region_name="eu-west-1")
    .meta.service_model.operation_model("Converse")
)
MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
PNG = image("data:image/png;base64,iVBORw0KGgo=")
PDF = file("data:application/pdf;base64,JVBERi0=", filename="a.pdf")
SIGNED = {"type": "thinking", "thinking": "t", "signature": "s"}
REDACTED = {"type": "redacted_thinking", "data": "ZGF0YQ=="}
SCHEMA = {"type": "object", "properties": {"bytes": {"type": "string"}}, "required": []}

#        messages, params, other arguments of the shaping
CHATS: dict[str, tuple[list[Any], dict[str, Any], dict[str, Any]]] = {
    "plain": (HI, {"stop": "A", "max_tokens": 5, "temperature": 1, "topP": 0.5}, {}),
    "with instructions": ([said(text("S", **MARK), role="system"), *HI], {}, {}),
    "images and documents": ([said(text("t"), PNG, PDF, PDF)], {}, {}),
    "a tool loop": (
        [
            *HI,
            said(
                "ok",
                role="assistant",
                thinking_blocks=[SIGNED, REDACTED],
                tool_calls=[call('{"source": {"bytes": "not base64"}}') | MARK],
            ),
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [text("a"), PNG, PDF, {"type": "json", "json": {"bytes": "!"}}],
                "is_error": True,
            },
        ],
        {
            "tools": [tool(parameters=SCHEMA, description="D", strict=True) | MARK],
            "tool_choice": "required",
        },
        {},
    ),
    "as LibreChat asks": ([said("S", role="system"), *HI], {"topK": 5}, {"ui": True}),
    "an effort": (HI, {"reasoning_effort": "low"}, {"model": NOVA}),
    "an effort of Claude's": (HI, {"effort": "low"}, {"model": ADAPTIVE}),
    "what is the API's own": (
        HI,
        {
            "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
            "performanceConfig": {"latency": "optimized"},
            "service_tier": "flex",
            "metadata": {"a": "b"},
            "additionalModelResponseFieldPaths": ["/stop_sequence"],
        },
        {},
    ),
}
every_chat = pytest.mark.parametrize(("messages", "params", "others"), CHATS.values(), ids=CHATS)


def problems_of(body: bytes) -> str:
    """Return what boto3 says against a request."""
    params = read_params(body, OPERATION)
    return str(ParamValidator().validate(params, OPERATION.input_shape).generate_report())


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(keeps_connections=True) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def sender(upstream: FakeUpstream) -> Iterator[BedrockSender]:
    with pytest.MonkeyPatch.context() as patch:
        point_boto3_at(upstream, patch)
        yield BedrockSender()


@every_chat
async def test_requests_go_out_as_they_were_shaped(messages, params, others, upstream, sender):
    arguments = {"model": CLAUDE, "messages": messages} | others
    request = shape(params, **arguments).request
    assert problems_of(request.body) == ""
    upstream.answer(converse_reply(text_block("Hello!")))
    async with sender.send(request, Deadline(float("inf"))) as response:
        await response.read(10_000)
    body = body_of(params, **arguments)
    model = body.pop("modelId")
    assert upstream.last.json == body
    assert upstream.last.path == f"/model/{model.replace(':', '%3A')}/converse"


MEMBERS = ["type", "text", "content", "role", "name", "function", "arguments", "id", "data", "url"]
MEMBERS += ["image_url", "file", "file_data", "source", "cache_control", "ttl", "parameters"]
MEMBERS += ["json", "thinking", "signature", "budget_tokens", "media_type"]
FIELDS = ["max_tokens", "temperature", "top_p", "topK", "stop", "tools", "tool_choice", "functions"]
FIELDS += ["function_call", "thinking", "thinkingBudget", "reasoning_effort", "effort", "metadata"]
FIELDS += ["response_format", "service_tier", "promptCache", "promptCacheTtl", "anthropic_beta"]
FIELDS += ["inferenceConfig", "additionalModelRequestFields", "n", "x"]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 70_000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "auto", "none", "required", "text", "system", "data:,", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(MEMBERS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "function"])
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": ROLES, "content": ODD | st.just("a")},
        optional={
            "tool_calls": ODD | st.just([call()]),
            "tool_call_id": st.just("c1") | ODD,
            "thinking_blocks": ODD | st.just([SIGNED]),
            "cache_control": ODD,
            "refusal": ODD,
        },
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=300)
@given(
    messages=MESSAGES,
    params=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3),
    model=st.sampled_from([CLAUDE, ADAPTIVE, NOVA]),
    ui=st.booleans(),
)
def test_odd_requests_are_refused_by_name_or_shaped(messages, params, model, ui):
    try:
        request = shape(params, messages=messages, model=model, ui=ui).request
    except InvalidBodyError:
        return
    body = json.loads(request.body)
    assert body["modelId"] == model
    assert all(message["content"] for message in body["messages"])
    assert problems_of(request.body) == ""
