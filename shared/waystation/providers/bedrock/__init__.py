"""Amazon Bedrock's Converse API behind a chat completion."""

from waystation.providers.bedrock.answer import ConverseAnswerReader
from waystation.providers.bedrock.shape import shape_converse
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.chat_request import ChatRequest


class Bedrock:
    """The dialect of the built-in endpoint `bedrock`."""

    def shape(self, request: ChatRequest, context: CallContext) -> Shaped:
        return shape_converse(request, context, ConverseAnswerReader())
