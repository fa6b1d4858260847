"""Objects of S3, as the one operation this project asks of it."""

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from waystation.aws.failures import NoAnswerError
from waystation.aws.service import Call, Repeat, Service
from waystation.aws.signing import EMPTY_SHA256

_UNCHANGED = 304


class ObjectTooLargeError(Exception):
    """The object is larger than it may be."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What an object holds, and the mark of this state of it."""

    content: bytes = field(repr=False)
    etag: str


class ObjectStore(Protocol):
    async def get(self, key: str, *, known: str | None, limit: int) -> StoredObject | None:
        """Return an object of at most `limit` bytes, or None if its mark is still `known`.

        Raises AwsError, ObjectTooLargeError.
        """


class Bucket:
    """A bucket of S3, in the region it is asked in."""

    def __init__(self, s3: Service, *, path: str = "") -> None:
        """Take what comes before the key in paths: the bucket, where no host is its own."""
        self._s3 = s3
        self._path = path

    async def get(self, key: str, *, known: str | None, limit: int) -> StoredObject | None:
        headers = [("x-amz-content-sha256", EMPTY_SHA256)]
        if known:
            headers.append(("if-none-match", known))
        call = Call(
            "GetObject",
            method="GET",
            path=f"{self._path}/{quote(key, safe='/-_.~')}",
            headers=tuple(headers),
            repeat=Repeat.ALWAYS,
            limit=limit,
        )
        try:
            answer = await self._s3.call(call)
        except NoAnswerError as error:
            if error.cause == "AnswerTooLarge":
                raise ObjectTooLargeError from error
            raise
        if answer.status == _UNCHANGED:
            return None
        return StoredObject(answer.body, answer.headers.get("etag", ""))
