"""Environment files: `NAME="value"` lines, nothing in them expanded."""

import io
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values

_log = logging.getLogger("waystation.dev")


def read_env_file(path: Path) -> dict[str, str]:
    """Return the names that have a value. Raises OSError, UnicodeDecodeError."""
    text = path.read_text(encoding="utf-8")
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


class EnvFileSource:
    """Secrets from a file that is read again whenever it has changed.

    While it cannot be read, because an editor is about to replace it, say, the last values stay,
    and the log says so.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._values: dict[str, str] = {}

    async def fetch(self, names: Iterable[str]) -> Mapping[str, str]:
        try:
            self._refresh()
        except (OSError, UnicodeDecodeError) as error:
            _log.warning("env_file_unreadable", extra={"cause": type(error).__name__})
        return {name: self._values[name] for name in names if name in self._values}

    def _refresh(self) -> None:
        stat = self._path.stat()
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:
            self._values, self._seen = read_env_file(self._path), seen
