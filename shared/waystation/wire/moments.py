"""Moments as clients write them: ISO 8601, or milliseconds since 1970."""

from datetime import UTC, datetime, timedelta

_FIRST, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_LAST_MS = 253_402_300_799_999  # the end of the year 9999


def read_moment(value: object) -> int:
    """Return a moment in milliseconds since 1970; a text without a zone is in UTC.

    Raises ValueError for anything else, and for a moment before 1970 or after the year 9999.
    """
    if isinstance(value, str):
        told = datetime.fromisoformat(value)
        moment = told if told.tzinfo else told.replace(tzinfo=UTC)
        milliseconds = (moment - _FIRST) // _MS
    elif isinstance(value, int | float) and not isinstance(value, bool):
        milliseconds = int(value)
    else:
        raise ValueError("not a moment")  # noqa: TRY004 (as for a text that is none)
    if not 0 <= milliseconds <= _LAST_MS:
        raise ValueError("not within the years that there are")
    return milliseconds


def write_moment(milliseconds: int) -> str:
    """Return a moment as ISO 8601 in UTC, as in `2030-01-31T12:00:00.000Z`."""
    moment = _FIRST + milliseconds * _MS
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
