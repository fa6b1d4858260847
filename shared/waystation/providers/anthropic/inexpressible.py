"""The error for what the Messages API has no place for."""

from waystation.errors import InvalidBodyError


def inexpressible(path: str) -> InvalidBodyError:
    """Return the error for the field at `path`."""
    return InvalidBodyError(f"{path} cannot be expressed in Anthropic's Messages API.", param=path)
