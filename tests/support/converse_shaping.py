"""Converse requests shaped for tests, and their bodies as they go to the sender."""

import json
from collections.abc import Mapping
from typing import Any

from tests.support.config_entries import build_entry
from waystation.providers.bedrock import Bedrock
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.chat_request import ChatRequest
from waystation.wire.upstream_request import AwsCredentials

HI: list[dict[str, object]] = [{"role": "user", "content": "Hi"}]
SAID_HI = [{"role": "user", "content": [{"text": "Hi"}]}]
NOVA = "amazon.nova-lite-v1:0"
CLAUDE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"  # thinks when told to, with a budget
ADAPTIVE = "anthropic.claude-opus-4-6-v1"  # decides itself how long it thinks
STRICT = "global.anthropic.claude-opus-5-v1"  # thinks unless told not to, and takes no sampling
OLDER = "anthropic.claude-3-5-sonnet-20241022-v2:0"  # does not think


def shape(
    params: Mapping[str, object] | None = None,
    *,
    is_stream: bool = False,
    model: str = NOVA,
    messages: list[Any] | None = None,
    base_url: str = "bedrock:eu-west-1",
    aws: AwsCredentials | None = None,
    ui: bool = False,
    **entry: Any,
) -> Shaped:
    """Shape a chat of alice's; `entry` changes the minimal entry, `ui` sets uiDefaults."""
    built = build_entry(**{"waystation": {"uiDefaults": ui}} | entry)
    context = CallContext(
        endpoint=built.replaced(name="bedrock", provider="bedrock"),
        model=model,
        user_id="alice",
        api_key="",
        base_url=base_url,
        headers={},
        aws=aws,
    )
    request = ChatRequest(model, messages or HI, is_stream, params=dict(params or {}))
    return Bedrock().shape(request, context)


def body_of(params: Mapping[str, object] | None = None, **kwargs: Any) -> dict[str, Any]:
    """Return the body of `shape` with the same arguments."""
    body: dict[str, Any] = json.loads(shape(params, **kwargs).request.body)
    return body


def fields_of(params: Mapping[str, object] | None = None, **kwargs: Any) -> dict[str, Any]:
    """Return the body without model and messages."""
    body = body_of(params, **kwargs)
    return {name: value for name, value in body.items() if name not in {"modelId", "messages"}}


def model_fields_of(params: Mapping[str, object] | None = None, **kwargs: Any) -> Any:
    """Return the fields that only the model knows, none if there are none."""
    return body_of(params, **kwargs).get("additionalModelRequestFields", {})


def turns_of(*messages: object, **kwargs: Any) -> Any:
    """Return the messages of a request, each as its role and its blocks."""
    body = body_of(messages=[*messages], **kwargs)
    return [(turn["role"], turn["content"]) for turn in body["messages"]]


def said(*parts: object, role: str = "user", **more: object) -> dict[str, object]:
    """Return a message of these parts, or of one text or None."""
    is_plain = len(parts) == 1 and isinstance(parts[0], str | None)
    content = parts[0] if is_plain else [*parts]
    return {"role": role, "content": content, **more}


def text(value: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": value, **more}


def image(url: str, **more: object) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}, **more}


def file(data: str, **more: object) -> dict[str, object]:
    return {"type": "file", "file": {"file_data": data, **more}}


def call(arguments: str = "{}", call_id: str = "c1", **more: object) -> dict[str, object]:
    function = {"name": "weather", "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function, **more}


def tool(**function: object) -> dict[str, object]:
    return {"type": "function", "function": {"name": "weather"} | function}
