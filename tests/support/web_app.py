"""An app of one handler that does what the body says, for callers with one key."""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from waystation.errors import InvalidApiKeyError, UpstreamRateLimitedError
from waystation.identity.incoming import Incoming
from waystation.identity.presented import Presented
from waystation.identity.user import Caller, User
from waystation.settings import ResponseMode
from waystation.wire.answers import Answer, EventStream, JsonAnswer

SECRET = "the-key-of-acme-5b1f7a3c"
JSON = {"content-type": "application/json", "authorization": "Bearer key"}


class KeyAuthenticator:
    """Knows one key."""

    async def authenticate(self, presented: Presented) -> Caller:
        if presented.headers.get("authorization") != "Bearer key":
            raise InvalidApiKeyError
        return Caller(User("alice"), "k1")


@dataclass
class FakeRuntime:
    """A runtime that is nothing but what apps ask for."""

    authenticator: KeyAuthenticator
    response_mode: ResponseMode = "buffered"

    def __call__(self) -> "FakeRuntime":
        return self

    def live_secrets(self) -> Iterable[str]:
        return [SECRET]


RUNTIME = FakeRuntime(KeyAuthenticator())


async def handle(incoming: Incoming) -> Answer:
    """Do what the body says."""
    body = incoming.body
    assert isinstance(body, dict)
    incoming.notes["model"] = SECRET
    match body.get("do"):
        case "fail":
            raise ValueError(SECRET)
        case "refuse":
            raise UpstreamRateLimitedError("Slow down.", headers={"retry-after": "7"})
        case "stream":
            return EventStream(_events())
        case _:
            return JsonAnswer({"id": incoming.request_id, "user": incoming.caller.user.id})


async def _events() -> AsyncGenerator[bytes, None]:
    yield b"data: 1\n\n"
    yield b"data: [DONE]\n\n"
