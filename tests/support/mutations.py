"""Every document that differs from a good one in a single place."""

import copy
from collections.abc import Iterator
from typing import Any

JUNK: tuple[object, ...] = (None, True, -1, 1.5, "x", [], ["x"], [[]], [{}], {}, {"x": 1})


def mutations(document: Any) -> Iterator[Any]:
    """Yield copies of a JSON document with each value in turn replaced by junk, or left out."""
    for path in _paths(document):
        for junk in JUNK:
            copied = copy.deepcopy(document)
            _parent(copied, path)[path[-1]] = copy.deepcopy(junk)
            yield copied
        copied = copy.deepcopy(document)
        del _parent(copied, path)[path[-1]]
        yield copied


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _paths(value[key], (*path, key))


def _parent(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document
