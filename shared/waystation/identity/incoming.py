"""A request whose caller is known, as a use case sees it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from starlette.requests import Request

from waystation.identity.user import Caller
from waystation.wire.answers import Client


@dataclass(frozen=True, slots=True)
class Incoming:
    """`headers` have lower-case names; `body` is checked JSON; `ends_at` is on the loop's clock.

    `notes` are the fields a use case adds to the one log line of the request. What it puts into
    `afterwards` is done when the answer has been sent, in any case; it must not raise. `client`
    tells, while an answer is sent, whether anyone still waits for it.
    """

    request_id: str
    caller: Caller
    headers: Mapping[str, str] = field(repr=False)
    body: object = field(repr=False)
    ends_at: float
    notes: dict[str, object]
    afterwards: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    client: Client = field(default_factory=Client)


def incoming_of(request: Request) -> Incoming:
    """Return what authentication has left with a request."""
    return cast("Incoming", request.state.incoming)
