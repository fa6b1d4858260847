"""What a client is told by the ledger, with HTTP status, type and code.

    GatewayError
    └── LedgerError                      nothing was asked of an upstream
        ├── ModelNotPricedError          400 model_not_priced
        ├── InsufficientBalanceError     402 insufficient_balance
        ├── IdempotencyInProgressError   409 idempotency_in_progress
        ├── IdempotencyCompletedError    409 idempotency_completed
        ├── IdempotencyKeyReusedError    422 idempotency_key_reused
        └── RateLimitedError             429 rate_limited

A ledger that does not answer is `errors.LedgerUnavailableError`.
"""

from waystation.errors import GatewayError


class LedgerError(GatewayError):
    pass


class ModelNotPricedError(LedgerError):
    """Nobody knows what a model costs, so no balance can be held to it."""

    status = 400
    type = "invalid_request_error"
    code = "model_not_priced"


class InsufficientBalanceError(LedgerError):
    status = 402
    type = "billing_error"
    code = "insufficient_balance"


class IdempotencyInProgressError(LedgerError):
    status = 409
    type = "conflict_error"
    code = "idempotency_in_progress"

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key is under way.", headers={"retry-after": "2"}
        )


class IdempotencyCompletedError(LedgerError):
    """The answer was given once, and is not kept."""

    status = 409
    type = "conflict_error"
    code = "idempotency_completed"
    retryable = False

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"The request with this Idempotency-Key was answered: its id is {request_id}."
        )


class IdempotencyKeyReusedError(LedgerError):
    status = 422
    type = "invalid_request_error"
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for a request with another body.")


class RateLimitedError(LedgerError):
    status = 429
    type = "rate_limit_error"
    code = "rate_limited"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have {limit} requests under way, which is as many as you may.",
            headers={"retry-after": "1"},
        )
