"""What can go wrong with a call of AWS. The texts hold neither what was sent nor what came."""

from collections.abc import Mapping
from typing import Any

_SERVER_FAULTS = range(500, 600)
# Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, 2026-11
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


class AwsError(Exception):
    """A call that did not succeed; `cause` is a word for the log."""

    cause: str


class NoCredentialsError(AwsError):
    """There is nothing to sign with; the text names what is missing."""

    cause = "NoCredentials"


class NoAnswerError(AwsError):
    """No whole answer came. Unless `is_sent`, no byte of the request was."""

    def __init__(self, cause: str, *, is_sent: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.is_sent = is_sent


class RefusedError(AwsError):
    """The service answered with an error: its code, its status, and the document about it."""

    def __init__(self, operation: str, code: str, status: int, details: Mapping[str, Any]) -> None:
        super().__init__(f"{operation}: {code}")
        self.cause = code
        self.status = status
        self.details = details

    @property
    def is_throttled(self) -> bool:
        """Nothing was done, and may be tried again."""
        return self.cause in _THROTTLED

    @property
    def is_fault(self) -> bool:
        """The service failed: it may have done what was asked."""
        return self.status in _SERVER_FAULTS and not self.is_throttled
