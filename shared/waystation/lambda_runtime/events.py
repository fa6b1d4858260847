"""API Gateway's and function URLs' events, made regular before Mangum reads them.

Mangum ends with an exception where headers are null, a header has no value, or a body that should
be base64 is not; here the first two are absent, and such a body is taken away, so that no route
accepts the request. Header text becomes Latin-1 bytes, as a server would have received it.
"""

import base64
import binascii
import re

from mangum.handlers import APIGateway, HTTPGateway
from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, LambdaHandler, Scope

_HOST = re.compile(r"[^:]*(?::[0-9]+)?")  # all that Mangum can read


class RestApi(APIGateway):
    """Events of REST APIs."""

    def __init__(self, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> None:
        super().__init__(_regular(event), context, config)

    @property
    def scope(self) -> Scope:
        return _in_latin_1(super().scope)


class HttpApi(HTTPGateway):
    """Events of HTTP APIs and function URLs."""

    def __init__(self, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> None:
        super().__init__(_regular(event), context, config)

    @property
    def scope(self) -> Scope:
        return _in_latin_1(super().scope)


EVENT_HANDLERS: list[type[LambdaHandler]] = [HttpApi, RestApi]


def _regular(event: LambdaEvent) -> LambdaEvent:
    regular = {
        **event,
        "headers": _headers(event),
        "multiValueHeaders": None,
        "rawQueryString": event.get("rawQueryString") or "",
    }
    if event.get("isBase64Encoded") and not _is_base64(event.get("body") or ""):
        regular |= {"body": None, "isBase64Encoded": False}
    return regular


def _headers(event: LambdaEvent) -> dict[str, str]:
    """Return every header once, in lower case; repeated ones are joined with commas."""
    single: dict[str, str | None] = event.get("headers") or {}
    several: dict[str, list[str] | None] = event.get("multiValueHeaders") or {}
    headers = {name.lower(): value for name, value in single.items() if value is not None}
    headers |= {name.lower(): ", ".join(values) for name, values in several.items() if values}
    if not _HOST.fullmatch(headers.get("host", "")):
        del headers["host"]
    if not headers.get("x-forwarded-port", "0").isdecimal():
        del headers["x-forwarded-port"]
    return headers


def _is_base64(body: str) -> bool:
    try:
        base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _in_latin_1(scope: Scope) -> Scope:
    scope["headers"] = [[name, _as_received(value)] for name, value in scope["headers"]]
    return scope


def _as_received(utf_8: bytes) -> bytes:
    try:
        return utf_8.decode().encode("latin-1")
    except UnicodeEncodeError:
        return utf_8
