"""Makes an ASGI app of FastAPI routers, for routes whose small typed answers gain from it."""

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from waystation.errors import GatewayError, InvalidBodyError
from waystation.ledger.records import bounded
from waystation.web.app import RuntimeSource, WebRuntime, wrap_app
from waystation.web.envelopes import NOTES
from waystation.web.middleware import GatewayMiddleware, answer_to
from waystation.web.request import presented_by
from waystation.web.responses import error_response


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
        caller = await get_runtime().authenticator.authenticate(presented_by(request.scope))
        request.scope[NOTES].update(user_id=bounded(caller.user.id), key_id=caller.key_id)

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for error_type in (GatewayError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(error_type, _answer)
    for router in routers:
        app.include_router(router, dependencies=[Depends(authenticated)])
    for router in open_routers:
        app.include_router(router)
    return app


async def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, RequestValidationError):
        error = InvalidBodyError("The request cannot be read.")
    return error_response(answer_to(error, request.scope[NOTES]), request.scope)
