"""A queue, as the one operation this project asks of it."""

from typing import Protocol


class QueueError(Exception):
    """The queue did not answer, or refused; the text holds no message."""


class Queue(Protocol):
    async def send(self, body: str) -> None:
        """Put a message of at most 256 KiB into the queue, once or more often.

        Raises QueueError.
        """
