"""The gateway's ASGI app under uvicorn, in a thread, with a table in memory; titles
beside chats are made in the process.

Other than `waystation dev` it lets a test look into the ledger, take the table away, and set how
much time Lambda has left.
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx2
import uvicorn
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from tests.support.fresh_log import CapturedLog
from tests.support.lambda_events import LambdaContext
from tests.support.reaching import dial_local
from waystation.account.routes import build_router as build_account_router
from waystation.aws.queue import Queue
from waystation.aws.table import Item, Refusal, TableError, Write
from waystation.bootstrap.runtime import Runtime, build_runtime
from waystation.chat.messages_routes import count_message_tokens, create_message
from waystation.chat.routes import chat_completions
from waystation.config.sources import FileSource
from waystation.credentials.secrets import Secrets
from waystation.credentials.sources import MappingSource
from waystation.egress.client import Egress
from waystation.identity.gateway_keys import PEPPER_NAME, store_key
from waystation.identity.user import User
from waystation.models.routes import build_health_router
from waystation.models.routes import build_router as build_models_router
from waystation.titles.routes import build_router
from waystation.web.api import build_fastapi
from waystation.web.app import PostRoute, starlette_routes, wrap_app
from waystation.web.event_stream import PING_AFTER_S
from waystation_cli.local.key_service import InMemoryKeyService
from waystation_cli.local.memory_table import InMemoryTable
from waystation_cli.local.stack import LocalRuntime
from waystation_cli.local.titles import LocalTitles

KEY = "key-of-alice"
CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
COUNT = f"{MESSAGES}/count_tokens"
T = TypeVar("T")


class FailingTable(InMemoryTable):
    """A table that does not answer while `is_down`."""

    is_down = False

    async def get(self, pk: str, sk: str) -> Item | None:
        self._check()
        return await super().get(pk, sk)

    async def put_new(self, *items: Item) -> bool:
        self._check()
        return await super().put_new(*items)

    async def update(self, pk: str, sk: str, changes: Mapping[str, object]) -> bool:
        self._check()
        return await super().update(pk, sk, changes)

    async def transact(self, *writes: Write) -> Refusal | None:
        self._check()
        return await super().transact(*writes)

    def _check(self) -> None:
        if self.is_down:
            raise TableError("the table is down")


class ServedGateway:
    """A context manager; it serves while it is entered. The one key is that of the user alice."""

    ping_after_s = PING_AFTER_S
    outbox: Queue | None = None

    def __init__(
        self, config: str, directory: Path, egress: Egress | None = None, /, **secrets: str
    ) -> None:
        """Take what sends to upstreams; by default, whatever is on this machine is reached."""
        self.table = FailingTable()
        self.log = CapturedLog()
        self.remaining_ms: int | None = None
        self.config_path = directory / "librechat.yaml"
        self.config_path.write_text(config, encoding="utf-8")
        self._egress = egress or Egress(dialler=dial_local)
        self.secrets = {PEPPER_NAME: "a-pepper", **secrets}
        # asyncio turns Nagle's delays off only for sockets that name their protocol.
        self._listener = socket.socket(proto=socket.IPPROTO_TCP)
        self._listener.bind(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result(5)
        self.client = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"authorization": f"Bearer {KEY}"},
            timeout=10,
            trust_env=False,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.server.should_exit = True
        self._thread.join(5)
        self._listener.close()

    def make_secrets(self) -> Secrets:
        """Make what knows the operator's secrets."""
        return Secrets([MappingSource(self.secrets)], now=time.monotonic)

    def chat(self, **body: Any) -> httpx2.Response:
        """Post a chat; `model` and `messages` have defaults."""
        return self.client.post(CHAT, json=chat_body(**body))

    def add_key(self, key: str, user_id: str) -> None:
        """Make the key of another user."""
        user = User(user_id)
        self.run(store_key(self.table, key, pepper="a-pepper", user=user, created_at="2026-01-01"))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something on the gateway's own loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def record_of(self, answer: httpx2.Response) -> dict[str, object]:
        """Return the ledger's record of a request."""
        records = self.records(f"REQ#{answer.headers['x-request-id']}")
        assert len(records) == 1
        return dict(records[0])

    def records(self, prefix: str = "REQ#", at_least: int = 0) -> list[Item]:
        """Return the records of all requests, after waiting until so many are over."""
        until = time.monotonic() + 5
        while True:
            found = list(self.run(self.table.query("U#alice", prefix)))
            over = [item for item in found if item.get("state") != "RESERVED"]
            if len(over) >= at_least or time.monotonic() > until:
                return found
            time.sleep(0.02)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        user = User("alice")
        await store_key(self.table, KEY, pepper="a-pepper", user=user, created_at="2026-01-01")
        self.runtime: Runtime = build_runtime(
            table=self.table,
            config_source=FileSource(self.config_path),
            secrets=self.make_secrets(),
            egress=self._egress,
            response_mode="stream",
            key_service=InMemoryKeyService(),
            config_refresh_s=0,
            make_title_starter=LocalTitles,
            outbox=self.outbox,
        )
        source = LocalRuntime(self.runtime)
        routes = [
            PostRoute(CHAT, chat_completions(source), self.ping_after_s),
            PostRoute(MESSAGES, create_message(source), self.ping_after_s),
            PostRoute(COUNT, count_message_tokens(source)),
        ]
        routers = [build_router(source), build_models_router(source), build_account_router(source)]
        api = build_fastapi(source, routers=routers, open_routers=[build_health_router(source)])
        router = Router(starlette_routes(routes, source), default=api, redirect_slashes=False)
        with self.log.set_up():
            app = wrap_app(router, source)

        async def with_context(scope: Scope, receive: Receive, send: Send) -> None:
            if self.remaining_ms is not None:
                scope = {**scope, "aws.context": LambdaContext(self.remaining_ms)}
            await app(scope, receive, send)

        config = uvicorn.Config(
            with_context, lifespan="off", log_level="warning", timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(config)
        self.loop.call_soon(self._started.set_result, None)
        await self.server.serve(sockets=[self._listener])


def free_port() -> int:
    """Return a port of this machine where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def chat_body(**fields: object) -> Mapping[str, object]:
    """Return a chat's body; `model` and `messages` have defaults."""
    return {"model": "Acme/acme-large", "messages": [{"role": "user", "content": "Hi!"}]} | fields


def sse_data(lines: Iterable[str]) -> list[str]:
    """Return the data of each event."""
    return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


def expect_error(answer: httpx2.Response, status: int, code: str | None) -> dict[str, Any]:
    """Expect an envelope, and return what it holds."""
    assert answer.headers["content-type"] == "application/json"
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error.keys() == {"message", "type", "param", "code"}
    return error


def expect_broken_off(answer: httpx2.Response, code: str, *texts: str) -> None:
    """Expect a stream of these texts, then an error, then nothing."""
    assert answer.status_code == 200
    *chunks, last = [json.loads(data) for data in sse_data(answer.text.split("\n"))]
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == list(texts)
    assert last["error"]["code"] == code


def expect_released(served: ServedGateway, answer: httpx2.Response, code: str | None) -> None:
    """Expect a record of a request that cost nothing."""
    record = served.record_of(answer)
    assert (record["state"], record["cost"], record["error_code"]) == ("RELEASED", 0, code)


def expect_estimated(served: ServedGateway, answer: httpx2.Response, code: str) -> None:
    """Expect a record of a request that failed and may have cost something."""
    record = served.record_of(answer)
    assert (record["state"], record["error_code"]) == ("SETTLED", code)
    assert record["usage_source"] == "estimated"
