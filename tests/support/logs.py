"""The package's log, caught by tests whatever ran before them."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def fresh_log() -> Iterator[None]:
    """Take the log back to how it was before any app was made, and restore it afterwards."""
    logger = logging.getLogger("waystation")
    before = dict(vars(logger))
    logger.handlers, logger.filters = [], []
    logger.propagate = True
    logger.setLevel(logging.NOTSET)
    vars(logger).pop("init", None)
    yield
    for name in vars(logger).keys() - before.keys():
        delattr(logger, name)
    vars(logger).update(before)
    logger.setLevel(before["level"])


class KeptLines(logging.Handler):
    """Keeps the records of one logger."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record)


@contextlib.contextmanager
def kept_lines(name: str) -> Iterator[list[logging.LogRecord]]:
    """Give the records that the logger `name` gets."""
    handler, logger = KeptLines(), logging.getLogger(name)
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)
