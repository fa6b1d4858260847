"""The error for what the Converse API has no place for."""

from collections.abc import Collection, Mapping

from waystation.errors import InvalidBodyError


def inexpressible(path: str) -> InvalidBodyError:
    """Return the error for the field at `path`."""
    return InvalidBodyError(f"{path} cannot be expressed in Bedrock's Converse API.", param=path)


def refuse_others(holder: Mapping[str, object], known: Collection[str], where: str) -> None:
    """Raise InvalidBodyError for the first member of the object at `where` that is not known."""
    for name in holder:
        if name not in known:
            raise inexpressible(f"{where}.{name}")
