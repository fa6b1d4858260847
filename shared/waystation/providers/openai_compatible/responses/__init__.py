"""OpenAI's Responses API behind a chat completion: the request there, the answer back."""

from waystation.providers.openai_compatible.responses.answer import ResponsesAnswerReader
from waystation.providers.openai_compatible.responses.request import build_responses_body

__all__ = ["ResponsesAnswerReader", "build_responses_body"]
