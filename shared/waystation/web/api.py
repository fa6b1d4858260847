"""Makes an ASGI app of FastAPI routers, for routes whose small typed answers gain from it."""

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from waystation.errors import GatewayError, InvalidBodyError
from waystation.web.app import RuntimeSource, WebRuntime, read_incoming, wrap_app
from waystation.web.envelopes import NOTES
from waystation.web.middleware import GatewayMiddleware, answer_to
from waystation.web.responses import error_response

_NOT_ALLOWED = 405


def create_api(
    get_runtime: RuntimeSource[WebRuntime],
    *,
    routers: list[APIRouter],
    open_routers: list[APIRouter],
) -> GatewayMiddleware:
    """Return an app; `routers` need a caller, `open_routers` do not."""
    api = build_fastapi(get_runtime, routers=routers, open_routers=open_routers)
    return wrap_app(api, get_runtime)


def build_fastapi(
    get_runtime: RuntimeSource[WebRuntime],
    *,
    routers: list[APIRouter],
    open_routers: list[APIRouter],
) -> FastAPI:
    """Return the bare app, without the middleware, for one that serves other routes beside it."""

    async def authenticated(request: Request) -> None:
        request.scope[NOTES]["route"] = request.scope["route"].path
        request.state.incoming = await read_incoming(request, get_runtime())

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for router in routers:
        app.include_router(router, dependencies=[Depends(authenticated)])
    for router in open_routers:
        app.include_router(router)

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError):
            error = InvalidBodyError("The request cannot be read.")
        if isinstance(error, HTTPException) and error.status_code == _NOT_ALLOWED:
            methods = _methods_of_path([*routers, *open_routers], request.scope)
            error = HTTPException(_NOT_ALLOWED, headers={"Allow": methods})
        return error_response(answer_to(error, request.scope[NOTES]), request.scope)

    for error_type in (GatewayError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(error_type, answer)
    return app


def _methods_of_path(routers: list[APIRouter], scope: Scope) -> str:
    """Return all methods that a path takes; Starlette tells those of its first route only."""
    routes = [route for router in routers for route in router.routes if isinstance(route, Route)]
    methods = [route.methods for route in routes if route.matches(scope)[0] != Match.NONE]
    return ", ".join(sorted(set[str]().union(*filter(None, methods))))
