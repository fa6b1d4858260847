"""Upstreams that speak Anthropic's Messages API."""

from collections.abc import Mapping

from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.providers.anthropic.passthrough import shape_count, shape_native
from waystation.providers.anthropic.shape import shape_messages
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.chat_request import ChatRequest
from waystation.wire.upstream_request import UpstreamRequest


class Anthropic:
    """The dialect of entries with `provider: anthropic`."""

    def shape(self, request: ChatRequest, context: CallContext) -> Shaped:
        if request.native is not None:
            return shape_native(request, request.native, context)
        return shape_messages(request, context, AnthropicAnswerReader())

    def shape_count(
        self, request: ChatRequest, native: Mapping[str, object], context: CallContext
    ) -> UpstreamRequest:
        return shape_count(request, native, context)
