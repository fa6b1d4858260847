"""Operator text with `${NAME}` and `{{LIBRECHAT_…}}`, filled in at request time.

Each function passes over the text once and puts values in plainly: what was put in is never
scanned again. Where values come from, and what an error means to a client, is the caller's matter.
"""

import base64
import re
from collections.abc import Mapping
from typing import Protocol

from waystation.config.header_rules import value_problem
from waystation.config.references import (
    PLACEHOLDER,
    PLACEHOLDERS,
    VARIABLE,
    is_allowed_variable,
)

_BEYOND_LATIN_1 = re.compile(r"[^\x00-\xff]")


class UnresolvedVariableError(ValueError):
    """A variable is missing, empty or reserved. Holds its name, never a value."""

    def __init__(self, name: str) -> None:
        super().__init__("a variable has no value")
        self.name = name


class UnknownPlaceholderError(ValueError):
    """A variable's value brought a placeholder that does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__("a placeholder does not exist")
        self.name = name


class VariableResolver(Protocol):
    async def resolve(self, names: set[str], /) -> Mapping[str, str]:
        """Return the values of the names that have one. Raises SecretUnavailableError."""


def find_variables(text: str) -> tuple[str, ...]:
    """Return the names of the variables in `text`, each once, in order."""
    return tuple(dict.fromkeys(name for name, closing in VARIABLE.findall(text) if closing))


def expand_variables(text: str, values: Mapping[str, str]) -> str:
    """Return `text` without blanks at its ends and with every `${NAME}` replaced.

    Raises:
        UnresolvedVariableError: `values` has nothing, or an empty text, for a name.

    """
    if "${" not in text:
        return text.strip()

    def value_of(match: re.Match[str]) -> str:
        name, closing = match.groups()
        if not closing:
            return match[0]
        value = values.get(name) if is_allowed_variable(name) else None
        if not value:
            raise UnresolvedVariableError(name)
        return value

    return VARIABLE.sub(value_of, text.strip())


def fill_placeholders(text: str, values: Mapping[str, str]) -> str:
    """Return a header's `text` with every `{{LIBRECHAT_NAME}}` replaced.

    `values` is keyed `USER_ID`, `BODY_MESSAGEID` and so on; an absent one becomes empty. A value
    beyond Latin-1 becomes `b64:` and the base64 of its UTF-8.

    Raises:
        UnknownPlaceholderError: there is no placeholder of that name.

    """

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in PLACEHOLDERS:
            raise UnknownPlaceholderError(match[1])
        return _to_latin_1(values.get(match[1].removeprefix("LIBRECHAT_"), ""))

    return PLACEHOLDER.sub(value_of, text)


def header_value(text: str) -> str:
    """Return `text` as it is sent, without blanks at its ends.

    Raises:
        ValueError: control characters, text beyond Latin-1, or more than 8 KiB.

    """
    value = text.strip(" \t")
    problem = value_problem(value)
    if problem:
        raise ValueError(problem)
    return value


def _to_latin_1(value: str) -> str:
    if not _BEYOND_LATIN_1.search(value):
        return value
    return "b64:" + base64.b64encode(value.encode("utf-8", "replace")).decode("ascii")
