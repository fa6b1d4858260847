"""Checks the shapes of what a request holds, and names the field whose shape is wrong."""

from collections.abc import Mapping

from waystation.errors import InvalidBodyError


def object_at(value: object, path: str) -> dict[str, object]:
    """Return a copy without nulls. Raises InvalidBodyError."""
    if not isinstance(value, dict):
        raise InvalidBodyError(f"{path} must be an object.", param=path)
    return {name: member for name, member in value.items() if member is not None}


def list_at(value: object, path: str) -> list[object]:
    """Return a list as it is. Raises InvalidBodyError."""
    if not isinstance(value, list):
        raise InvalidBodyError(f"{path} must be a list.", param=path)
    return value


def text_in(source: Mapping[str, object], name: str, path: str) -> str:
    """Return a text of the object at `path`. Raises InvalidBodyError."""
    value = source.get(name)
    if not isinstance(value, str):
        raise InvalidBodyError(f"{path}.{name} must be a string.", param=f"{path}.{name}")
    return value


def without(source: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in source.items() if name not in names}
