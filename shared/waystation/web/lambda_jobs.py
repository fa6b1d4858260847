"""Events that are no HTTP requests, beside those that are, in one function."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from waystation.web.log import lines_of, log_unexpected
from waystation.web.request import RESERVE_S

Handler: TypeAlias = Callable[[Any, Any], object]
RunJob: TypeAlias = Callable[[Mapping[str, object], float], Awaitable[None]]


class JobFailedError(Exception):
    """Ends an invocation as failed. Lambda writes the text into the log, so it is always the same.

    Where the job failed, the line before tells.
    """

    def __init__(self) -> None:
        super().__init__("The job failed: see the line unexpected_error.")


def handle_jobs(
    http: Handler, *, is_job: Callable[[object], bool], run: RunJob, within_s: float
) -> Handler:
    """Return a handler that gives jobs to `run`, with their end on the event loop's clock.

    A job has `within_s` seconds, or what is left of the function's time if that is less. Where it
    raises, the place is logged without the text, and the handler raises JobFailedError.
    """

    def handler(event: Any, context: Any) -> object:
        if not is_job(event):
            return http(event, context)
        left_s = context.get_remaining_time_in_millis() / 1000 - RESERVE_S
        loop = asyncio.get_event_loop()  # the one that HTTP requests run on
        ends_at = loop.time() + max(min(left_s, within_s), 0.0)
        request_id = str(event.get("request_id"))
        with lines_of(request_id):
            try:
                loop.run_until_complete(_awaited(run(event, ends_at)))
            except Exception as error:
                log_unexpected(error, request_id)
                raise JobFailedError from None
        return None

    return handler


async def _awaited(job: Awaitable[None]) -> None:
    await job
