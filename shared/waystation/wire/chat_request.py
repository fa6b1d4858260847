"""The body of a chat completion, checked for shape and split into its parts.

Fields this module does not name go upstream as they are. Fields that other programs use to steer
where a request goes, or with which credentials, are dropped: only configuration decides that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.errors import InvalidBodyError
from waystation.wire.moments import read_moment

CONVERSATION_FIELDS = ("conversationId", "parentMessageId", "messageId")

MAX_CHOICES = 8
_NEVER_FORWARDED = frozenset(
    {
        "base_url",
        "baseURL",
        "api_base",
        "api_key",
        "apiKey",
        "api_version",
        "extra_headers",
        "extra_body",
        "extra_query",
        "default_headers",
        "headers",
        "organization",
        "custom_llm_provider",
    }
)
MAX_MODEL_LENGTH = 256
_MODELS_OWN = "maxOutputTokens"  # where 0 stands for the limit of the model
LIMITS = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxTokens",
    "maxCompletionTokens",
    "maxOutputTokens",
)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A client's chat: `params` is everything beyond messages and routing, nulls removed.

    A chat that came in another API also has `native`: its body as it came, without what routes it,
    for an upstream that speaks the same API; `native_headers` go with it, by lower-case name.
    `key_expires_at_ms` is what the client knows of the user's own key, since 1970.
    """

    model: str
    messages: list[dict[str, object]]
    stream: bool
    endpoint: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    conversation: Mapping[str, str] = field(default_factory=dict)
    wants_usage: bool = False
    native: Mapping[str, object] | None = None
    native_headers: Mapping[str, str] = field(default_factory=dict)
    key_expires_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Routing:
    """What every body says beyond the chat itself, whichever API it is of."""

    model: str
    stream: bool
    endpoint: str | None
    conversation: Mapping[str, str]
    key_expires_at_ms: int | None = None


def parse_chat_request(body: object) -> ChatRequest:
    """Check the shape of a chat body. Raises InvalidBodyError, naming the field."""
    fields = present_fields(body)
    routing = take_routing(fields)
    options = fields.get("stream_options", {})
    if not isinstance(options, dict):
        raise InvalidBodyError("stream_options must be an object.", param="stream_options")
    wants_usage = options.get("include_usage", False)
    if not isinstance(wants_usage, bool):
        raise InvalidBodyError(
            "stream_options.include_usage must be true or false.",
            param="stream_options.include_usage",
        )
    messages = check_messages(fields.pop("messages", None))
    for name in LIMITS:
        check_count(fields, name, 0 if name == _MODELS_OWN else 1, None)
    check_count(fields, "n", 1, MAX_CHOICES)
    return ChatRequest(
        model=routing.model,
        messages=messages,
        stream=routing.stream,
        endpoint=routing.endpoint,
        conversation=routing.conversation,
        params=forwarded(fields),
        wants_usage=wants_usage,
        key_expires_at_ms=routing.key_expires_at_ms,
    )


def present_fields(body: object) -> dict[str, object]:
    """Return the fields of a body that are not null. Raises InvalidBodyError."""
    if not isinstance(body, dict):
        raise InvalidBodyError("The body must be a JSON object.")
    return {name: value for name, value in body.items() if value is not None}


def take_routing(fields: dict[str, object]) -> Routing:
    """Take out of the fields what routes a chat. Raises InvalidBodyError, naming the field."""
    model = _text(fields, "model")
    if not model:
        raise InvalidBodyError("model is required: a non-empty string.", param="model")
    if len(model) > MAX_MODEL_LENGTH:
        raise InvalidBodyError(f"model has more than {MAX_MODEL_LENGTH} characters.", param="model")
    stream = fields.pop("stream", False)
    if not isinstance(stream, bool):
        raise InvalidBodyError("stream must be true or false.", param="stream")
    endpoint = _text(fields, "endpoint")
    ids = {name: _text(fields, name) for name in CONVERSATION_FIELDS}
    conversation = {name: value for name, value in ids.items() if value is not None}
    return Routing(model, stream, endpoint, conversation, _key_expiry(fields.pop("key", None)))


def _key_expiry(value: object) -> int | None:
    """Return when LibreChat says that a user's key expires; what is no moment means never."""
    try:
        return None if value is None else read_moment(value)
    except ValueError:
        return None


def forwarded(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields without those that only configuration decides."""
    return {name: value for name, value in fields.items() if name not in _NEVER_FORWARDED}


def _text(fields: dict[str, object], name: str) -> str | None:
    value = fields.pop(name, None)
    if value is not None and not isinstance(value, str):
        raise InvalidBodyError(f"{name} must be a string.", param=name)
    return value


def check_messages(value: object) -> list[dict[str, object]]:
    """Return a list of messages that have roles. Raises InvalidBodyError, naming the field."""
    if not isinstance(value, list) or not value:
        raise InvalidBodyError("messages must be a non-empty list.", param="messages")
    for index, message in enumerate(value):
        if not isinstance(message, dict):
            raise InvalidBodyError("A message must be an object.", param=f"messages[{index}]")
        if not isinstance(message.get("role"), str):
            place = f"messages[{index}].role"
            raise InvalidBodyError(f"{place} must be a string.", param=place)
    return value


def check_count(fields: Mapping[str, object], name: str, low: int, high: int | None) -> None:
    """Check a whole number, if there is one. Raises InvalidBodyError."""
    value = fields.get(name)
    if value is None or value == "":
        return
    if type(value) is not int or value < low or (high is not None and value > high):
        bound = f"from {low} to {high}" if high is not None else f"of at least {low}"
        raise InvalidBodyError(f"{name} must be a whole number {bound}.", param=name)
