"""One HTTP event as an ASGI conversation, whose answer goes out as it comes."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from mangum.types import LambdaHandler

from waystation.lambda_runtime.api import (
    Failure,
    ResponseRefusedError,
    RuntimeApi,
    StreamedResponse,
)
from waystation.lambda_runtime.connection import RuntimeApiError
from waystation.lambda_runtime.prelude import prelude

Message: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]

LAST_WORDS_S = 0.25  # to tell an error, where nobody may be reading any more

_TOO_LATE = Failure("Runtime.Deadline", "The function has no time left.")
_BROKEN = Failure("Runtime.AppFailed", "The function failed. Its log says where.")
_SILENT = Failure("Runtime.NoAnswer", "The function gave no whole answer.")


class ClientGoneError(OSError):
    """Nobody waits for the answer any more."""


class Exchange:
    """A request, and as much of its answer as has been sent.

    An app that sends to nobody gets ClientGoneError, and may go on with what it has to do.
    """

    def __init__(
        self, api: RuntimeApi, request_id: str, event: LambdaHandler, *, is_rest: bool
    ) -> None:
        self._api = api
        self._request_id = request_id
        self._scope = event.scope
        self._body: bytes | None = event.body
        self._is_rest = is_rest
        self._start: Message | None = None
        self._response: StreamedResponse | None = None
        self._is_over = asyncio.Event()  # nothing more can be sent
        self._lost: RuntimeApiError | None = None

    async def run(self, app: App, within_s: float) -> BaseException | None:
        """Have an app answer, and stay until it is done; return what it raised.

        It has `within_s` seconds; then it is stopped, and the answer ends with an error. Raises
        RuntimeApiError, after the app is done.
        """
        failure, raised = _SILENT, None
        limit = asyncio.timeout(within_s)
        try:
            async with limit:
                await app(self._scope, self._receive, self._send)
        except ClientGoneError:
            pass  # the app had nothing else to do
        except (Exception, asyncio.CancelledError) as error:
            failure, raised = _TOO_LATE if limit.expired() else _BROKEN, error
        if self._lost is not None:
            raise self._lost
        if not self._is_over.is_set():
            await self._break_off(failure)
        return raised

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._is_over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        """Take a message of the app's. Raises ClientGoneError."""
        if self._is_over.is_set():
            raise ClientGoneError
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            try:
                await self._send_body(message)
            except (ResponseRefusedError, RuntimeApiError) as error:
                self._is_over.set()
                self._lost = error if isinstance(error, RuntimeApiError) else None
                raise ClientGoneError from error

    async def _send_body(self, message: Message) -> None:
        """Send a piece; the first one goes with the status and headers before it."""
        data: bytes = message.get("body", b"")
        if self._response is None:
            if self._start is None:
                raise RuntimeError("a body came before the start of its answer")
            headers = self._start.get("headers", [])
            data = prelude(self._start["status"], headers, is_rest=self._is_rest) + data
            self._response = await self._api.begin(self._request_id)
        await self._response.write(data)
        if not message.get("more_body", False):
            await self._response.end()
            self._is_over.set()

    async def _break_off(self, failure: Failure) -> None:
        if self._response is None:
            await self._api.fail(self._request_id, failure)
            return
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                await self._response.end(failure)
        except ResponseRefusedError:
            pass  # nobody is there to be told
        except TimeoutError:
            self._api.close()
