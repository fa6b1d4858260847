"""What is asked: one small chat, and how it goes straight to the upstream.

The direct request has the fields of the gateway's that any chat has. What the entry adds to them is
left out, so that a refusal of the gateway's request alone tells that it is at fault.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from waystation.config.schema import Endpoint
from waystation.errors import GatewayError
from waystation.providers.openai_compatible.responses.answer import ResponsesAnswerReader
from waystation.providers.provider import CallContext, Shaped
from waystation.providers.registry import provider_of
from waystation.wire.chat_request import ChatRequest, parse_chat_request

Api: TypeAlias = Literal["chat completions", "responses", "messages"]

PROMPT = "Reply with the word pong."
OUTPUT_LIMIT = 2048  # tokens: a model may reason before it says its one word
_PLAIN = (
    "model",
    "stream",
    "stream_options",
    "store",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
)
_CONVERSATION = frozenset({"messages", "input"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The chat, as a client of the gateway sends it."""

    endpoint: str
    model: str
    stream: bool

    @property
    def body(self) -> dict[str, object]:
        body: dict[str, object] = {
            "endpoint": self.endpoint,
            "model": self.model,
            "messages": [{"role": "user", "content": PROMPT}],
            "max_tokens": OUTPUT_LIMIT,
            "stream": self.stream,
        }
        return body | ({"stream_options": {"include_usage": True}} if self.stream else {})

    @property
    def request(self) -> ChatRequest:
        return parse_chat_request(self.body)


@dataclass(frozen=True, slots=True)
class DirectPlan:
    """A direct call: `fields` beside the prompt, and the names of all fields the gateway sends.

    `added` are those of them that the direct request leaves out.
    """

    api: Api
    context: CallContext
    fields: Mapping[str, object]
    sent: frozenset[str]

    @property
    def added(self) -> frozenset[str]:
        return self.sent - self.fields.keys() - _CONVERSATION


def plan_direct(asked: Asked, context: CallContext) -> DirectPlan:
    """Return how to ask the upstream itself what is asked of the gateway."""
    shaped = _shaped(asked, context)
    if shaped is None:
        body = {name: value for name, value in asked.body.items() if name != "endpoint"}
        if context.endpoint.provider == "anthropic":
            body.pop("stream_options", None)
    else:
        body = json.loads(shaped.request.body)
    return DirectPlan(
        api=_api(context.endpoint, shaped),
        context=context,
        fields={name: body[name] for name in _PLAIN if name in body},
        sent=frozenset(body),
    )


def _shaped(asked: Asked, context: CallContext) -> Shaped | None:
    """Return the gateway's request; None where it makes none, as its own answer will tell."""
    try:
        return provider_of(context.endpoint).shape(asked.request, context)
    except GatewayError:
        return None


def _api(endpoint: Endpoint, shaped: Shaped | None) -> Api:
    if endpoint.provider == "anthropic":
        return "messages"
    if shaped is not None and isinstance(shaped.reader, ResponsesAnswerReader):
        return "responses"
    return "chat completions"
