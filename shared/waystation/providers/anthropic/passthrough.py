"""Sends a Messages request on as it came, under the rules of the entry it is for.

The entry decides the model, the user, and whatever addParams and dropParams name; defaults stand in
where the client chose nothing. Nothing is translated, so nothing is lost. LibreChat's interface
defaults are not applied: a client of this API says itself what it wants.
"""

import json
from collections.abc import Mapping

from waystation.errors import InvalidBodyError
from waystation.providers.addressing import url_below
from waystation.providers.anthropic.caching import mark_for_caching
from waystation.providers.anthropic.other_models import refuse_other_models
from waystation.providers.anthropic.passthrough_answer import NativeAnswerReader
from waystation.providers.anthropic.target import headers_of, messages_url
from waystation.providers.anthropic.tools import with_web_search
from waystation.providers.cache_marks import without_marks
from waystation.providers.claude import models as claude_models
from waystation.providers.claude.thinking_choice import shape_thinking
from waystation.providers.librechat_names import THINKING
from waystation.providers.messages_parameters import Parameters, merge_parameters
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.anthropic_request import BETA_HEADER, VERSION_HEADER
from waystation.wire.chat_request import ChatRequest
from waystation.wire.checks import object_at
from waystation.wire.upstream_request import UpstreamRequest

Body = dict[str, object]

_THINKING = THINKING | {"reasoning_effort"}
# What an entry may add to a request that is only counted.
# Source: https://platform.claude.com/docs/en/api/messages-count-tokens, 2026-11.
_COUNTED = frozenset(
    {"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"}
)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def shape_native(
    request: ChatRequest, native: Mapping[str, object], context: CallContext
) -> Shaped:
    """Shape a request whose own body is `native`; its answer goes to the client as it comes.

    Raises InvalidBodyError for values that the entry's rules cannot be applied to, and
    EndpointMisconfiguredError for a key that is none.
    """
    parameters = merge_parameters(native, context.endpoint)
    is_stream = parameters.streams(asked=request.stream)
    body = {**_shaped(native, context, parameters), "stream": is_stream}
    upstream = UpstreamRequest(
        url=messages_url(context.base_url),
        headers=_headers(request, context, is_stream=is_stream),
        body=_encode(body).encode(),
    )
    return Shaped(upstream, str(body["model"]), NativeAnswerReader())


def shape_count(
    request: ChatRequest, native: Mapping[str, object], context: CallContext
) -> UpstreamRequest:
    """Shape a request to count the tokens of a chat, by the same rules.

    Raises InvalidBodyError and EndpointMisconfiguredError.
    """
    body = _shaped(native, context, merge_parameters(native, context.endpoint))
    return UpstreamRequest(
        url=url_below(messages_url(context.base_url), "/count_tokens"),
        headers=_headers(request, context, is_stream=False),
        body=_encode({k: v for k, v in body.items() if k in native or k in _COUNTED}).encode(),
    )


def _shaped(native: Mapping[str, object], context: CallContext, parameters: Parameters) -> Body:
    fields = parameters.fields
    refuse_other_models(fields, fields.get("messages"), context.endpoint)
    body: Body = {
        "model": context.model,
        "max_tokens": claude_models.output_limit(context.model),
        **fields,
    }
    if "max_tokens" in native and "max_tokens" not in parameters.dropped:
        body["max_tokens"] = native["max_tokens"]  # 0 too, which only fills the cache
    user_id = context.user_id if parameters.user is None else parameters.user
    body["metadata"] = {**object_at(body.get("metadata", {}), "metadata"), "user_id": user_id}
    body |= parameters.verbatim
    if not isinstance(body["model"], str) or not body["model"]:
        raise InvalidBodyError("model must be a string.", param="model")
    if parameters.says("web_search"):
        body["tools"] = with_web_search(body.get("tools"))
    if parameters.steering.keys() & _THINKING:
        shape_thinking(body, parameters, model=context.model, ui_defaults=False)
    if claude_models.supports_caching(context.model) and parameters.caches_prompt(
        ui_defaults=False
    ):
        mark_for_caching(body, parameters.choice("promptCacheTtl"))
    if "promptCache" in parameters.dropped:
        body = without_marks(body)
    dropped = parameters.dropped - {"max_tokens"}  # the API cannot do without a limit
    return {name: value for name, value in body.items() if name not in dropped}


def _headers(
    request: ChatRequest, context: CallContext, *, is_stream: bool
) -> tuple[tuple[str, str], ...]:
    """Return the headers of a call: the client's version and betas where the entry leaves room."""
    given = request.native_headers
    betas = given[BETA_HEADER].split(",") if BETA_HEADER in given else ()
    headers = dict(headers_of(context, is_stream=is_stream, betas=betas))
    configured = {name.lower() for name in context.headers}
    if VERSION_HEADER in given and VERSION_HEADER not in configured:
        headers[VERSION_HEADER] = given[VERSION_HEADER]
    return tuple(headers.items())
