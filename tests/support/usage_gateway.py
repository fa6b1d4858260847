"""The routes of usage and balances in this process, over a table that tests fill."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter
from starlette.types import ASGIApp

from tests.support.asgi import AsgiAnswer, ask
from tests.support.fakes import StaticConfig, build_snapshot_of
from tests.support.fresh_log import CapturedLog
from waystation.account.usage_routes import add_usage
from waystation.account.usage_service import UsageService
from waystation.aws.table import Table
from waystation.config.snapshot import ConfigSnapshot
from waystation.errors import InvalidApiKeyError
from waystation.identity.authentication import Authenticator
from waystation.identity.user import Caller, User
from waystation.settings import ResponseMode
from waystation.web.api import create_api
from waystation.wire.moments import read_moment
from waystation_cli.local.memory_table import InMemoryTable

NOW = "2026-11-23T12:00:00Z"


class KnownKeys:
    """Knows a key for each user, which is the user's id; `admin` and `trusted` may do more."""

    async def identify(self, credential: str) -> Caller:
        if credential == "wrong":
            raise InvalidApiKeyError
        return Caller(
            User(credential),
            "k1",
            is_trusted=credential == "trusted",
            is_admin=credential in {"admin", "trusted"},
        )


@dataclass
class UsageGateway:
    """A runtime that serves these routes; the clock stands at `now_ms`."""

    table: Table = field(default_factory=InMemoryTable)
    snapshot: ConfigSnapshot = field(default_factory=build_snapshot_of)
    authenticator: Authenticator = field(default_factory=lambda: Authenticator(keys=KnownKeys()))
    response_mode: ResponseMode = "buffered"
    now: str = NOW

    def __call__(self) -> "UsageGateway":
        return self

    def live_secrets(self) -> Iterable[str]:
        return []

    @property
    def now_ms(self) -> Callable[[], int]:
        return lambda: read_moment(self.now)

    @property
    def usage(self) -> UsageService:
        return UsageService(config=StaticConfig(self.snapshot), table=self.table)

    def app(self) -> ASGIApp:
        router = APIRouter()
        add_usage(router, self)
        return create_api(self, routers=[router], open_routers=[])

    async def ask(
        self,
        query: str = "",
        *,
        path: str = "/v1/usage",
        user: str = "alice",
        headers: Mapping[str, str] = {},
    ) -> AsgiAnswer:
        """Send a request in the name of a user."""
        sent = {"authorization": f"Bearer {user}", **headers}
        with CapturedLog().set_up():
            return await ask(self.app(), "GET", path, headers=sent, query_string=query.encode())
