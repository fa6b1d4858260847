"""Tells what an upstream refuses: an option, as far as its message names it, or a user's key."""

from collections.abc import Mapping

from waystation.errors import (
    UpstreamAuthFailedError,
    UpstreamError,
    UpstreamRejectedError,
    UserKeyRejectedError,
)
from waystation.providers.provider import CallContext
from waystation.wire.chat_request import ChatRequest

_OF_USAGE = ("stream_options", "include_usage")
_OF_SCHEMA = ("response_format", "json_schema", "json schema", "structured output", "text.format")


def names_usage_option(error: UpstreamError) -> bool:
    """Tell whether being asked for usage was the fault."""
    return _names(error, _OF_USAGE)


def brings_stream_options(request: ChatRequest) -> bool:
    """Tell whether a client gives options of streams beyond the one that asks for usage."""
    options = request.params.get("stream_options")
    return isinstance(options, Mapping) and bool(options.keys() - {"include_usage"})


def names_schema_option(error: UpstreamError) -> bool:
    """Tell whether being asked for an answer by a schema was the fault."""
    return _names(error, _OF_SCHEMA)


def as_the_users(error: UpstreamError, context: CallContext) -> UpstreamError:
    """Return an error as the caller is told it: a user's own key is a matter of the user."""
    if context.is_users_key and isinstance(error, UpstreamAuthFailedError):
        return UserKeyRejectedError(
            f"The upstream of endpoint '{context.endpoint.name}' refused your key."
        )
    return error


def _names(error: UpstreamError, options: tuple[str, ...]) -> bool:
    if not isinstance(error, UpstreamRejectedError) or error.status not in {400, 422}:
        return False
    told = f"{error.message} {error.param}".lower()
    return any(option in told for option in options)
