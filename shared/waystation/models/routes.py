"""GET /v1/models, /v1/models/{id}, /api/models, /api/endpoints, its token-config, and /healthz."""

from collections.abc import Callable
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from waystation.errors import ConfigUnavailableError
from waystation.identity.incoming import Incoming, incoming_of
from waystation.models.service import ModelsService

Known = Annotated[Incoming, Depends(incoming_of)]


class ModelsRuntime(Protocol):
    @property
    def models(self) -> ModelsService: ...


def build_router(get_runtime: Callable[[], ModelsRuntime]) -> APIRouter:
    """Return the routes that need a caller; what is listed may differ from user to user."""
    router = APIRouter()

    @router.get("/v1/models")
    async def list_models(incoming: Known) -> dict[str, object]:
        return await get_runtime().models.openai_list(incoming.caller.user)

    @router.get("/v1/models/{model_id:path}")
    async def get_model(model_id: str, incoming: Known) -> dict[str, object]:
        return await get_runtime().models.openai_model(incoming.caller.user, model_id)

    @router.get("/api/models")
    async def list_names(incoming: Known) -> dict[str, list[str]]:
        return await get_runtime().models.names_by_endpoint(incoming.caller.user)

    @router.get("/api/endpoints")
    async def list_endpoints() -> dict[str, dict[str, object]]:
        return await get_runtime().models.endpoints()

    @router.get("/api/endpoints/token-config")
    async def list_token_config(incoming: Known) -> dict[str, dict[str, dict[str, object]]]:
        return await get_runtime().models.token_config(incoming.caller.user)

    return router


def build_health_router(get_runtime: Callable[[], ModelsRuntime]) -> APIRouter:
    """Return the liveness route, open to everyone; it tells the config's version and no more."""
    router = APIRouter()

    @router.get("/healthz")
    async def health() -> JSONResponse:
        try:
            version: str | None = await get_runtime().models.config_version()
        except ConfigUnavailableError:
            version = None  # alive all the same; chats answer 503 until there is one
        return JSONResponse({"status": "ok", "config_version": version})

    return router
