"""Reads answers of the Responses API as chat completions."""

from waystation.providers.openai_compatible.responses.stream import ResponsesStreamParser
from waystation.providers.openai_compatible.responses.whole import parse_response
from waystation.wire.events import Completion


class ResponsesAnswerReader:
    """Reads the answer to a request that `build_responses_body` built.

    Reasoning items come as `reasoning_items` on the message, so that a client may send them back.
    A streamed one carries an `index`, as does a citation: the pieces of a list are numbered.
    """

    def parse(self, body: bytes) -> Completion:
        return parse_response(body)

    def stream_parser(self) -> ResponsesStreamParser:
        return ResponsesStreamParser()
