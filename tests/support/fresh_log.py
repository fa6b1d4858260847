"""Catches what an app logs, as if it were the first app of its process."""

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from typing import Any


class CapturedLog:
    """All that the apps made within `set_up` print, as long as no other app is made."""

    def __init__(self) -> None:
        self._sink = io.StringIO()

    @contextlib.contextmanager
    def set_up(self) -> Iterator[None]:
        """Make an app inside of this; its log goes to the standard output of that time."""
        logger = logging.getLogger("waystation")
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        vars(logger).pop("init", None)  # Powertools' mark of a logger that is set up
        with contextlib.redirect_stdout(self._sink):
            yield

    def clear(self) -> None:
        """Forget what has been printed."""
        self._sink.seek(0)
        self._sink.truncate()

    @property
    def text(self) -> str:
        return self._sink.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        """Return the documents that were logged, one a line."""
        return [json.loads(line) for line in self.text.splitlines()]
