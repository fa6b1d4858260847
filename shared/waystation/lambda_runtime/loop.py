"""The loop of a function's process: load, then serve one event after the other.

HTTP events go to the function's `app`, all others to its `handler`. What an app leaves running is
waited for before the next event, for a while: Lambda stops the clock between two events.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from mangum.types import LambdaConfig, LambdaHandler

from waystation.lambda_runtime.api import Failure, Invocation, RuntimeApi
from waystation.lambda_runtime.connection import RuntimeApiError
from waystation.lambda_runtime.context import Context, context_of
from waystation.lambda_runtime.events import EVENT_HANDLERS
from waystation.lambda_runtime.exchange import App, Exchange

MARGIN_S = 0.5  # to say that there is no time left, before Lambda ends the process
AFTERWARDS_S = 5.0  # for what an app has left running

_CONFIG: LambdaConfig = {
    "api_gateway_base_path": "/",
    "text_mime_types": [],
    "exclude_headers": [],
}
_REST = "1.0"  # what HTTP APIs call the form of REST APIs; REST APIs do not say
_TRACE = "_X_AMZN_TRACE_ID"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Function:
    """What a function's module offers."""

    app: App
    handler: Callable[[Any, Any], object]


def run(address: str, load: Callable[[], Function]) -> NoReturn:
    """Serve the events of the Runtime API at `address` by the function that `load` gives.

    Ends the process: with 0 after SIGTERM, between two events; with 1 where the function cannot be
    loaded, or the Runtime API not be talked to.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # handlers of other events run on it, too
    server = _Server(RuntimeApi(address), loop)
    try:
        function = server.load(load)
        server.serve(function)
    except RuntimeApiError as error:
        _tell("runtime_api_failed", cause=str(error))
        sys.exit(1)
    sys.exit(0)


class _Server:
    def __init__(self, api: RuntimeApi, loop: asyncio.AbstractEventLoop) -> None:
        self._api = api
        self._loop = loop
        self._waiting: asyncio.Task[Invocation] | None = None
        self._has_to_stop = False

    def load(self, load: Callable[[], Function]) -> Function:
        """Return the function; end the process if that fails. Raises RuntimeApiError.

        What is loaded stays, so the collector of garbage need not look at it, now or later.
        """
        gc.disable()
        try:
            return load()
        except Exception as error:
            _tell("init_failed", cause=str(error), **_told_of(error))  # no event has come yet
            failure = Failure(type(error).__name__, "The function could not be loaded.")
            self._await(self._api.fail_init(failure))
            sys.exit(1)
        finally:
            gc.freeze()
            gc.enable()

    def serve(self, function: Function) -> None:
        """Serve events until SIGTERM. Raises RuntimeApiError."""
        self._loop.add_signal_handler(signal.SIGTERM, self._stop)
        while not self._has_to_stop:
            self._waiting = self._loop.create_task(self._api.next())
            try:
                invocation = self._loop.run_until_complete(self._waiting)
            except asyncio.CancelledError:
                return
            self._waiting = None
            self._serve_one(function, invocation)
            self._await(_finish())

    def _stop(self) -> None:
        self._has_to_stop = True
        if self._waiting is not None:
            self._waiting.cancel()

    def _serve_one(self, function: Function, invocation: Invocation) -> None:
        _trace(invocation.headers.get("lambda-runtime-trace-id"))
        try:
            raised = self._answer(function, invocation)
        except RuntimeApiError:
            raise
        except Exception as error:
            raised = error
            failure = Failure(type(error).__name__, "The function failed. Its log says where.")
            self._await(self._api.fail(invocation.request_id, failure))
        if raised is not None:
            _tell("invocation_failed", request_id=invocation.request_id, **_told_of(raised))

    def _answer(self, function: Function, invocation: Invocation) -> BaseException | None:
        """Answer an event; return what has been raised and told already."""
        context = context_of(invocation)
        event = _http_event(invocation.event, context)
        if event is None:  # the handler may run the loop itself, so nothing runs around it
            answer = function.handler(invocation.event, context)
            self._await(self._api.respond(invocation.request_id, answer))
            return None
        within_s = max(0.0, context.get_remaining_time_in_millis() / 1000 - MARGIN_S)
        exchange = Exchange(self._api, invocation.request_id, event, is_rest=_is_rest(event))
        return self._await(exchange.run(function.app, within_s))

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coroutine)


async def _finish() -> None:
    """Wait for what is still running."""
    if running := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(running, timeout=AFTERWARDS_S)


def _trace(header: str | None) -> None:
    """Put the trace where AWS's SDKs look for it."""
    if header is None:
        os.environ.pop(_TRACE, None)
    else:
        os.environ[_TRACE] = header


def _http_event(event: object, context: Context) -> LambdaHandler | None:
    """Return what makes a request of an event, None for one that is none."""
    if not isinstance(event, dict):
        return None
    for kind in EVENT_HANDLERS:
        if kind.infer(event, context, _CONFIG):
            return kind(event, context, _CONFIG)
    return None


def _is_rest(event: LambdaHandler) -> bool:
    given: Mapping[str, Any] = event.scope["aws.event"]
    return str(given.get("version", _REST)) == _REST


def _told_of(error: BaseException) -> dict[str, object]:
    """Return where an error came from: never its text, which may hold anything."""
    places = [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return {"error_type": type(error).__name__, "trace": places}


def _tell(message: str, **fields: object) -> None:
    """Write a line of the log."""
    sys.stdout.write(json.dumps({"level": "ERROR", "message": message, **fields}) + "\n")
    sys.stdout.flush()
