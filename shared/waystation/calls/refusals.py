"""Tells which option of a request an upstream refuses, as far as its message names it."""

from waystation.errors import UpstreamError, UpstreamRejectedError

_OF_USAGE = ("stream_options", "include_usage")
_OF_SCHEMA = ("response_format", "json_schema", "json schema", "structured output", "text.format")


def names_usage_option(error: UpstreamError) -> bool:
    """Tell whether being asked for usage was the fault."""
    return _names(error, _OF_USAGE)


def names_schema_option(error: UpstreamError) -> bool:
    """Tell whether being asked for an answer by a schema was the fault."""
    return _names(error, _OF_SCHEMA)


def _names(error: UpstreamError, options: tuple[str, ...]) -> bool:
    if not isinstance(error, UpstreamRejectedError) or error.status not in {400, 422}:
        return False
    told = f"{error.message} {error.param}".lower()
    return any(option in told for option in options)
