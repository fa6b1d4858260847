"""Upstreams that speak OpenAI's chat completions."""

from waystation.providers.openai_compatible.parse import ChatStreamParser, parse_completion
from waystation.providers.openai_compatible.shape import shape_chat
from waystation.providers.provider import CallContext, Shaped, StreamParser
from waystation.wire.chat_request import ChatRequest
from waystation.wire.events import Completion


class OpenAiCompatible:
    """The dialect of every entry without a `provider`."""

    def shape(self, request: ChatRequest, context: CallContext) -> Shaped:
        return shape_chat(request, context)

    def parse(self, body: bytes) -> Completion:
        return parse_completion(body)

    def stream_parser(self) -> StreamParser:
        return ChatStreamParser()
