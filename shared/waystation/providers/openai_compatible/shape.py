"""Builds the request of a chat completion: the client's values, then addParams, then dropParams."""

import json
from urllib.parse import urlsplit, urlunsplit

from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible.parse import ChatAnswerReader
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.chat_request import ChatRequest
from waystation.wire.upstream_request import UpstreamRequest

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

# What neither addParams nor dropParams may change: the conversation itself, and how it is answered.
_FIXED = frozenset({"messages", "stream"})
_NEVER_ADDED = _FIXED | {"apiKey"}
# Names that ask for another API than chat completions.
_OTHER_API = ("useResponsesApi", "web_search")
# Sends usage unasked, and refuses to be asked. Source: https://docs.mistral.ai/api/, 2026-08.
_REFUSES_STREAM_OPTIONS = frozenset({"api.mistral.ai"})


def shape_chat(request: ChatRequest, context: CallContext) -> Shaped:
    """Shape one chat. Raises InvalidBodyError for what needs an API this version does not speak."""
    body = _body(request, context)
    model = body["model"]
    if not isinstance(model, str):
        raise InvalidBodyError("model must be a string.", param="model")
    return Shaped(
        UpstreamRequest(
            url=_url(context.base_url, is_direct=context.endpoint.direct_endpoint),
            headers=_headers(context, is_stream=request.stream),
            body=_encode(body).encode(),
        ),
        model,
        ChatAnswerReader(),
    )


def _body(request: ChatRequest, context: CallContext) -> dict[str, object]:
    endpoint = context.endpoint
    body: dict[str, object] = {"model": context.model}
    body |= request.params
    body |= {"user": context.user_id, "stream": request.stream}
    if request.stream:
        options = body.pop("stream_options", None)
        if _may_ask_usage(context):
            options = options if isinstance(options, dict) else {}
            body["stream_options"] = {**options, "include_usage": True}
    body |= {k: v for k, v in endpoint.add_params.items() if k not in _NEVER_ADDED}
    for name in endpoint.drop_params:
        if name not in _FIXED and name != "model":
            body.pop(name, None)
    _refuse_other_api(body)
    body["messages"] = request.messages
    return body


def _may_ask_usage(context: CallContext) -> bool:
    return context.asks_usage and urlsplit(context.base_url).hostname not in _REFUSES_STREAM_OPTIONS


def _refuse_other_api(body: dict[str, object]) -> None:
    for name in _OTHER_API:
        if body.pop(name, False) not in (False, None, ""):
            raise InvalidBodyError(
                f"{name} needs OpenAI's Responses API, which this version does not speak.",
                param=name,
            )


def _url(base_url: str, *, is_direct: bool) -> str:
    if is_direct:
        return base_url
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/chat/completions"))


def _headers(context: CallContext, *, is_stream: bool) -> tuple[tuple[str, str], ...]:
    own = {
        "authorization": f"Bearer {context.api_key}",
        "accept": "text/event-stream" if is_stream else "application/json",
    }
    configured = {name.lower(): value for name, value in context.headers.items()}
    return tuple((own | configured | {"content-type": "application/json"}).items())
