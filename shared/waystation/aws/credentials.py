"""What signs this process's calls: from the environment, or handed out beside the process.

Lambda puts credentials into the environment; with SnapStart it hands them out over loopback, and
they end while the process lives.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from waystation.aws.failures import NoAnswerError, NoCredentialsError
from waystation.aws.http_answer import Answer
from waystation.aws.places import Place, parse_place
from waystation.aws.transport import Transport
from waystation.wire.upstream_request import AwsCredentials

REFRESH_BEFORE_S = 300.0
MAX_ANSWER_BYTES = 64 * 1024

_LOOPBACK = re.compile(r"http://(127(\.[0-9]{1,3}){3}|\[::1\]|localhost)(:[0-9]{1,5})?(/[!-~]*)?")
_SENDABLE = re.compile(r"[!-~]*")
_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_OK = 200


class CredentialSource(Protocol):
    async def current(self) -> AwsCredentials:
        """Return what signs now. Raises NoCredentialsError, which names no secret."""


class FixedCredentials:
    """Credentials that stay while the process lives, or none."""

    def __init__(self, credentials: AwsCredentials | None) -> None:
        self._credentials = credentials

    async def current(self) -> AwsCredentials:
        if self._credentials is None:
            raise NoCredentialsError(
                "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        return self._credentials


class ContainerCredentials:
    """Credentials that a process beside this one hands out, fetched anew before they end.

    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html,
    2026-11.
    """

    def __init__(
        self, url: str, token: str, transport: Transport, *, now: Callable[[], float] = time.time
    ) -> None:
        """Take the URL, which is on loopback, and what it is to be asked with.

        Raises ValueError for any other URL.
        """
        self._place, path = _loopback(url)
        lines = [
            f"GET {path} HTTP/1.1",
            f"host: {self._place.authority}",
            "accept: application/json",
        ]
        if token:
            lines.append(f"authorization: {token}")
        self._message = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self._transport = transport
        self._now = now
        self._credentials: AwsCredentials | None = None
        self._ends_at = 0.0

    async def current(self) -> AwsCredentials:
        known = self._credentials
        if known is not None and self._now() < self._ends_at - REFRESH_BEFORE_S:
            return known
        try:
            answer = await self._transport.send(
                self._place, self._message, limit=MAX_ANSWER_BYTES, is_repeatable=True
            )
            self._credentials, self._ends_at = _read(answer)
        except (NoAnswerError, ValueError) as error:
            if known is not None and self._now() < self._ends_at:
                return known
            raise NoCredentialsError(
                "no credentials: AWS_CONTAINER_CREDENTIALS_FULL_URI gives none"
            ) from error
        return self._credentials


def read_credentials(env: Mapping[str, str], transport: Transport) -> CredentialSource:
    """Return where the environment says that credentials are.

    Raises ValueError for a place of credentials that is not on loopback, and for credentials that
    no header can hold; the text holds none of them.
    """
    for name in (*_NAMES, "AWS_CONTAINER_AUTHORIZATION_TOKEN"):
        if not _SENDABLE.fullmatch(env.get(name, "")):
            raise ValueError(f"{name} has characters that cannot be sent")
    key, secret, token = (env.get(name, "") for name in _NAMES)
    if key and secret:
        return FixedCredentials(AwsCredentials(key, secret, token or None))
    url = env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if url:
        given = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        return ContainerCredentials(url, given, transport)
    return FixedCredentials(None)


def _loopback(url: str) -> tuple[Place, str]:
    if not _LOOPBACK.fullmatch(url):
        raise ValueError("AWS_CONTAINER_CREDENTIALS_FULL_URI is not on this machine")
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return parse_place(f"http://{parts.netloc}"), path or "/"


def _read(answer: Answer) -> tuple[AwsCredentials, float]:
    """Return credentials, and when they end in seconds since 1970. Raises ValueError."""
    if answer.status != _OK:
        raise ValueError(f"status {answer.status}")
    try:
        told = json.loads(answer.body)
        ends_at = datetime.fromisoformat(told["Expiration"].replace("Z", "+00:00"))
        credentials = AwsCredentials(told["AccessKeyId"], told["SecretAccessKey"], told["Token"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not what was expected") from error
    return credentials, ends_at.timestamp()
