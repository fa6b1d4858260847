"""Reads answers of the Converse API as chat completions.

The sender hands a whole answer over as JSON, a streamed one as server-sent events of one JSON
object each, both as botocore names things, with the id of the request as `ResponseMetadata` and
bytes in base64. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
2026-11.
"""

from waystation.providers.bedrock.stream import ConverseStreamParser
from waystation.providers.bedrock.whole import parse_answer
from waystation.wire.events import Completion


class ConverseAnswerReader:
    """Reads an answer, whole or streamed.

    What a chat has no place for comes in fields of the assistant's message: `thinking_blocks`, with
    their signatures, in the Messages API's shape. Streamed entries of this list and of
    `annotations` are whole, and carry an `index`.
    """

    def parse(self, body: bytes) -> Completion:
        return parse_answer(body)

    def stream_parser(self) -> ConverseStreamParser:
        return ConverseStreamParser()
