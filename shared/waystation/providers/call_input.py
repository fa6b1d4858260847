"""Reads what an assistant's message called a tool with."""

from collections.abc import Mapping

from waystation.errors import InvalidBodyError
from waystation.wire.checks import text_in
from waystation.wire.json_reader import read_json_lenient


def read_input(function: Mapping[str, object], where: str) -> dict[str, object]:
    """Return the `arguments` of the call at `where`, which are JSON text; blank ones are none.

    Raises InvalidBodyError.
    """
    path, arguments = f"{where}.arguments", text_in(function, "arguments", where)
    if not arguments.strip():
        return {}
    try:
        value = read_json_lenient(arguments.encode())
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InvalidBodyError(f"{path} must be the JSON text of an object.", param=path)
    return value
