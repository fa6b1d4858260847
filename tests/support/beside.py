"""Chats with titles beside them, asked through the app."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tests.support.asgi import AsgiAnswer, ask
from tests.support.calls import build_calls
from tests.support.fakes import (
    Hang,
    InMemoryLedger,
    Reply,
    ScriptedEgress,
    StaticConfig,
    build_snapshot_of,
    built_ins,
)
from tests.support.titles import titled_entry
from waystation.calls.routing import Routes
from waystation.chat.messages_routes import count_message_tokens, create_message
from waystation.chat.routes import chat_completions
from waystation.chat.service import ChatService
from waystation.chat.titles import TitleStarter
from waystation.config.schema import Endpoint
from waystation.config.schema_titles import TitleSettings
from waystation.config.snapshot import ConfigProblem
from waystation.identity.assertions import asserted_user
from waystation.identity.presented import Presented
from waystation.identity.user import Caller, User
from waystation.settings import ResponseMode
from waystation.web.app import PostRoute, create_app
from waystation.wire.title_job import TitleJob

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
COUNT = "/v1/messages/count_tokens"


@dataclass
class Starter:
    """Takes jobs, and writes down when: how many messages of the answer had been sent by then."""

    jobs: list[TitleJob] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    sent: Callable[[], int] = lambda: 0

    async def start(self, job: TitleJob) -> None:
        self.jobs.append(job)
        self.moments.append(self.sent())


@dataclass
class _Keys:
    """Knows alice, trusted or not."""

    is_trusted: bool

    async def authenticate(self, presented: Presented) -> Caller:
        headers = presented.headers
        user = (asserted_user(headers) if self.is_trusted else None) or User("alice", {"name": "A"})
        return Caller(user, "k1", is_trusted=self.is_trusted)


@dataclass
class _Runtime:
    chat: ChatService
    authenticator: _Keys
    response_mode: ResponseMode = "buffered"

    def __call__(self) -> "_Runtime":
        return self

    def live_secrets(self) -> Iterable[str]:
        return ()


class Beside:
    """The app of chats over one entry and a scripted upstream."""

    def __init__(
        self,
        *script: Reply | Exception | Hang,
        starter: TitleStarter | None,
        entry: Endpoint | None = None,
        titles: dict[str, TitleSettings | ConfigProblem] | None = None,
        is_trusted: bool = False,
    ) -> None:
        self.egress = ScriptedEgress(*script)
        self.ledger = InMemoryLedger()
        snapshot = build_snapshot_of(entry or titled_entry())
        chat = ChatService(
            config=StaticConfig(replace(snapshot, titles=titles or {})),
            routes=Routes(built_ins()),
            calls=build_calls(self.egress, self.ledger),
            now_ms=lambda: 5,
            titles=starter,
        )
        runtime = _Runtime(chat, _Keys(is_trusted))
        routes = [
            PostRoute(CHAT, chat_completions(runtime)),
            PostRoute(MESSAGES, create_message(runtime)),
            PostRoute(COUNT, count_message_tokens(runtime)),
        ]
        self.app = create_app(routes, runtime)

    async def ask(
        self, path: str = CHAT, headers: dict[str, str] | None = None, **body: object
    ) -> AsgiAnswer:
        """Ask a chat; model, messages and conversationId have defaults."""
        document = {
            "model": "Acme/acme-large",
            "messages": [{"role": "user", "content": "Hi"}],
            "conversationId": "c1",
            **body,
        }
        sent = {"content-type": "application/json", **(headers or {})}
        return await ask(self.app, "POST", path, headers=sent, body=[json.dumps(document).encode()])
