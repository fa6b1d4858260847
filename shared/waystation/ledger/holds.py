"""What a request may cost at most, as far as that can be told before it is sent.

Every token of a text has at least one byte of it, so bytes are an upper bound of tokens. What is
not text counts flat: an image, a file or a sound. Pure.
"""

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from math import ceil

from waystation.ledger.pricing import NANOUSD_PER_RATE, Rates
from waystation.wire.chat_request import LIMITS, ChatRequest
from waystation.wire.events import bytes_of

TOKENS_OF_MESSAGE = 16  # what an upstream puts around each
TOKENS_OF_TOOLS = 1_000  # what it tells a model about having tools at all
TOKENS_OF_MEDIA = 2_000
DEFAULT_OUTPUT_LIMIT = 4_096  # of a request that sends none

_MEDIA = frozenset(
    {
        *("image", "image_url", "input_image"),
        *("audio", "audio_url", "input_audio"),
        *("video", "video_url", "input_video"),
        *("document", "document_url", "file", "input_file", "media"),
    }
)
_PAYLOADS = frozenset(
    {*("audio_url", "bytes", "data", "document_url", "file_data", "image_url", "url", "video_url")}
)
_DATA_TEXT = "data:text/"
_TOOLS = ("tools", "functions", "toolConfig", "mcp_servers")
# Names that some upstreams know: where another passes them over, they must not lower a hold.
_FOREIGN_LIMITS = ("max_new_tokens", "max_tokens_to_sample", "maxOutputTokens", "num_predict")
_FOREIGN_PLACES = ("generationConfig", "generation_config", "options")
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)
_CHOICES = ("n", "best_of", "candidateCount")


def hold_nanousd(input_tokens: int, output_tokens: int, rates: Rates) -> int:
    """Return what so many tokens cost at most, in nano-USD, rounded up once.

    Every token of the input may be one that is written to a cache, and a shorter input than this
    may have the higher rates.
    """
    possible = [rates, *(step.rates for step in rates.steps if input_tokens > step.above)]
    return max(_hold(input_tokens, output_tokens, one) for one in possible)


def _hold(input_tokens: int, output_tokens: int, rates: Rates) -> int:
    written = (rates.prompt, rates.cache_write, rates.cache_write_1h or rates.cache_write)
    exact = input_tokens * Fraction(max(written)) + output_tokens * Fraction(rates.completion)
    return ceil(exact * NANOUSD_PER_RATE)


def upper_bound_input_tokens(request: ChatRequest) -> int:
    """Return how many tokens the prompt of a request has at most.

    Counted are the bytes of its JSON, without what images, files and sounds hold. A text in a file
    is text.
    """
    pivot = _bound({**request.params, "messages": request.messages})
    return pivot if request.native is None else max(pivot, _bound(request.native))


def output_limit(body: bytes) -> int:
    """Return how many tokens an answer to this shaped body may have: its limit, times `n`.

    The highest counts where there are several; DEFAULT_OUTPUT_LIMIT where there is none. What some
    upstreams alone take for a number, as 1e5 or "100000", never makes it less.
    """
    fields = json.loads(body)
    places = [fields, fields.get("inferenceConfig")]
    foreign = [fields, *(fields.get(name) for name in _FOREIGN_PLACES)]
    known = max((n for n in _values(places, LIMITS) if type(n) is int), default=0)
    limit = known if known > 0 else DEFAULT_OUTPUT_LIMIT
    possible = _highest(places, LIMITS), _highest(foreign, _FOREIGN_LIMITS)
    return max(limit, *possible) * (_highest([fields], _CHOICES) or 1)


def _highest(places: list[object], names: tuple[str, ...]) -> int:
    return max(map(_count, _values(places, names)), default=0)


def _values(places: list[object], names: tuple[str, ...]) -> list[object]:
    return [place.get(name) for place in places if isinstance(place, Mapping) for name in names]


def _count(value: object) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return max(0, ceil(value))
    return 0


def _bound(fields: Mapping[str, object]) -> int:
    messages = fields.get("messages")
    count = len(messages) if isinstance(messages, list) else 0
    has_tools = any(fields.get(name) for name in _TOOLS)
    media: list[str] = []
    return (
        bytes_of_json(without_payloads(fields, media))
        + count * TOKENS_OF_MESSAGE
        + has_tools * TOKENS_OF_TOOLS
        + len(media) * TOKENS_OF_MEDIA
    )


def bytes_of_json(value: object) -> int:
    """Return how long the JSON of a value is in UTF-8."""
    return bytes_of(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def without_payloads(value: object, media: list[str], *, is_media: bool = False) -> object:
    """Return the value without what parts hold that are no text; `media` gets their kinds."""
    if isinstance(value, list):
        return [without_payloads(one, media, is_media=is_media) for one in value]
    if not isinstance(value, Mapping):
        return value
    kind = value.get("type")
    if isinstance(kind, str) and kind in _MEDIA and not is_media:
        media.append(kind)
        is_media = True
    elif kind in ("text", "content"):
        is_media = False  # a document may be a text, or hold parts
    return {
        name: without_payloads(one, media, is_media=is_media)
        for name, one in value.items()
        if not (is_media and name in _PAYLOADS and isinstance(one, str) and _is_payload(value, one))
    }


def _is_payload(holder: Mapping[str, object], payload: str) -> bool:
    media_type = holder.get("media_type")
    is_text = isinstance(media_type, str) and media_type.lower().startswith("text/")
    return not is_text and payload[: len(_DATA_TEXT)].lower() != _DATA_TEXT
