"""Upstreams that speak OpenAI's chat completions."""

from waystation.providers.openai_compatible.shape import shape_chat
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.chat_request import ChatRequest


class OpenAiCompatible:
    """The dialect of every entry without a `provider`."""

    def shape(self, request: ChatRequest, context: CallContext) -> Shaped:
        return shape_chat(request, context)
