"""The loop of a function's process: load, then serve one event after the other.

HTTP events go to the module's `app`, all others to its `handler`. What an app leaves running goes
on while the next event is waited for.
"""

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NoReturn

from mangum.types import LambdaConfig, LambdaHandler

from waystation.lambda_runtime.api import Failure, Invocation, RuntimeApi, RuntimeApiError
from waystation.lambda_runtime.context import Context, context_of
from waystation.lambda_runtime.events import EVENT_HANDLERS
from waystation.lambda_runtime.exchange import App, Exchange

MARGIN_S = 0.5  # to say that there is no time left, before Lambda ends the process
_CONFIG: LambdaConfig = {
    "api_gateway_base_path": "/",
    "text_mime_types": [],
    "exclude_headers": [],
}
_REST = "1.0"  # what HTTP APIs call the form of REST APIs

Handler = Callable[[object, Context], object]


def run(address: str, load: Callable[[], ModuleType]) -> NoReturn:
    """Serve events of the Runtime API at `address` by the module that `load` gives, for ever.

    Ends the process if the module cannot be loaded, or the Runtime API not be talked to.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # handlers of other events run on it, too
    api = RuntimeApi(address)
    try:
        function = _Function(api, loop, _loaded(api, loop, load))
        while True:
            function.serve(loop.run_until_complete(api.next()))
    except RuntimeApiError as error:
        _tell("runtime_api_failed", cause=str(error))
        sys.exit(1)


def _loaded(
    api: RuntimeApi, loop: asyncio.AbstractEventLoop, load: Callable[[], ModuleType]
) -> ModuleType:
    try:
        return load()
    except Exception as error:
        _tell("init_failed", **_told_of(error))
        failure = Failure(f"Runtime.{type(error).__name__}", "The function could not be loaded.")
        loop.run_until_complete(api.fail_init(failure))
        sys.exit(1)


class _Function:
    """A loaded module, and what its events are given to."""

    def __init__(
        self, api: RuntimeApi, loop: asyncio.AbstractEventLoop, module: ModuleType
    ) -> None:
        self._api = api
        self._loop = loop
        self._app: App = module.app
        self._handler: Handler = module.handler

    def serve(self, invocation: Invocation) -> None:
        """Serve one event to its end. Raises RuntimeApiError."""
        os.environ["_X_AMZN_TRACE_ID"] = invocation.headers.get("lambda-runtime-trace-id", "")
        context = context_of(invocation)
        event = _http_event(invocation.event, context)
        if event is None:
            self._serve_other(invocation, context)
            return
        within_s = max(0.0, context.get_remaining_time_in_millis() / 1000 - MARGIN_S)
        exchange = Exchange(self._api, invocation.request_id, event, is_rest=_is_rest(event))
        raised = self._loop.run_until_complete(exchange.run(self._app, within_s))
        if raised is not None:
            _tell("invocation_failed", request_id=invocation.request_id, **_told_of(raised))

    def _serve_other(self, invocation: Invocation, context: Context) -> None:
        try:
            answer = self._handler(invocation.event, context)
        except Exception as error:
            _tell("invocation_failed", request_id=invocation.request_id, **_told_of(error))
            failure = Failure(type(error).__name__, "The function failed. Its log says where.")
            self._loop.run_until_complete(self._api.fail(invocation.request_id, failure))
            return
        self._loop.run_until_complete(self._api.respond(invocation.request_id, answer))


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
    print(json.dumps({"level": "ERROR", "message": message, **fields}), flush=True)
