"""What every request gets: an id, safe headers, errors in the envelope, one log line."""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from waystation.calls.noting import notes_of_error
from waystation.credentials.own import forgotten_in_the_end
from waystation.errors import (
    GatewayError,
    InternalError,
    InvalidBodyError,
    LoopDetectedError,
    MethodNotAllowedError,
    NotFoundError,
)
from waystation.web.cors import Cors
from waystation.web.envelopes import AFTERWARDS, CLIENT, NOTES, speaks_anthropic
from waystation.web.log import lines_of, log_request, log_unexpected
from waystation.web.responses import error_response
from waystation.wire.answers import Client
from waystation.wire.own_requests import is_own

_HTTP_NOT_FOUND, _HTTP_NOT_ALLOWED = 404, 405
_FIRST_ERROR = 400
_CLIENT_GONE = "client_disconnected"


@dataclass(slots=True)
class _Exchange:
    """One request and what has been sent of its answer."""

    request_id: str
    started: float
    notes: dict[str, object] = field(default_factory=dict)
    afterwards: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    status: int | None = None
    first_byte_ms: int | None = None
    client: Client = field(default_factory=Client)

    def begin(self, status: int) -> None:
        """Keep what is known when the answer begins; a stream does with its first event."""
        self.status = status
        if self.notes.get("stream") and status < _FIRST_ERROR:
            self.first_byte_ms = self._passed_ms()

    def log(self) -> None:
        """Write the line of the request. That its client has gone is told unless it failed."""
        fields = {
            **self.notes,
            "status": self.status or 499,
            "latency_ms": self._passed_ms(),
            "first_byte_ms": self.first_byte_ms,
        }
        if self.client.is_gone and not fields.get("error_code"):
            fields["error_code"] = _CLIENT_GONE
        log_request(fields)

    def _passed_ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)


class GatewayMiddleware:
    """The outermost layer of every app. Other protocols than HTTP pass through."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        new_request_id: Callable[[], str],
        via: str,
        cors: Cors,
    ) -> None:
        self._app = app
        self._cors = cors
        self._new_request_id = new_request_id
        self._via = via

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(self._new_request_id(), time.monotonic())
        with lines_of(exchange.request_id), forgotten_in_the_end():
            await self._answer(exchange, scope, receive, send)

    async def _answer(
        self, exchange: _Exchange, scope: Scope, receive: Receive, send: Send
    ) -> None:
        scope[NOTES], scope[AFTERWARDS] = exchange.notes, exchange.afterwards
        scope[CLIENT] = exchange.client
        exchange.notes |= {"request_id": exchange.request_id, "method": scope["method"]}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.begin(message["status"])
                _add_headers(message, exchange.request_id, scope, self._cors)
            try:
                await send(message)
            except OSError as error:
                exchange.client.is_gone = True
                raise ClientDisconnect from error

        app = self._cors.preflight(scope) or self._app
        try:
            _refuse_own(scope, self._via)
            await app(scope, receive, send_with_headers)
        except ClientDisconnect:
            exchange.client.is_gone = True
        except Exception as error:
            answer = answer_to(error, exchange.notes)
            if isinstance(answer, InternalError):
                log_unexpected(error, exchange.request_id)
            if exchange.status is None:
                with suppress(ClientDisconnect):
                    await error_response(answer, scope)(scope, receive, send_with_headers)
        finally:
            exchange.log()
            for do in exchange.afterwards:
                await _do_safely(do, exchange.request_id)


async def _do_safely(do: Callable[[], Awaitable[None]], request_id: str) -> None:
    """Keep what fails afterwards from an answer that has been sent, and from what follows."""
    try:
        await do()
    except Exception as error:
        log_unexpected(error, request_id)


def answer_to(error: Exception, notes: dict[str, object]) -> GatewayError:
    """Return what a client is told of an error, and note its code for the log line."""
    answer = _to_gateway_error(error)
    notes |= notes_of_error(answer)
    if error.__cause__ is not None:
        notes["cause"] = type(error.__cause__).__name__
    return answer


def _to_gateway_error(error: Exception) -> GatewayError:
    if isinstance(error, GatewayError):
        return error
    if isinstance(error, HTTPException):
        if error.status_code == _HTTP_NOT_FOUND:
            return NotFoundError("There is no such route.")
        if error.status_code == _HTTP_NOT_ALLOWED:
            return MethodNotAllowedError(
                "This route does not take that method.", headers=error.headers
            )
        return InvalidBodyError("The request cannot be read.")
    return InternalError()


def _refuse_own(scope: Scope, name: str) -> None:
    """Raise LoopDetectedError for a request that this gateway has sent."""
    if is_own(scope["headers"], name):
        raise LoopDetectedError


def _add_headers(message: Message, request_id: str, scope: Scope, cors: Cors) -> None:
    headers = MutableHeaders(raw=list(message.get("headers", [])))
    headers["x-request-id"] = request_id
    if speaks_anthropic(scope):
        headers["request-id"] = request_id  # the name that Anthropic's SDKs read
    headers["x-content-type-options"] = "nosniff"
    headers["cache-control"] = "no-store"
    headers.update(cors.headers_for(scope))
    message["headers"] = headers.raw
