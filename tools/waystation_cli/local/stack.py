"""Joins the functions' routes into one app with emulated AWS behind it, and serves it."""

import gc
import os
import secrets as random_source
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.routing import Router
from starlette.types import ASGIApp

from waystation.account.routes import build_router as build_account_router
from waystation.bootstrap.runtime import Runtime, build_runtime, live_secrets
from waystation.chat.messages_routes import count_message_tokens, create_message
from waystation.chat.routes import chat_completions
from waystation.config.sources import FileSource
from waystation.credentials.secrets import Secrets
from waystation.credentials.sources import MappingSource
from waystation.egress.addresses import AddressRules
from waystation.egress.client import Egress
from waystation.egress.dialling import Dialler
from waystation.identity.gateway_keys import PEPPER_NAME, store_key
from waystation.identity.user import User
from waystation.models.routes import build_health_router, build_router
from waystation.settings import forbidden_addresses
from waystation.titles.routes import build_router as build_titles_router
from waystation.web.api import build_fastapi
from waystation.web.app import PostRoute, starlette_routes, wrap_app
from waystation_cli.env_file import EnvFileSource
from waystation_cli.local.demo_upstream import PATH, demo_routes
from waystation_cli.local.key_service import InMemoryKeyService
from waystation_cli.local.memory_table import InMemoryTable
from waystation_cli.local.titles import LocalTitles

SHUTDOWN_S = 1  # for answers under way, once Ctrl-C was pressed


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What `waystation dev` was asked for."""

    config: Path
    host: str
    port: int
    key: str
    user: User
    env_file: Path | None = None
    has_demo: bool = True

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class LocalRuntime:
    """Holds the one runtime of this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __call__(self) -> Runtime:
        return self._runtime

    def live_secrets(self) -> Iterable[str]:
        return live_secrets(self._runtime)


async def build_local(options: LocalOptions) -> tuple[ASGIApp, Runtime]:
    """Return the app and its runtime; the key of `options` is a trusted admin's."""
    table, pepper = InMemoryTable(), random_source.token_hex(32)
    await store_key(
        table,
        options.key,
        pepper=pepper,
        user=options.user,
        created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        is_trusted=True,
        is_admin=True,
    )
    rules = AddressRules(allows_loopback=True, never=forbidden_addresses())
    via = f"waystation-{random_source.token_hex(4)}"  # other gateways on this machine may be asked
    runtime = build_runtime(
        table=table,
        config_source=FileSource(options.config),
        secrets=_secrets(options, pepper),
        egress=Egress(dialler=Dialler(rules), via=via),
        response_mode="stream",
        key_service=InMemoryKeyService(),
        config_refresh_s=0,
        make_title_starter=LocalTitles,
    )
    source = LocalRuntime(runtime)
    api = build_fastapi(
        source,
        routers=[build_router(source), build_titles_router(source), build_account_router(source)],
        open_routers=[build_health_router(source)],
    )
    routes = [
        PostRoute("/v1/chat/completions", chat_completions(source)),
        PostRoute("/v1/messages", create_message(source)),
        PostRoute("/v1/messages/count_tokens", count_message_tokens(source)),
    ]
    router = Router(starlette_routes(routes, source), default=api, redirect_slashes=False)
    app = wrap_app(router, source, via=via)
    return (Router(demo_routes(), default=app) if options.has_demo else app), runtime


def listen(options: LocalOptions) -> socket.socket:
    """Take the port. Raises OSError if it cannot be had."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # The event loop turns Nagle's algorithm off only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until Ctrl-C."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="critical",  # what goes wrong is told by the log and the answers
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    gc.freeze()  # what has been made by now stays, and need not be looked at again and again
    await uvicorn.Server(config).serve(sockets=[listener])


def _secrets(options: LocalOptions, pepper: str) -> Secrets:
    own = {PEPPER_NAME: pepper}
    if options.has_demo:
        own |= {"DEMO_API_KEY": "sk-demo", "DEMO_BASE_URL": f"{options.url}{PATH}"}
    env_file = [EnvFileSource(options.env_file)] if options.env_file else []
    return Secrets(
        [MappingSource(own), *env_file, MappingSource(dict(os.environ))], now=time.monotonic
    )
