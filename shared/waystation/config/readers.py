"""How single values of the operator's file are read, and in what words they are refused."""

import math
from collections.abc import Callable
from typing import Any, TypeVar, get_args

from waystation.config.explain import Path, found_instead
from waystation.config.parts import Reader, RefusedError, refused

T = TypeVar("T")
NumberT = TypeVar("NumberT", int, float)
ResultT = TypeVar("ResultT")


def text(found: object) -> str:
    """Read text."""
    if isinstance(found, str):
        return found
    hint = "; put it in quotes" if isinstance(found, int | float) else ""
    raise refused(found_instead("text", found) + hint)


def flag(found: object) -> bool:
    """Read true or false."""
    if isinstance(found, bool):
        return found
    raise refused(found_instead("true or false", found))


def whole_number(found: object) -> int:
    """Read an integer."""
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    raise refused(found_instead("a whole number", found))


def number(found: object) -> float:
    """Read a finite number."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise refused(found_instead("a number", found))
    try:
        value = float(found)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise refused("expected a finite number")
    return value


def one_of(literal: object) -> Callable[[object], Any]:
    """Read one of the texts of a `Literal`."""
    choices = get_args(literal)
    *others, last = map(repr, choices)
    expected = f"{', '.join(others)} or {last}" if others else last

    def read(found: object) -> object:
        if isinstance(found, str) and found in choices:
            return found
        raise refused(f"expected {expected}")

    return read


def not_null(read: Reader[T]) -> Reader[T]:
    """Refuse an explicit null where a key may only be left out."""

    def read_value(found: object) -> T:
        if found is None:
            raise refused("expected a value, found nothing: give one or leave the key out")
        return read(found)

    return read_value


def list_of(read: Reader[T], name: str = "a list of strings") -> Reader[tuple[T, ...]]:
    """Read a list, which `name` names, item by item."""

    def read_items(found: object) -> tuple[T, ...]:
        if not isinstance(found, list | tuple):
            raise refused(found_instead(name, found))
        items: list[T] = []
        problems: dict[Path, str] = {}
        for index, item in enumerate(found):
            try:
                items.append(read(item))
            except RefusedError as error:
                problems |= {(index, *path): message for path, message in error.problems.items()}
        if problems:
            raise RefusedError(problems)
        return tuple(items)

    return read_items


def mapping_of(read: Reader[T], read_key: Reader[str] = text) -> Reader[dict[str, T]]:
    """Read a mapping, key by key. Of a key and its value, the value's mistake is told."""

    def read_entries(found: object) -> dict[str, T]:
        if not isinstance(found, dict):
            raise refused(found_instead("a mapping", found))
        entries: dict[str, T] = {}
        problems: dict[Path, str] = {}
        for key, value in found.items():
            try:
                name = read_key(key)
            except RefusedError as error:
                name = str(key)
                problems |= {(name, *path): message for path, message in error.problems.items()}
            try:
                entries[name] = read(value)
            except RefusedError as error:
                problems |= {(name, *path): message for path, message in error.problems.items()}
        if problems:
            raise RefusedError(problems)
        return entries

    return read_entries


def then(read: Reader[T], convert: Callable[[T], ResultT]) -> Reader[ResultT]:
    """Read, and convert what is right. `convert` may raise RefusedError."""
    return lambda found: convert(read(found))


def checked(read: Reader[T], find_problem: Callable[[T], str | None]) -> Reader[T]:
    """Read, and refuse a value that has a problem."""

    def check(value: T) -> T:
        if problem := find_problem(value):
            raise refused(problem)
        return value

    return then(read, check)


def at_least(read: Reader[NumberT], least: float) -> Reader[NumberT]:
    """Refuse numbers below `least`."""
    message = f"expected a number of at least {least:g}"
    return checked(read, lambda value: None if value >= least else message)


def at_most(read: Reader[NumberT], most: float) -> Reader[NumberT]:
    """Refuse numbers above `most`."""
    message = f"expected a number of at most {most:g}"
    return checked(read, lambda value: None if value <= most else message)


def more_than(read: Reader[NumberT], limit: float) -> Reader[NumberT]:
    """Refuse numbers that are not above `limit`."""
    message = f"expected a number greater than {limit:g}"
    return checked(read, lambda value: None if value > limit else message)
