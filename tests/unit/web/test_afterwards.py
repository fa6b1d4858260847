"""What is done when a request has been answered."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from tests.support.asgi import AsgiAnswer, ask
from tests.support.web_app import JSON, RUNTIME, SECRET
from waystation.errors import UpstreamRateLimitedError
from waystation.identity.incoming import Incoming
from waystation.web.app import PostRoute, create_app
from waystation.wire.answers import Answer, EventStream, JsonAnswer

Handle = Callable[[Incoming], Awaitable[Answer]]


class Afterwards:
    """An app that leaves something to be done afterwards, and when that was."""

    def __init__(self, answer: Answer | Exception, *errors: Exception | None) -> None:
        self.seen: list[str] = []
        self._answer = answer
        self._errors = errors or (None,)
        self.app = create_app([PostRoute("/chat", self._handle)], RUNTIME)

    async def ask(self, send_error: Exception | None = None) -> AsgiAnswer:
        async def app(scope, receive, send) -> None:
            async def noting(message: Message) -> None:
                last = not message.get("more_body", False)
                if message["type"] == "http.response.body" and last:
                    self.seen.append("answered")
                if send_error is not None:
                    raise send_error
                await send(message)

            await self.app(scope, receive, noting)

        return await ask(app, "POST", "/chat", headers=JSON, body=[b"{}"])

    async def _handle(self, incoming: Incoming) -> Answer:
        for error in self._errors:
            incoming.afterwards.append(self._doing(error))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def _doing(self, error: Exception | None) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            self.seen.append("done")
            if error is not None:
                raise error

        return do


def stream(*, breaks: bool = False) -> EventStream:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"data: 1\n\n"
        if breaks:
            raise ValueError(SECRET)
        yield b"data: 2\n\n"

    return EventStream(chunks())


ANSWERS: dict[str, tuple[Callable[[], Answer | Exception], int]] = {
    "whole": (lambda: JsonAnswer({}), 200),
    "stream": (stream, 200),
    "stream that breaks": (lambda: stream(breaks=True), 200),
    "error of ours": (lambda: UpstreamRateLimitedError("Slow down."), 429),
    "unforeseen error": (lambda: ValueError(SECRET), 500),
}


@pytest.mark.parametrize(("make", "status"), ANSWERS.values(), ids=ANSWERS)
async def test_it_is_done_after_the_last_byte(make, status: int):
    app = Afterwards(make())
    assert (await app.ask()).status == status
    assert app.seen == ["answered", "done"]


@pytest.mark.parametrize(("make", "status"), ANSWERS.values(), ids=ANSWERS)
async def test_failing_changes_no_byte(make, status: int):
    plain, failing = Afterwards(make()), Afterwards(make(), ValueError("x"), TimeoutError())
    answer, expected = await failing.ask(), await plain.ask()
    assert (answer.status, answer.body) == (expected.status, expected.body)
    assert len(answer.messages) == len(expected.messages)
    assert failing.seen == ["answered", "done", "done"]


async def test_failing_is_logged_by_its_place(capsys):
    await Afterwards(JsonAnswer({}), ValueError(SECRET)).ask()
    out = capsys.readouterr().out
    assert SECRET not in out
    request, unexpected = (json.loads(line) for line in out.splitlines())
    assert (request["message"], request["status"]) == ("request", 200)
    assert (unexpected["message"], unexpected["error_type"]) == ("unexpected_error", "ValueError")
    assert unexpected["request_id"] == request["request_id"]


async def test_client_that_has_gone_does_not_stop_it():
    app = Afterwards(stream())
    assert (await app.ask(OSError("gone"))).messages == []
    assert app.seen[-1] == "done"


async def test_client_that_goes_while_it_sends_does_not_stop_it():
    app = Afterwards(ClientDisconnect())
    assert (await app.ask()).messages == []
    assert app.seen == ["done"]


async def test_requests_keep_to_their_own():
    app = Afterwards(JsonAnswer({}))
    await app.ask()
    await app.ask()
    assert app.seen == ["answered", "done"] * 2
