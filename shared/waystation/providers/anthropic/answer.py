"""Reads answers of the Messages API as chat completions."""

from waystation.providers.anthropic.stream import MessageStreamParser
from waystation.providers.anthropic.whole import parse_message
from waystation.wire.events import Completion


class AnthropicAnswerReader:
    """Reads a message, whole or streamed.

    What a chat has no place for comes in fields of the assistant's message: `thinking_blocks`, with
    their signatures, and `server_tool_blocks`, both as the API sent them. Streamed entries of these
    lists and of `annotations` are whole, and carry an `index`.
    """

    def parse(self, body: bytes) -> Completion:
        return parse_message(body)

    def stream_parser(self) -> MessageStreamParser:
        return MessageStreamParser()
