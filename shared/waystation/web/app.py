"""Makes an ASGI app of use cases: plain Starlette, no framework that costs a cold start."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from waystation.identity.incoming import Incoming
from waystation.identity.presented import Presented
from waystation.identity.user import Caller
from waystation.ledger.records import bounded
from waystation.settings import (
    ResponseMode,
    cors_origins,
    log_level,
    metrics_namespace,
    via_token,
)
from waystation.web.cors import Cors
from waystation.web.envelopes import AFTERWARDS, CLIENT, NOTES
from waystation.web.event_stream import PING_AFTER_S, EventStreamResponse
from waystation.web.log import set_up_logging
from waystation.web.middleware import GatewayMiddleware
from waystation.web.request import ends_at, presented_by, read_json_body
from waystation.web.responses import json_response
from waystation.web.ulid import UlidSource
from waystation.wire.answers import Answer, EventStream

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Authenticates(Protocol):
    async def authenticate(self, presented: Presented) -> Caller:
        """Return the caller. Raises GatewayError."""


class WebRuntime(Protocol):
    """What every app asks of the composition root."""

    @property
    def authenticator(self) -> Authenticates: ...
    @property
    def response_mode(self) -> ResponseMode: ...


RuntimeT_co = TypeVar("RuntimeT_co", bound=WebRuntime, covariant=True)


class RuntimeSource(Protocol[RuntimeT_co]):
    """Gives the runtime, made on first use."""

    def __call__(self) -> RuntimeT_co: ...
    def live_secrets(self) -> Iterable[str]:
        """Return the secrets in memory, which no log line may show."""


@dataclass(frozen=True, slots=True)
class PostRoute:
    """A path that takes JSON from a known caller; its streams ping where they are silent."""

    path: str
    handle: Callable[[Incoming], Awaitable[Answer]]
    ping_after_s: float = PING_AFTER_S


def create_app(
    routes: Sequence[PostRoute], get_runtime: RuntimeSource[WebRuntime]
) -> GatewayMiddleware:
    """Return an app that serves `routes`. The runtime is not asked for before the first request."""
    router = Router(starlette_routes(routes, get_runtime), redirect_slashes=False)
    return wrap_app(router, get_runtime)


def starlette_routes(
    routes: Sequence[PostRoute], get_runtime: RuntimeSource[WebRuntime]
) -> list[Route]:
    """Return the routes for an app that serves others beside them."""
    return [Route(route.path, _endpoint(route, get_runtime), methods=["POST"]) for route in routes]


def wrap_app(
    app: ASGIApp, get_runtime: RuntimeSource[WebRuntime], *, via: str | None = None
) -> GatewayMiddleware:
    """Wrap an app in what every request gets, and start the log.

    `via` is the name that upstream calls carry in `Via`; by default the environment's.

    Raises SettingsError for origins that cannot be.
    """
    set_up_logging(log_level(), get_runtime.live_secrets, metrics_namespace())
    return GatewayMiddleware(
        _WithinApp(app),
        new_request_id=UlidSource(),
        via=via_token() if via is None else via,
        cors=Cors(cors_origins()),
    )


def _endpoint(
    route: PostRoute, get_runtime: RuntimeSource[WebRuntime]
) -> Callable[[Request], Awaitable[Response | EventStreamResponse]]:
    async def endpoint(request: Request) -> Response | EventStreamResponse:
        request.scope[NOTES]["route"] = route.path
        answer = await route.handle(await read_incoming(request, get_runtime()))
        if isinstance(answer, EventStream):
            return EventStreamResponse(answer.chunks, ping_after_s=route.ping_after_s)
        return json_response(answer.body)

    return endpoint


async def read_incoming(request: Request, runtime: WebRuntime) -> Incoming:
    """Authenticate a request and read its body, if it is of a method that has one.

    Raises GatewayError.
    """
    presented = presented_by(request.scope)
    headers = presented.headers
    notes: dict[str, object] = request.scope[NOTES]
    ends = ends_at(request.scope, runtime.response_mode)
    caller = await runtime.authenticator.authenticate(presented)
    notes.update(user_id=bounded(caller.user.id), key_id=caller.key_id)
    has_body = request.method in _WITH_BODY
    return Incoming(
        request_id=str(notes["request_id"]),
        caller=caller,
        headers=headers,
        body=await read_json_body(request, headers) if has_body else None,
        ends_at=ends,
        notes=notes,
        afterwards=request.scope[AFTERWARDS],
        client=request.scope[CLIENT],
    )


class _WithinApp:
    """Lets the router raise for unknown routes and methods, so that the middleware answers them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "app": self}, receive, send)
