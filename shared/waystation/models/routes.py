"""GET /v1/models, /api/models, /api/endpoints and /healthz."""

from collections.abc import Callable
from typing import Protocol

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from waystation.errors import ConfigUnavailableError
from waystation.models.service import ModelsService


class ModelsRuntime(Protocol):
    @property
    def models(self) -> ModelsService: ...


def build_router(get_runtime: Callable[[], ModelsRuntime]) -> APIRouter:
    """Return the routes that need a caller."""
    router = APIRouter()

    @router.get("/v1/models")
    async def list_models() -> dict[str, object]:
        return await get_runtime().models.openai_list()

    @router.get("/api/models")
    async def list_names() -> dict[str, list[str]]:
        return await get_runtime().models.names_by_endpoint()

    @router.get("/api/endpoints")
    async def list_endpoints() -> dict[str, dict[str, object]]:
        return await get_runtime().models.endpoints()

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
