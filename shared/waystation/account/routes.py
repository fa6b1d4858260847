"""What callers ask about themselves: their own keys, as LibreChat asks too, and their usage."""

from collections.abc import Callable
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from waystation.account.body import parse_key_body, parse_librechat_body
from waystation.account.service import AccountService
from waystation.account.usage_routes import UsageRuntime, add_usage
from waystation.credentials.user_keys import KeptKey
from waystation.errors import InvalidBodyError, NotFoundError
from waystation.identity.incoming import Incoming, incoming_of
from waystation.ledger.records import bounded
from waystation.wire.moments import write_moment

_CREATED, _NO_CONTENT = 201, 204

Known = Annotated[Incoming, Depends(incoming_of)]


class AccountRuntime(UsageRuntime, Protocol):
    @property
    def account(self) -> AccountService: ...


def build_router(get_runtime: Callable[[], AccountRuntime]) -> APIRouter:
    """Return the routes, which need a caller; what they tell is the caller's own alone.

    Only the usage of others is told, to callers with the admin role.
    """
    router = APIRouter()
    _add_keys(router, get_runtime)
    _add_librechats(router, get_runtime)
    add_usage(router, get_runtime)
    return router


def _add_keys(router: APIRouter, get_runtime: Callable[[], AccountRuntime]) -> None:
    @router.put("/v1/keys/{endpoint:path}")
    async def put_key(endpoint: str, incoming: Known) -> dict[str, object]:
        incoming.notes["endpoint"] = bounded(endpoint)
        body = parse_key_body(incoming.body)
        name, kept = await get_runtime().account.put_key(_user(incoming), endpoint, body)
        return _shown(name, kept)

    @router.get("/v1/keys/{endpoint:path}")
    async def get_key(endpoint: str, incoming: Known) -> dict[str, object]:
        incoming.notes["endpoint"] = bounded(endpoint)
        name, kept = await get_runtime().account.find_key(_user(incoming), endpoint)
        if kept is None:
            raise NotFoundError("You have stored no key for this endpoint.")
        return _shown(name, kept)

    @router.delete("/v1/keys/{endpoint:path}", status_code=_NO_CONTENT)
    async def delete_key(endpoint: str, incoming: Known) -> None:
        incoming.notes["endpoint"] = bounded(endpoint)
        await get_runtime().account.delete_key(_user(incoming), endpoint)


def _add_librechats(router: APIRouter, get_runtime: Callable[[], AccountRuntime]) -> None:
    @router.put("/api/keys")
    async def put_librechats(incoming: Known) -> Response:
        name, body = parse_librechat_body(incoming.body)
        incoming.notes["endpoint"] = bounded(name)
        await get_runtime().account.put_key(_user(incoming), name, body)
        return Response(status_code=_CREATED)

    @router.get("/api/keys")
    async def get_expiry(incoming: Known, name: Annotated[str, Query()] = "") -> dict[str, object]:
        if not name:
            raise InvalidBodyError("name is required: the name of an endpoint.", param="name")
        incoming.notes["endpoint"] = bounded(name)
        _, kept = await get_runtime().account.find_key(_user(incoming), name)
        if kept is None:
            return {"expiresAt": None}
        return {"expiresAt": _moment(kept.expires_at_ms) or "never"}

    @router.delete("/api/keys", status_code=_NO_CONTENT)
    async def delete_all(incoming: Known, every: Annotated[str, Query(alias="all")] = "") -> None:
        if every != "true":
            raise InvalidBodyError("all=true is required to delete every key.", param="all")
        await get_runtime().account.delete_keys(_user(incoming))

    @router.delete("/api/keys/{name:path}", status_code=_NO_CONTENT)
    async def delete_librechats(name: str, incoming: Known) -> None:
        incoming.notes["endpoint"] = bounded(name)
        await get_runtime().account.delete_key(_user(incoming), name)


def _user(incoming: Incoming) -> str:
    return incoming.caller.user.id


def _shown(name: str, kept: KeptKey) -> dict[str, object]:
    """Return what a user sees again: the end of a key, the host of a URL."""
    last = kept.last_characters
    return {
        "endpoint": name,
        "apiKey": None if last is None else f"…{last}",
        "baseURL": kept.host,
        "expiresAt": _moment(kept.expires_at_ms),
    }


def _moment(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else write_moment(milliseconds)
