"""Calls one service of AWS: signs, sends, tries again, and tells errors apart."""

import asyncio
import hashlib
import json
import random
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from waystation.aws.credentials import CredentialSource
from waystation.aws.failures import AwsError, NoAnswerError, RefusedError
from waystation.aws.http_answer import Answer
from waystation.aws.places import Place
from waystation.aws.signing import Signer, Unsigned
from waystation.aws.transport import Transport

ATTEMPTS = 3
BACKOFF_S = 0.2
MAX_ANSWER_BYTES = 2 * 1024 * 1024
"""DynamoDB's pages have up to 1 MB of items, and more in JSON; SSM's and KMS's are smaller."""

_REFUSED = 300
_UNCHANGED = 304
_CODE = re.compile(r"[A-Za-z0-9.]{1,100}")
_XML_CODE = re.compile(rb"<Code>([A-Za-z0-9.]+)</Code>")
_PASSING = frozenset({"ReadTimeout", "ConnectionLost", "InvalidAnswer", "WrongChecksum"})
_CRC32 = "x-amz-crc32"


class Repeat(Enum):
    """When a call is made again."""

    NEVER = auto()
    IF_NOT_DONE = auto()
    """When it is certain that nothing was done: throttled, or not even sent."""
    ALWAYS = auto()
    """When it failed in any way that may pass: it does no harm twice."""


@dataclass(frozen=True, slots=True)
class Call:
    """One operation. `path` is as it is sent; `headers` are signed, as is the body."""

    operation: str
    method: str = "POST"
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    repeat: Repeat = Repeat.NEVER
    limit: int = MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Service:
    """A service at a place. `sleep` and `now` are asyncio's and the clock's, in seconds."""

    place: Place
    signer: Signer
    credentials: CredentialSource
    transport: Transport
    sleep: Callable[[float], Any] = asyncio.sleep
    now: Callable[[], float] = time.time

    async def call(self, call: Call) -> Answer:
        """Return an answer that is no error, or says that nothing has changed. Raises AwsError."""
        for attempt in range(1, ATTEMPTS):
            try:
                return await self._call_once(call)
            except (NoAnswerError, RefusedError) as error:
                if not _is_repeated(call.repeat, error):
                    raise
            await self.sleep(random.random() * BACKOFF_S * attempt)  # noqa: S311 (spreads load)
        return await self._call_once(call)

    async def _call_once(self, call: Call) -> Answer:
        place = self.place
        digest = hashlib.sha256(call.body).hexdigest()
        headers = [("host", place.authority), *call.headers]
        request = Unsigned(call.method, call.path, headers, digest)
        headers += self.signer.sign(request, await self.credentials.current(), self.now())
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        head = (
            f"{call.method} {call.path} HTTP/1.1\r\n{lines}"
            f"accept-encoding: identity\r\ncontent-length: {len(call.body)}\r\n\r\n"
        )
        answer = await self.transport.send(
            place,
            head.encode("latin-1") + call.body,
            limit=call.limit,
            is_repeatable=call.repeat is Repeat.ALWAYS,
        )
        if answer.status >= _REFUSED and answer.status != _UNCHANGED:
            raise _refusal(call.operation, answer)
        checksum = answer.headers.get(_CRC32)
        if checksum is not None and checksum != str(zlib.crc32(answer.body)):
            raise NoAnswerError("WrongChecksum", is_sent=True)
        return answer


def _is_repeated(repeat: Repeat, error: AwsError) -> bool:
    if repeat is Repeat.NEVER:
        return False
    if isinstance(error, RefusedError):
        return error.is_throttled or (error.is_fault and repeat is Repeat.ALWAYS)
    if isinstance(error, NoAnswerError):
        return not error.is_sent or (repeat is Repeat.ALWAYS and error.cause in _PASSING)
    return False


def _refusal(operation: str, answer: Answer) -> RefusedError:
    details = _details(answer.body)
    told = answer.headers.get("x-amzn-errortype") or details.get("__type") or _xml_code(answer.body)
    code = str(told or "").partition(":")[0].rpartition("#")[2]
    shown = code if _CODE.fullmatch(code) else f"HTTP{answer.status}"
    return RefusedError(operation, shown, answer.status, details)


def _details(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body) if body.startswith(b"{") else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _xml_code(body: bytes) -> str:
    found = _XML_CODE.search(body)
    return found[1].decode() if found else ""
