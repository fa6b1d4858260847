"""Builds a Converse request out of a chat completion's.

The order is: the client's values, defaults of `paramDefinitions`, their translation, addParams as
they are, reasoning, cache points, and dropParams last.
"""

import json

from waystation.config.schema import Endpoint
from waystation.errors import InvalidBodyError
from waystation.providers.bedrock.caching import mark_for_caching, supports_caching, without_points
from waystation.providers.bedrock.calls import tell_as_text
from waystation.providers.bedrock.fields import (
    Fields,
    open_objects,
    select_fields,
    sort_fields,
    without_names,
)
from waystation.providers.bedrock.inexpressible import inexpressible
from waystation.providers.bedrock.messages import build_conversation
from waystation.providers.bedrock.reasoning import EFFORT_FIELDS, shape_reasoning
from waystation.providers.bedrock.target import converse_url
from waystation.providers.bedrock.tools import build_tool_config
from waystation.providers.equivalents import remove_equivalents
from waystation.providers.messages_names import ALIASES
from waystation.providers.messages_parameters import Parameters, merge_parameters
from waystation.providers.provider import AnswerReader, CallContext, Shaped
from waystation.wire.chat_request import ChatRequest
from waystation.wire.upstream_request import UpstreamRequest

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

# What addParams gives of these becomes a part of the request that is made otherwise.
_MADE_OTHERWISE = frozenset({"model", "system", "toolConfig", "tools", "tool_choice", "region"})


def shape_converse(request: ChatRequest, context: CallContext, reader: AnswerReader) -> Shaped:
    """Shape one chat, whose answer `reader` will read.

    The body holds what `converse` and `converse_stream` take, bytes in base64. The name of the
    model that was asked for tells what the model takes; `addParams.model` is only what the upstream
    calls it.

    Raises InvalidBodyError, naming what the API cannot express, and EndpointMisconfiguredError for
    a base URL without a region.
    """
    endpoint = context.endpoint
    ui_defaults = endpoint.waystation.ui_defaults
    parameters = merge_parameters(open_objects(request.params), endpoint)
    parameters.verbatim = added = open_objects(parameters.verbatim)
    _give_way(parameters, endpoint)
    if parameters.says("web_search"):
        raise inexpressible("web_search")
    is_stream = parameters.streams(asked=request.stream)
    model = added.get("model", context.model)
    if not isinstance(model, str) or not model:
        raise InvalidBodyError("model must be a string.", param="model")
    body = _conversation(request, parameters, model)
    fields = _fields(parameters, body, model=context.model, ui_defaults=ui_defaults)
    body |= sort_fields(fields, model=context.model)
    if supports_caching(context.model) and parameters.caches_prompt(ui_defaults=ui_defaults):
        mark_for_caching(body, parameters.choice("promptCacheTtl"), model=context.model)
    if "promptCache" in parameters.dropped:
        body = without_points(body)
    upstream = UpstreamRequest(
        url=converse_url(context, added.get("region"), is_stream=is_stream),
        headers=(),
        body=_encode(without_names(body, parameters.dropped)).encode(),
        via="bedrock",
        aws=context.aws,
    )
    return Shaped(upstream, model, reader)


def _give_way(parameters: Parameters, endpoint: Endpoint) -> None:
    """Take out what a client says where addParams says it within one of the API's objects."""
    for name in parameters.verbatim:
        canonical = ALIASES.get(name, name)
        parameters.fields.pop(canonical, None)
        remove_equivalents(parameters.fields, canonical)
    if "inferenceConfig" in parameters.verbatim:  # of Nova models, whose top_k is in it
        parameters.fields.pop("top_k", None)
    is_decided = any(name in parameters.verbatim for name in EFFORT_FIELDS)
    if is_decided and "reasoning_effort" not in endpoint.add_params:
        parameters.steering.pop("reasoning_effort", None)


def _conversation(request: ChatRequest, parameters: Parameters, model: str) -> Fields:
    """Return model, messages, instructions and tools; without tools, calls are told in words."""
    added = parameters.verbatim
    conversation = build_conversation(request.messages)
    body: Fields = {"modelId": model, "messages": conversation.messages}
    system = added.get("system", conversation.system)
    if system:
        body["system"] = [{"text": system}] if isinstance(system, str) else system
    tools = {name: added[name] for name in ("tools", "tool_choice") if name in added}
    config = added.get("toolConfig") or build_tool_config(parameters.fields | tools)
    if config is not None:
        body["toolConfig"] = config
    else:
        body["messages"] = [tell_as_text(turn) for turn in conversation.messages]
    return body


def _fields(parameters: Parameters, body: Fields, *, model: str, ui_defaults: bool) -> Fields:
    """Return the other fields: what was chosen, what the entry adds, and how the model reasons."""
    added = without_names(parameters.verbatim, _MADE_OTHERWISE)
    fields = select_fields(parameters.fields, ui_defaults=ui_defaults) | added
    dropped = set(parameters.dropped)
    if "reasoning_effort" in dropped:
        dropped.update(EFFORT_FIELDS)
    fields = without_names(fields, dropped)
    shaped = shape_reasoning(fields, parameters, body, model=model, ui_defaults=ui_defaults)
    return without_names(shaped, dropped)
