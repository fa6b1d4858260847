"""The app of `waystation dev`, asked in this process; what it asks goes over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from starlette.types import ASGIApp

from waystation.identity.user import User
from waystation_cli.local.stack import LocalOptions, build_local

KEY = "the-gateways-own-key-7d1c"


async def build_app(directory: Path, config: str) -> ASGIApp:
    """Return the app with this configuration; its one key speaks for any user."""
    path = directory / "librechat.yaml"
    path.write_text(config, encoding="utf-8")
    options = LocalOptions(
        config=path, host="127.0.0.1", port=0, key=KEY, user=User("dev"), has_demo=False
    )
    app, _ = await build_local(options)
    return app


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client with the key."""
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://gateway.test",
        headers={"authorization": f"Bearer {KEY}"},
        timeout=30,
    ) as client:
        yield client
