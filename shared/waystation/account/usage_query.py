"""The query string of /v1/usage, checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast
from urllib.parse import urlencode

from waystation.errors import InvalidBodyError
from waystation.identity.presented import QUERY_NAMES
from waystation.ledger.usage_queries import DAY_MS, Only, Span
from waystation.ledger.usage_sums import GROUPS, Group
from waystation.wire.moments import read_moment, write_moment

Format: TypeAlias = Literal["json", "csv"]

MAX_MONTHS = 13
MAX_ROWS = 1000

_DEFAULT_GROUPS: tuple[Group, ...] = ("endpoint", "model")
_NAMES = ("from", "to", "group_by", "endpoint", "model", "conversation", "user")
_KNOWN = frozenset({*_NAMES, "format", "limit", "offset"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_EARLIEST_MS, _LATEST_MS = read_moment("2000-01-01"), read_moment("2100-01-01")


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """What is asked for. `format` None leaves it to the Accept header."""

    span: Span
    group_by: tuple[Group, ...]
    only: Only
    user: str | None
    format: Format | None
    limit: int
    offset: int

    @property
    def is_of_records(self) -> bool:
        """Whether only records can answer it: aggregates know no conversation."""
        return "conversation" in self.group_by or self.only.conversation is not None


def parse_usage_query(pairs: Sequence[tuple[str, str]], now_ms: int) -> UsageQuery:
    """Check the parameters of a query string. Raises InvalidBodyError, naming the parameter."""
    given = read_parameters(pairs, _KNOWN)
    group_by = _groups(given["group_by"]) if "group_by" in given else _DEFAULT_GROUPS
    only = Only(given.get("endpoint"), given.get("model"), given.get("conversation"))
    is_of_records = "conversation" in group_by or only.conversation is not None
    span = _span(given.get("from"), given.get("to"), now_ms)
    return UsageQuery(
        span=span if is_of_records else span.widened(),
        group_by=group_by,
        only=only,
        user=given.get("user"),
        format=_format(given.get("format")),
        limit=_number(given, "limit", 1, MAX_ROWS, MAX_ROWS),
        offset=_number(given, "offset", 0, 10**9, 0),
    )


def query_of_next(given: Mapping[str, str], query: UsageQuery) -> str:
    """Return the query string of the rows that follow; a credential in the one given stays out."""
    known = {name: value for name, value in given.items() if name in _KNOWN}
    return urlencode(known | {"offset": str(query.offset + query.limit)})


def read_parameters(pairs: Sequence[tuple[str, str]], known: frozenset[str]) -> dict[str, str]:
    """Return the parameters that have a value, each given once.

    A credential in the query string is no parameter. Raises InvalidBodyError for unknown names.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name.lower() in QUERY_NAMES:
            continue
        if name not in known:
            told = ", ".join(sorted(known))
            raise InvalidBodyError(f"There is no such parameter; there are: {told}.")
        if name in given:
            raise InvalidBodyError(f"{name} is given twice.", param=name)
        given[name] = value
    return {name: value for name, value in given.items() if value}


def _groups(text: str) -> tuple[Group, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not set(names) <= set(GROUPS) or len(names) > len(set(names)):
        told = ", ".join(GROUPS)
        raise InvalidBodyError(f"group_by lists some of: {told}.", param="group_by")
    return tuple(cast("list[Group]", names))


def _span(first: str | None, last: str | None, now_ms: int) -> Span:
    to_ms = now_ms if last is None else _moment(last, "to") + _length_of(last)
    from_ms = _start_of_month(to_ms - 1) if first is None else _moment(first, "from")
    if from_ms >= to_ms:
        raise InvalidBodyError("from must be before to.", param="from")
    if len(Span(from_ms, to_ms).months()) > MAX_MONTHS:
        raise InvalidBodyError(
            f"from and to must lie in at most {MAX_MONTHS} months.", param="from"
        )
    return Span(from_ms, to_ms)


def _moment(text: str, name: str) -> int:
    try:
        moment = read_moment(text)
    except ValueError:
        moment = -1
    if not _EARLIEST_MS <= moment <= _LATEST_MS:
        raise InvalidBodyError(
            f"{name} must be a date or a moment of ISO 8601, like 2026-11-01.", param=name
        )
    return moment


def _length_of(text: str) -> int:
    """Return how long what a text names lasts: a date is a day, a moment is none."""
    return DAY_MS if _DATE.fullmatch(text) else 0


def _start_of_month(moment_ms: int) -> int:
    return read_moment(f"{write_moment(moment_ms)[:7]}-01")


def _format(text: str | None) -> Format | None:
    if text is not None and text not in ("json", "csv"):
        raise InvalidBodyError("format must be json or csv.", param="format")
    return cast("Format | None", text)


def _number(given: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    if (text := given.get(name)) is None:
        return default
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise InvalidBodyError(f"{name} must be a number from {least} to {most}.", param=name)
    return int(text)
