"""Calls the title function, without waiting for the title."""

import asyncio
import json
import logging
from urllib.parse import quote

from waystation.aws.failures import AwsError
from waystation.aws.service import Call, Service
from waystation.wire.title_job import TitleJob

START_S = 2.0  # a buffered answer waits for this

_log = logging.getLogger("waystation.titles")


class TitleFunction:
    """The Lambda function that makes titles, called by events, once each."""

    def __init__(self, service: Service, name: str, *, patience_s: float = START_S) -> None:
        """Take the name or ARN of the function."""
        self._lambda = service
        self._path = f"/2015-03-31/functions/{quote(name, safe='')}/invocations"
        self._patience_s = patience_s

    async def start(self, job: TitleJob) -> None:
        """Hand over a job. Never raises: what goes wrong is logged as `title_not_started`."""
        call = Call(
            "Invoke",
            path=self._path,
            headers=(("x-amz-invocation-type", "Event"),),
            body=json.dumps(job.to_event()).encode(),
        )
        try:
            async with asyncio.timeout(self._patience_s):
                await self._lambda.call(call)
        except AwsError as error:
            self._tell(job, error.cause)
        except TimeoutError as error:
            self._tell(job, type(error).__name__)

    def _tell(self, job: TitleJob, cause: str) -> None:
        told = {"request_id": job.request_id, "endpoint": job.endpoint, "cause": cause}
        _log.error("title_not_started", extra=told)
