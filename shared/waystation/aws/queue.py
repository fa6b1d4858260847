"""A queue in SQS, as the one operation this project asks of it."""

from typing import Protocol

from waystation.aws.failures import AwsError
from waystation.aws.json_service import JsonService
from waystation.aws.service import Service


class QueueError(Exception):
    """The queue did not answer, or refused; the text holds no message."""


class Queue(Protocol):
    async def send(self, body: str) -> None:
        """Put a message of at most 256 KiB into the queue, once or more often.

        Raises QueueError.
        """


class SqsQueue:
    """The real queue."""

    def __init__(self, service: Service, url: str) -> None:
        self._sqs = JsonService(service, "AmazonSQS", "1.0")
        self._url = url

    async def send(self, body: str) -> None:
        try:
            await self._sqs.call("SendMessage", {"QueueUrl": self._url, "MessageBody": body})
        except AwsError as error:
            raise QueueError(f"the queue did not take it: {error.cause}") from error
