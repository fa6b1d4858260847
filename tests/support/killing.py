"""Functions that are killed where they stand: what they wait for is kept from them meanwhile."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from tests.support.chat_function import process_of
from tests.support.emulated_aws import AwsRequest, watched
from tests.support.fake_lambda import FakeLambda
from tests.support.lambda_events import rest_event
from tests.support.served_gateway import CHAT

PATIENCE_S = 20.0

IsIt: TypeAlias = Callable[[AwsRequest], bool]


def written_state(request: AwsRequest) -> str | None:
    """Return the state of the record that a request writes, None if it writes none."""
    arguments: Mapping[str, Any] = request.arguments
    if request.action == "dynamodb:TransactWriteItems":
        arguments = arguments["TransactItems"][0].get("Put", {})
    item = arguments.get("Item")
    if item is None or not item["SK"]["S"].startswith("REQ#"):
        return None
    state: str = item["state"]["S"]
    return state


def opens(request: AwsRequest) -> bool:
    """Tell whether a request opens a record."""
    return written_state(request) == "RESERVED"


def settles(request: AwsRequest) -> bool:
    """Tell whether a request ends a record."""
    return written_state(request) in ("SETTLED", "RELEASED")


def expires(request: AwsRequest) -> bool:
    """Tell whether a request ends a record that nobody settled."""
    return written_state(request) == "EXPIRED"


def writes_record(request: AwsRequest) -> bool:
    """Tell whether a request opens or ends a record."""
    return written_state(request) is not None


def grants(request: AwsRequest) -> bool:
    """Tell whether a request adds to a balance."""
    writes = request.arguments.get("TransactItems", [])
    items = [write["Put"]["Item"] for write in writes if "Put" in write]
    return any(item["SK"]["S"].startswith("ADJ#") for item in items)


def asks_for(action: str) -> IsIt:
    """Return what tells whether a request is of this kind."""
    return lambda request: request.action == action


class Hold:
    """Keeps calls of AWS waiting before they are done, or before their answer is sent.

    Those that wait to be done are refused in the end.
    """

    def __init__(self, is_it: IsIt) -> None:
        self.is_reached = threading.Event()
        self._is_it = is_it
        self._is_over = threading.Event()

    def __call__(self, request: AwsRequest) -> str | None:
        if not self._is_it(request):
            return None
        self.is_reached.set()
        self._is_over.wait(PATIENCE_S)
        return "InternalServerError"

    def end(self) -> None:
        """Keep nothing any more."""
        self._is_over.set()


@contextmanager
def held(is_it: IsIt, *, when_done: bool = False) -> Iterator[Hold]:
    """Keep calls of AWS waiting meanwhile."""
    hold = Hold(is_it)
    with watched(hold, when_done=when_done):
        try:
            yield hold
        finally:
            hold.end()


class Asked:
    """A request to a function that will be killed; `came` is what has come of its answer."""

    def __init__(
        self, chat: FakeLambda, headers: Mapping[str, str], body: object, *, is_read: bool
    ) -> None:
        """Ask for a chat. An answer that is not read stays with Lambda."""
        self.came = b""
        self._chat = chat
        sent = {"Content-Type": "application/json", **headers}
        event = rest_event("POST", CHAT, sent, json.dumps(body).encode())
        self._invocation = chat.function.invoke(event)
        self._reading = asyncio.create_task(self._read()) if is_read else None

    async def kill(self) -> None:
        """Kill the function's process, which is not told, and wait until it has gone."""
        process_of(self._chat).kill()
        await self._chat.function.settled()
        if self._reading is not None:
            await self._reading
        assert self._invocation.fault is not None
        assert self._invocation.fault.type == "Runtime.ExitError"

    async def _read(self) -> None:
        async for piece in self._invocation.pieces():
            self.came += piece
