"""Builds a Messages request out of a chat completion's.

The order is: the client's values, defaults of `paramDefinitions`, their translation, addParams as
they are, thinking, cache marks, and dropParams last.
"""

import json

from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.caching import mark_for_caching
from waystation.providers.anthropic.fields import build_fields
from waystation.providers.anthropic.messages import build_conversation, render_system
from waystation.providers.anthropic.other_models import refuse_other_models
from waystation.providers.anthropic.target import headers_of, messages_url
from waystation.providers.anthropic.tools import build_tool_choice, build_tools, with_web_search
from waystation.providers.cache_marks import without_marks
from waystation.providers.claude import models as claude_models
from waystation.providers.claude.thinking_choice import shape_thinking
from waystation.providers.messages_parameters import Parameters, merge_parameters
from waystation.providers.provider import AnswerReader, CallContext, Shaped
from waystation.wire.chat_request import ChatRequest
from waystation.wire.upstream_request import UpstreamRequest

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def shape_messages(request: ChatRequest, context: CallContext, reader: AnswerReader) -> Shaped:
    """Shape one chat, whose answer `reader` will read.

    The name of the model that was asked for tells what the model takes; `addParams.model` is only
    what the upstream calls it.

    Raises InvalidBodyError, naming what the API cannot express, and EndpointMisconfiguredError for
    a key that is none.
    """
    endpoint = context.endpoint
    ui_defaults = endpoint.waystation.ui_defaults
    parameters = merge_parameters(request.params, endpoint)
    is_stream = parameters.streams(asked=request.stream)
    can_cache = claude_models.supports_caching(context.model)
    body = _translated(request, context, parameters, is_stream=is_stream)
    body |= parameters.verbatim
    model = body["model"]
    if not isinstance(model, str) or not model:
        raise InvalidBodyError("model must be a string.", param="model")
    if parameters.says("web_search"):
        body["tools"] = with_web_search(body.get("tools"))
    shape_thinking(body, parameters, model=context.model, ui_defaults=ui_defaults)
    if can_cache and parameters.caches_prompt(ui_defaults=ui_defaults):
        mark_for_caching(body, parameters.choice("promptCacheTtl"))
    if "promptCache" in parameters.dropped:
        body = without_marks(body)
    for name in parameters.dropped - {"max_tokens"}:  # the API cannot do without a limit
        body.pop(name, None)
    caches = can_cache and parameters.prefers_cache(ui_defaults=ui_defaults)
    betas = claude_models.beta_headers(context.model, caches=caches)
    upstream = UpstreamRequest(
        url=messages_url(context.base_url),
        headers=headers_of(context, is_stream=is_stream, betas=betas),
        body=_encode(body).encode(),
    )
    return Shaped(upstream, model, reader)


def _translated(
    request: ChatRequest, context: CallContext, parameters: Parameters, *, is_stream: bool
) -> dict[str, object]:
    """Return what client and defaults ask for, in the API's own fields."""
    fields = parameters.fields
    refuse_other_models(fields, request.messages, context.endpoint)
    conversation = build_conversation(request.messages)
    user_id = context.user_id if parameters.user is None else parameters.user
    body: dict[str, object] = {
        "model": context.model,
        "max_tokens": claude_models.output_limit(context.model),
        **build_fields(
            fields, user_id=user_id, ui_defaults=context.endpoint.waystation.ui_defaults
        ),
        "stream": is_stream,
        "messages": conversation.messages,
    }
    if conversation.system:
        body["system"] = render_system(conversation.system)
    tools = build_tools(fields)
    if tools:
        body["tools"] = tools
    choice = build_tool_choice(fields, has_tools=bool(tools) or "tools" in parameters.verbatim)
    if choice is not None:
        body["tool_choice"] = choice
    return body
