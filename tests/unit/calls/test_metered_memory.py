"""What is remembered of an upstream for all its users: nothing that one of them can bring about."""

import json
from typing import Any

from tests.support.calls import (
    DONE,
    build_call,
    build_calls,
    chunk,
    json_answer,
    stream_answer,
)
from tests.support.fakes import InMemoryLedger, Reply, ScriptedEgress
from waystation.errors import UpstreamError

REFUSED = json_answer({"error": {"message": "Unknown parameter: stream_options.bogus"}}, 400)


def answered() -> Reply:
    return stream_answer(chunk("Hello", "stop"), DONE)


def _ignore(_: object) -> None:
    """Take a record, and leave it."""


class Streams:
    """Streams over one scripted upstream."""

    def __init__(self, *script: Reply) -> None:
        self._egress = ScriptedEgress(*script)
        self._calls = build_calls(self._egress, InMemoryLedger())

    async def ask(self, **params: Any) -> str | None:
        """Return the code of the error that ended the stream, if one did."""
        try:
            async for _ in self._calls.stream(build_call(is_stream=True, params=params), _ignore):
                pass
        except UpstreamError as error:
            return error.type
        return None

    @property
    def asked(self) -> list[bool]:
        """Whether each request asked for usage."""
        return ["stream_options" in json.loads(request.body) for request in self._egress.sent]


async def test_options_of_one_client_take_usage_from_nobody_else():
    streams = Streams(REFUSED, answered(), answered())
    assert await streams.ask(stream_options={"bogus": 1}) is None
    assert await streams.ask() is None
    assert streams.asked == [True, False, True]


async def test_what_is_refused_without_the_option_too_was_another_fault():
    echo = json_answer({"error": {"message": "stop: 'include_usage' is not allowed"}}, 400)
    streams = Streams(echo, echo, answered())
    assert await streams.ask(stop=["include_usage"]) == "invalid_request_error"
    assert await streams.ask() is None
    assert streams.asked == [True, False, True]


async def test_an_upstream_that_answers_without_it_is_remembered():
    refused = json_answer({"error": {"message": "stream_options?"}}, 400)
    streams = Streams(refused, answered(), answered())
    assert await streams.ask(stream_options={"include_usage": True}) is None
    assert await streams.ask() is None
    assert streams.asked == [True, False, False]
