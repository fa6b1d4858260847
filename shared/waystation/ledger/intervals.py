"""Spans of time as LibreChat's `balance` names them. Pure, and in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Unit = Literal["seconds", "minutes", "hours", "days", "weeks", "months"]

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_MONTHS = 12
_NEVER_MS = 253_402_300_799_999  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class Interval:
    """So many of a unit."""

    value: int
    unit: Unit

    def after(self, moment_ms: int) -> int:
        """Return the moment so much later, both in ms since 1970.

        A month after January 31 is as many days after the end of January as February has too few,
        as JavaScript counts.
        """
        try:
            later = self._after(_FIRST + moment_ms * _MS)
        except (OverflowError, ValueError):
            return _NEVER_MS
        return (later - _FIRST) // _MS

    def _after(self, moment: datetime) -> datetime:
        if self.unit != "months":
            return moment + timedelta(**{self.unit: self.value})
        years, month = divmod(moment.month - 1 + self.value, _MONTHS)
        first = moment.replace(year=moment.year + years, month=month + 1, day=1)
        return first + timedelta(days=moment.day - 1)
