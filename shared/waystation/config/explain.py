"""Says in plain words, with a path and never a value, what a schema error means."""

from typing import TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

Path: TypeAlias = tuple[str | int, ...]

_EXPECTED_TYPES = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_EXPECTED_LISTS = {
    "default": "a list of model names",
    "dropParams": "a list of strings",
    "paramDefinitions": "a list of definitions",
    "options": "a list of strings",
}
_BROKEN_RULES = {
    "rule": "{message}",
    "missing": "this key is required",
    "extra_forbidden": "there is no such key",
    "finite_number": "expected a finite number",
    "greater_than": "expected a number greater than {gt:g}",
    "greater_than_equal": "expected a number of at least {ge:g}",
    "less_than_equal": "expected a number of at most {le:g}",
}
_FOUND: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "a mapping"),
)
_KEY_OF_MAPPING = "[key]"


def explain(error: ValidationError) -> list[tuple[Path, str]]:
    """Return path and message of each thing that is wrong, in the order of the schema."""
    details = error.errors(include_url=False)
    return [(_path(detail), _message(detail)) for detail in details]


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


def _path(detail: ErrorDetails) -> Path:
    return tuple(step for step in detail["loc"] if step != _KEY_OF_MAPPING)


def _message(detail: ErrorDetails) -> str:
    kind, found = detail["type"], detail["input"]
    if kind in _BROKEN_RULES:
        return _BROKEN_RULES[kind].format(**detail.get("ctx", {}))
    if kind == "literal_error":
        return f"expected {detail['ctx']['expected']}"
    expected = _EXPECTED_TYPES.get(kind)
    if expected is None:
        expected = _EXPECTED_LISTS.get(str(_path(detail)[-1]), "a list")
    hint = "; put it in quotes" if kind == "string_type" and isinstance(found, int | float) else ""
    return f"expected {expected}, found {name_type(found)}{hint}"


def _printable(step: str) -> str:
    return step if step.isprintable() else step.encode("unicode_escape").decode("ascii")
