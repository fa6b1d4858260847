"""What happens to a chat: routed, made a metered call, answered."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from waystation.calls.accounting import OnSettled
from waystation.calls.call import Call
from waystation.calls.metered import MeteredCalls
from waystation.calls.routing import Routes
from waystation.chat.titles import TitleBeside, TitleStarter, title_beside
from waystation.config.snapshot import SnapshotSource
from waystation.credentials.own import read_headers
from waystation.egress.deadlines import FIRST_BYTE_S, IDLE_S, Deadline
from waystation.identity.assertions import asserted_ids
from waystation.identity.incoming import Incoming
from waystation.ledger.records import Idempotency
from waystation.wire.chat_request import ChatRequest
from waystation.wire.events import Completion, StreamEvent


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that is routed, and the title that is made beside it."""

    call: Call
    title: TitleBeside | None = None


class ChatService:
    """Serves chats. Keeps nothing of a request. Without a starter, no titles are made."""

    def __init__(
        self,
        *,
        config: SnapshotSource,
        routes: Routes,
        calls: MeteredCalls,
        now_ms: Callable[[], int],
        titles: TitleStarter | None = None,
        first_byte_s: float = FIRST_BYTE_S,
        idle_s: float = IDLE_S,
    ) -> None:
        """Take how long a streamed answer may take to begin, and from one byte to the next."""
        self._config = config
        self._routes = routes
        self._calls = calls
        self._now_ms = now_ms
        self._titles = titles
        self._first_byte_s = first_byte_s
        self._idle_s = idle_s

    async def route(
        self, incoming: Incoming, asked: ChatRequest, idempotency: Idempotency | None = None
    ) -> Chat:
        """Decide which endpoint and model answer, and by which rules. Raises GatewayError."""
        snapshot = await self._config.snapshot()
        request = asked
        if incoming.caller.is_trusted:  # ids by header, where the body has none
            ids = asserted_ids(incoming.headers)
            request = replace(request, conversation={**ids, **request.conversation})
        name = request.endpoint or incoming.headers.get("x-endpoint") or None
        route = await self._routes.find(snapshot, request.model, name)
        user = incoming.caller.user
        body = {f"BODY_{field.upper()}": text for field, text in request.conversation.items()}
        now, expires_at = self._now_ms(), request.key_expires_at_ms
        call = Call(
            request_id=incoming.request_id,
            endpoint=route.endpoint,
            model=route.model,
            request=request,
            user_id=user.id,
            key_id=incoming.caller.key_id,
            placeholders=user.placeholders() | body,
            config_version=snapshot.version,
            deadline=Deadline(incoming.ends_at, self._first_byte_s, self._idle_s),
            created_at_ms=now,
            own=read_headers(incoming.headers),
            own_has_expired=expires_at is not None and expires_at <= now,
            allowed_addresses=snapshot.allowed_addresses,
            client=incoming.client,
            balance=snapshot.balance,
            idempotency=idempotency,
        )
        settings = snapshot.title_settings(route.endpoint)
        return Chat(call, title_beside(settings, self._titles, call, incoming, asked))

    async def complete(self, chat: Chat, on_settled: OnSettled) -> Completion:
        """Answer whole. Raises GatewayError."""
        if chat.title is None:
            return await self._calls.complete(chat.call, on_settled)
        completion = await self._calls.complete(chat.call, on_settled, chat.title.begin)
        chat.title.observe_whole(completion)
        return completion

    def stream(self, chat: Chat, on_settled: OnSettled) -> AsyncGenerator[list[StreamEvent], None]:
        """Answer in batches of events; an error after the first one is an event too."""
        if chat.title is None:
            return self._calls.stream(chat.call, on_settled)
        batches = self._calls.stream(chat.call, on_settled, chat.title.begin)
        return _observed(batches, chat.title)

    async def count_tokens(self, chat: Chat) -> dict[str, object]:
        """Return how many tokens a chat would take, as its upstream says. Raises GatewayError."""
        return await self._calls.count_tokens(chat.call)


async def _observed(
    batches: AsyncGenerator[list[StreamEvent], None], title: TitleBeside
) -> AsyncGenerator[list[StreamEvent], None]:
    async with aclosing(batches):
        async for batch in batches:
            title.observe(batch)
            yield batch
