"""The context of an invocation, as the managed runtime gives it to handlers."""

import os
import time
from dataclasses import dataclass

from mangum.types import LambdaCognitoIdentity, LambdaMobileClientContext

from waystation.lambda_runtime.api import Invocation


@dataclass(slots=True)
class Context:
    """Names are Lambda's; there is no identity and no client context.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html, 2026-11.
    """

    aws_request_id: str
    invoked_function_arn: str
    deadline_ms: int
    function_name: str
    function_version: str
    memory_limit_in_mb: int
    log_group_name: str
    log_stream_name: str
    identity: LambdaCognitoIdentity | None = None
    client_context: LambdaMobileClientContext | None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        return max(0, self.deadline_ms - time.time_ns() // 1_000_000)


def context_of(invocation: Invocation) -> Context:
    """Return the context of an invocation in this function."""
    env = os.environ
    return Context(
        aws_request_id=invocation.request_id,
        invoked_function_arn=invocation.headers.get("lambda-runtime-invoked-function-arn", ""),
        deadline_ms=invocation.deadline_ms,
        function_name=env.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        function_version=env.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        memory_limit_in_mb=int(env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")),
        log_group_name=env.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
        log_stream_name=env.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
    )
