"""The log: JSON lines by Powertools, of which one per request tells what happened.

Only the fields named here are ever written; never a body, a header, a query or a key. A last filter
takes live secrets and key-like text out of every line, whoever wrote it. On Lambda lines carry
the metrics of what they tell.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from waystation.web.metrics import MEASURING, Metrics
from waystation.wire.redaction import redact

ROOT = "waystation"
REQUEST_FIELDS = frozenset(
    {
        "request_id",
        "user_id",
        "key_id",
        "endpoint",
        "model",
        "upstream_model",
        "stream",
        "method",
        "route",
        "status",
        "latency_ms",
        "first_byte_ms",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "usage_source",
        "cost_nanousd",
        "error_code",
        "error_source",
        "idempotent_hit",
        "cause",
        "listed_model",
    }
)

_FOR_METRICS_ALONE = "listed_model"

# They would log the URLs, status lines and headers of upstream calls.
_TALKATIVE = ("httpx2", "httpcore2")

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

SecretValues = Callable[[], Iterable[str]]


class _RedactingFormatter(LambdaPowertoolsFormatter):
    def __init__(self, live_secrets: SecretValues, metrics: Metrics | None) -> None:
        super().__init__(utc=True, log_record_order=["level"])
        self._live_secrets = live_secrets
        self._metrics = metrics

    def format(self, record: logging.LogRecord) -> str:
        told = vars(record)
        told.pop("taskName", None)  # Python 3.12 adds it to every record
        if (request_id := _request_id.get()) is not None:
            told.setdefault("request_id", request_id)
        if self._metrics is not None:
            told |= self._metrics.members(str(record.msg), told, round(record.created * 1000))
        told.pop(_FOR_METRICS_ALONE, None)
        return redact(super().format(record), self._live_secrets())


class _GuardedFormatter(logging.Formatter):
    """Whatever a library's handler would write, without secrets."""

    def __init__(self, inner: logging.Formatter, live_secrets: SecretValues) -> None:
        super().__init__()
        self._inner = inner
        self._live_secrets = live_secrets

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._inner.format(record), self._live_secrets())


def set_up_logging(
    level: str, live_secrets: SecretValues, metrics_namespace: str | None = None
) -> None:
    """Send this package's log to stdout as JSON lines, and guard what libraries log.

    With a namespace of CloudWatch, lines that measure something carry metrics, and are written
    whatever the level is.
    """
    metrics = Metrics(metrics_namespace) if metrics_namespace else None
    Logger(
        service=ROOT,
        level=level,
        logger_handler=logging.StreamHandler(sys.stdout),
        logger_formatter=_RedactingFormatter(live_secrets, metrics),
    )
    logger = logging.getLogger(ROOT)
    logger.propagate = False
    for name in MEASURING:
        must_write = metrics is not None and logger.level > logging.INFO
        logger.getChild(name).setLevel(logging.INFO if must_write else logging.NOTSET)
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
    _guard_libraries(live_secrets)


def _guard_libraries(live_secrets: SecretValues) -> None:
    """Put the filter before the root logger's handlers: Lambda's own, or one to stderr."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    for handler in root.handlers:
        inner = handler.formatter or logging.Formatter()
        if not isinstance(inner, _GuardedFormatter):
            handler.setFormatter(_GuardedFormatter(inner, live_secrets))


@contextmanager
def lines_of(request_id: str) -> Iterator[None]:
    """Have every line that is written inside tell the request it belongs to."""
    before = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(before)


def log_request(fields: Mapping[str, object]) -> None:
    """Write the one line of a request: its known fields that have a value."""
    known = {
        name: value
        for name, value in fields.items()
        if name in REQUEST_FIELDS and value is not None
    }
    logging.getLogger(f"{ROOT}.requests").info("request", extra=known)


def log_unexpected(error: BaseException, request_id: str) -> None:
    """Write where an unforeseen error came from: types and places, never its text."""
    places = [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    logging.getLogger(ROOT).error(
        "unexpected_error",
        extra={"request_id": request_id, "error_type": type(error).__name__, "trace": places},
    )
