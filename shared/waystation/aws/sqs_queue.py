"""A queue of SQS."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waystation.aws.queue import QueueError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueue:
    """The real queue. boto3 blocks, so every call runs in a thread."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    async def send(self, body: str) -> None:
        send = partial(self._client.send_message, QueueUrl=self._url, MessageBody=body)
        try:
            await asyncio.to_thread(send)
        except ClientError as error:
            raise QueueError(f"the queue refused: {error.response['Error']['Code']}") from error
        except BotoCoreError as error:
            raise QueueError(f"the queue did not answer: {type(error).__name__}") from error
