"""What happens to a chat: routed, made a metered call, answered."""

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import replace
from typing import Protocol

from waystation.calls.call import Call
from waystation.calls.metered import MeteredCalls, OnSettled
from waystation.chat.routing import Route, find_route
from waystation.config.built_ins import NAMES as BUILT_IN_NAMES
from waystation.config.schema import Endpoint
from waystation.config.snapshot import ConfigSnapshot
from waystation.egress.deadlines import Deadline
from waystation.errors import ModelNotFoundError
from waystation.identity.assertions import asserted_ids
from waystation.identity.incoming import Incoming
from waystation.wire.chat_request import ChatRequest
from waystation.wire.events import Completion, StreamEvent


class BuiltInSource(Protocol):
    async def find(self, names: Iterable[str] = ..., *, model: str = ...) -> list[Endpoint]:
        """Return the built-in endpoints that exist. Raises SecretUnavailableError."""


class SnapshotSource(Protocol):
    async def snapshot(self) -> ConfigSnapshot:
        """Return the configuration in force. Raises ConfigUnavailableError."""


class ChatService:
    """Serves chats. Keeps nothing of a request."""

    def __init__(
        self,
        *,
        config: SnapshotSource,
        built_ins: BuiltInSource,
        calls: MeteredCalls,
        now_ms: Callable[[], int],
    ) -> None:
        self._config = config
        self._built_ins = built_ins
        self._calls = calls
        self._now_ms = now_ms

    async def route(self, incoming: Incoming, request: ChatRequest) -> Call:
        """Decide which endpoint and model answer. Raises GatewayError."""
        snapshot = await self._config.snapshot()
        if incoming.caller.is_trusted:  # ids by header, where the body has none
            ids = asserted_ids(incoming.headers)
            request = replace(request, conversation={**ids, **request.conversation})
        name = request.endpoint or incoming.headers.get("x-endpoint") or None
        route = await self._find(snapshot, request.model, name)
        user = incoming.caller.user
        body = {f"BODY_{field.upper()}": text for field, text in request.conversation.items()}
        return Call(
            request_id=incoming.request_id,
            endpoint=route.endpoint,
            model=route.model,
            request=request,
            user_id=user.id,
            key_id=incoming.caller.key_id,
            placeholders=user.placeholders() | body,
            config_version=snapshot.version,
            deadline=Deadline(incoming.ends_at),
            created_at_ms=self._now_ms(),
            allowed_addresses=snapshot.allowed_addresses,
        )

    async def _find(self, snapshot: ConfigSnapshot, model: str, name: str | None) -> Route:
        """Look for built-in endpoints only if one is named, or if no entry offers the model."""
        built_in = name or model.partition("/")[0]
        if built_in in BUILT_IN_NAMES:
            wanted = model.removeprefix(f"{built_in}/")
            snapshot = snapshot.beside(await self._built_ins.find([built_in], model=wanted))
        try:
            return find_route(snapshot, model, name)
        except ModelNotFoundError:
            if name or built_in in BUILT_IN_NAMES:
                raise
        others = await self._built_ins.find(model=model)
        return find_route(snapshot.beside(others), model, name)

    async def complete(self, call: Call, on_settled: OnSettled) -> Completion:
        """Answer whole. Raises GatewayError."""
        return await self._calls.complete(call, on_settled)

    def stream(self, call: Call, on_settled: OnSettled) -> AsyncGenerator[list[StreamEvent], None]:
        """Answer in batches of events; an error after the first one is an event too."""
        return self._calls.stream(call, on_settled)

    async def count_tokens(self, call: Call) -> dict[str, object]:
        """Return how many tokens a chat would take, as its upstream says. Raises GatewayError."""
        return await self._calls.count_tokens(call)
