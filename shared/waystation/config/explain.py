"""Says in plain words, with a path and never a value, what is wrong in the operator's file."""

from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_FOUND: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "a mapping"),
)


def found_instead(expected: str, found: object) -> str:
    """Return the message for a value of another kind than the expected one."""
    return f"expected {expected}, found {name_type(found)}"


def format_path(path: Path) -> str:
    """Return a path as people write it: `endpoints.custom[0].models.default[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{_printable(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def name_type(value: object) -> str:
    """Return what kind of value was found, in the words of a person who writes YAML."""
    for types, name in _FOUND:
        if isinstance(value, types):
            return name
    return "nothing"


def _printable(step: str) -> str:
    return step if step.isprintable() else step.encode("unicode_escape").decode("ascii")
