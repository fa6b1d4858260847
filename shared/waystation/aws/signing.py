"""Signs requests to AWS: Signature Version 4, in headers. Pure.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html,
2026-11.
"""

import hashlib
import hmac
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from waystation.wire.upstream_request import AwsCredentials

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A request to sign.

    `path` and `query` are as they are sent, percent-encoded; `headers` are all that are to be
    signed, the host among them, in the order they are sent.
    """

    method: str
    path: str
    headers: Iterable[tuple[str, str]]
    payload_sha256: str = EMPTY_SHA256
    query: str = ""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one service in one region. S3 alone signs its paths as they are sent."""

    service: str
    region: str

    def sign(
        self, request: Unsigned, credentials: AwsCredentials, now_s: float
    ) -> list[tuple[str, str]]:
        """Return the headers to add; `now_s` is in seconds since 1970."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))
        added = [("x-amz-date", moment)]
        if credentials.session_token:
            added.append(("x-amz-security-token", credentials.session_token))
        canonical, names = self._canonical(request, added)
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}"
        key = _signing_key(credentials.secret_access_key, moment[:8], self.region, self.service)
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        authorization = (
            f"{_ALGORITHM} Credential={credentials.access_key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return [*added, ("authorization", authorization)]

    def _canonical(self, request: Unsigned, added: Iterable[tuple[str, str]]) -> tuple[str, str]:
        """Return the canonical request, and the names of the headers in it."""
        headers: dict[str, str] = {}
        for name, value in (*request.headers, *added):
            known, plain = name.lower(), " ".join(value.split())
            headers[known] = f"{headers[known]},{plain}" if known in headers else plain
        ordered = sorted(headers.items())
        names = ";".join([name for name, _ in ordered])
        lines = "".join([f"{name}:{value}\n" for name, value in ordered])
        path = request.path if self.service == "s3" else quote(request.path, safe="/" + _UNRESERVED)
        query = _canonical_query(request.query) if request.query else ""
        text = f"{request.method}\n{path}\n{query}\n{lines}\n{names}\n{request.payload_sha256}"
        return text, names


def _canonical_query(query: str) -> str:
    pairs = [pair.partition("=") for pair in query.split("&")]
    return "&".join(f"{name}={value}" for name, _, value in sorted(pairs))


@lru_cache(maxsize=64)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Return the key that is the same for a day."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
