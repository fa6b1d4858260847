"""An API in front of functions: requests become events, answers pass through as they come.

An ASGI app. Events have the form of REST APIs (`1.0`) or of function URLs (`2.0`).
"""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from waystation_cli.local_lambda.function import LocalFunction
from waystation_cli.local_lambda.invocation import Invocation
from waystation_cli.local_lambda.runtime_api import MAX_EVENT_BYTES

Version: TypeAlias = Literal["1.0", "2.0"]
Headers: TypeAlias = list[tuple[bytes, bytes]]

_PRELUDE_END = b"\0" * 8


class BrokenOffError(Exception):
    """A function failed while its answer was on its way: the connection has to break."""


class LocalApi:
    """Passes requests on to the function that `route` names for a method and a path."""

    def __init__(
        self,
        functions: Mapping[str, LocalFunction],
        route: Callable[[str, str], str],
        version: Version = "1.0",
    ) -> None:
        self._functions = functions
        self._route = route
        self._version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read_body(receive)
        if len(body) > MAX_EVENT_BYTES:
            await _answer(send, 413, b'{"message": "Request Too Long"}')
            return
        event = _rest_event(scope, body) if self._version == "1.0" else _url_event(scope, body)
        function = self._functions[self._route(scope["method"], scope["path"])]
        invocation = function.invoke(event)
        leaving = asyncio.create_task(_abandon_when_left(receive, invocation))
        try:
            await _pass_on(invocation, send)
        finally:
            leaving.cancel()


async def _pass_on(invocation: Invocation, send: Send) -> None:
    async with aclosing(invocation.pieces()) as pieces:
        head, rest = await _split_head(pieces)
        if head is None:
            await _answer(send, 502, b'{"message": "Internal server error"}')
            return
        told = json.loads(head)
        if not invocation.is_streamed:
            rest = _whole_body(told)
        await _start(send, told["statusCode"], list(_headers(told)))
        if rest:
            await _send_body(send, rest, more=True)
        async for piece in pieces:
            await _send_body(send, piece, more=True)
    if invocation.fault is not None:
        raise BrokenOffError(invocation.fault.type)
    await _send_body(send, b"", more=False)


async def _split_head(pieces: AsyncGenerator[bytes, None]) -> tuple[bytes | None, bytes]:
    """Return what comes before the body, None if nothing came, and what came of the body.

    A whole answer is all head.
    """
    seen = b""
    async for piece in pieces:
        seen += piece
        head, mark, rest = seen.partition(_PRELUDE_END)
        if mark:
            return head, rest
    return seen or None, b""


def _whole_body(answer: Mapping[str, Any]) -> bytes:
    body: str = answer.get("body") or ""
    return base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()


def _headers(told: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    single = told.get("headers", {}).items()
    several = told.get("multiValueHeaders", {}).items()
    cookies = [("set-cookie", cookie) for cookie in told.get("cookies", [])]
    repeated = [(name, value) for name, values in several for value in values]
    for name, value in [*single, *repeated, *cookies]:
        yield name.lower().encode("latin-1"), value.encode("latin-1")


async def _answer(send: Send, status: int, body: bytes) -> None:
    """Answer as an API does by itself."""
    await _start(send, status, [(b"content-type", b"application/json")])
    await _send_body(send, body, more=False)


async def _start(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _send_body(send: Send, body: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _read_body(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


async def _abandon_when_left(receive: Receive, invocation: Invocation) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    invocation.abandon()


def _rest_event(scope: Scope, body: bytes) -> dict[str, object]:
    path: str = scope["raw_path"].decode("latin-1")
    several = _joined(scope["headers"])
    queries = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return {
        "resource": path,
        "path": path,
        "httpMethod": scope["method"],
        "headers": {name: values[-1] for name, values in several.items()},
        "multiValueHeaders": several,
        "queryStringParameters": {n: v[-1] for n, v in queries.items()} or None,
        "multiValueQueryStringParameters": queries or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "path": f"/prod{path}",
            "stage": "prod",
            "httpMethod": scope["method"],
            "identity": {"sourceIp": "127.0.0.1"},
        },
        **_body_of_event(body),
    }


def _url_event(scope: Scope, body: bytes) -> dict[str, object]:
    path: str = scope["raw_path"].decode("latin-1")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": scope["query_string"].decode("latin-1"),
        "headers": {n: ",".join(v) for n, v in _joined(scope["headers"]).items()},
        "requestContext": {
            "domainName": "localhost",
            "http": {
                "method": scope["method"],
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "",
            },
            "routeKey": "$default",
            "stage": "$default",
        },
        **_body_of_event(body),
    }


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    several: dict[str, list[str]] = {}
    for name, value in headers:
        several.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return several


def _body_of_event(body: bytes) -> dict[str, object]:
    """Bodies that are not text go in base64."""
    if not body:
        return {"body": None, "isBase64Encoded": False}
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
