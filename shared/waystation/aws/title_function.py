"""Calls the title function, without waiting for the title."""

import asyncio
import json
import logging
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waystation.wire.title_job import TitleJob

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

START_S = 2.0  # a buffered answer waits for this

_log = logging.getLogger("waystation.titles")


class TitleFunction:
    """The Lambda function that makes titles, called by events."""

    def __init__(self, client: "LambdaClient", name: str, *, patience_s: float = START_S) -> None:
        self._client = client
        self._name = name
        self._patience_s = patience_s

    async def start(self, job: TitleJob) -> None:
        """Hand over a job. Never raises: what goes wrong is logged as `title_not_started`."""
        send = partial(
            self._client.invoke,
            FunctionName=self._name,
            InvocationType="Event",
            Payload=json.dumps(job.to_event()),
        )
        try:
            async with asyncio.timeout(self._patience_s):
                await asyncio.to_thread(send)
        except ClientError as error:
            self._tell(job, error.response["Error"]["Code"])
        except (BotoCoreError, TimeoutError) as error:
            self._tell(job, type(error).__name__)

    def _tell(self, job: TitleJob, cause: str) -> None:
        told = {"request_id": job.request_id, "endpoint": job.endpoint, "cause": cause}
        _log.error("title_not_started", extra=told)
