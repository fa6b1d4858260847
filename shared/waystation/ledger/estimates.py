"""Guesses how long a prompt was, for an upstream that does not tell. Pure.

No tokenizer is asked. Those of other vendors' models are not public, and one with the vocabulary
of a single vendor takes longer to load than such a guess is worth.
"""

from math import ceil

from waystation.ledger.holds import bytes_of_json, without_payloads
from waystation.ledger.pricing import BYTES_PER_TOKEN
from waystation.wire.chat_request import ChatRequest
from waystation.wire.events import visible_bytes

TOKENS_OF_MEDIA = 1_000  # an image of a megapixel has 300 to 1,600, by the model

_ALSO_PROMPT = ("tools", "functions", "response_format", "system", "instructions")


def estimate_input_tokens(request: ChatRequest) -> int:
    """Return about how many tokens a request has: its messages, what tools it brings, its schema.

    Four bytes of text are a token; an image, a file or a sound counts flat.
    """
    media: list[str] = []
    messages = without_payloads(request.messages, media)
    texts = messages if isinstance(messages, list) else []
    size = visible_bytes({"message": message} for message in texts)
    also = {name: request.params[name] for name in _ALSO_PROMPT if request.params.get(name)}
    size += bytes_of_json(also) if also else 0
    return ceil(size / BYTES_PER_TOKEN) + len(media) * TOKENS_OF_MEDIA
