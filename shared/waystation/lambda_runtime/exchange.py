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

_TOO_LATE = Failure("Runtime.Deadline", "The function has no time left.")
_BROKEN = Failure("Runtime.AppFailed", "The function failed. Its log says where.")
_SILENT = Failure("Runtime.NoAnswer", "The function gave no whole answer.")


class ClientGoneError(OSError):
    """Nobody waits for the answer any more."""


class Exchange:
    """A request, and as much of its answer as has been sent."""

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
        self._is_complete = False
        self._is_gone = asyncio.Event()

    async def run(self, app: App, within_s: float) -> BaseException | None:
        """Have an app answer, and wait for all it does; return what it raised.

        It has `within_s` seconds; then it is stopped, and the answer ends with an error. Raises
        RuntimeApiError.
        """
        failure, raised = _SILENT, None
        try:
            async with asyncio.timeout(within_s):
                await app(self._scope, self._receive, self._send)
        except TimeoutError as error:
            failure, raised = _TOO_LATE, error
        except Exception as error:
            failure, raised = _BROKEN, error
        if not self._is_complete and not self._is_gone.is_set():
            await self._break_off(failure)
        return raised

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._is_gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        """Take a message of the app's. Raises ClientGoneError, RuntimeApiError."""
        if self._is_gone.is_set():
            raise ClientGoneError
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body" and not self._is_complete:
            try:
                await self._write(message.get("body", b""))
                if not message.get("more_body", False):
                    await self._end(None)
            except ResponseRefusedError as error:
                self._is_gone.set()
                raise ClientGoneError from error

    async def _write(self, data: bytes) -> None:
        """Send a piece; the first one goes with the status and headers before it."""
        if self._response is None:
            start = self._start or {"status": 500, "headers": []}
            head = prelude(start["status"], start.get("headers", []), is_rest=self._is_rest)
            self._response = await self._api.begin(self._request_id)
            data = head + data
        await self._response.write(data)

    async def _end(self, failure: Failure | None) -> None:
        if self._response is not None:
            await self._response.end(failure)
        self._is_complete = True

    async def _break_off(self, failure: Failure) -> None:
        if self._response is None:
            await self._api.fail(self._request_id, failure)
            return
        try:
            await self._end(failure)
        except ResponseRefusedError:
            self._is_gone.set()
