"""A function of few words: its path says what it does. `SEEN` is a file that it writes lines to."""

import asyncio
import gc
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

Headers = Sequence[tuple[bytes, bytes]]

SEEN = Path(os.environ["SEEN"])
PLAIN: Headers = [(b"content-type", b"text/plain")]
PIECE = b"x" * 65536

if "FAILS_TO_LOAD" in os.environ:
    raise RuntimeError("FAILS_TO_LOAD is set")


def note(text: str) -> None:
    with SEEN.open("a") as seen:
        seen.write(f"{text}\n")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    body = (await receive())["body"]
    await DOES[scope["path"].split("/")[1]](scope, receive, send, body)


COLLECTED_WHILE_LOADED = gc.isenabled()


def handler(event: object, context: Any) -> object:
    """Run a coroutine as handlers of jobs do: by the thread's own loop."""
    if event == "raise":
        raise ValueError("a secret")
    if event == "unwritable":
        return object()
    if event == "collects":
        return {"now": gc.isenabled(), "while_loaded": COLLECTED_WHILE_LOADED}
    loop = asyncio.get_event_loop()
    return {
        "event": event,
        "slept": loop.run_until_complete(asyncio.sleep(0.01, "well")),
        "id": context.aws_request_id,
        "has_time": context.get_remaining_time_in_millis() > 0,
        "memory_mb": context.memory_limit_in_mb,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
    }


async def start(send: Send, status: int = 200, headers: Headers = PLAIN) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def piece(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def echo(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    cookies = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await start(send, 201, [(b"X-Kind", b"echo"), *cookies])
    told = {"method": scope["method"], "path": scope["path"], "query": scope["query_string"]}
    told |= {"body": body, "type": dict(scope["headers"]).get(b"content-type", b"")}
    await piece(
        send, json.dumps(told, default=lambda text: text.decode("latin-1")).encode(), more=False
    )
    assert (await receive())["type"] == "http.disconnect"
    note("disconnected")


async def empty(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await start(send, 204, [])
    await piece(send, b"", more=False)


async def steps(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await start(send)
    for number in range(40):
        await piece(send, f"{number}\n".encode())
        await asyncio.sleep(0.002)
    await piece(send, b"", more=False)


async def binary(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await start(send)
    await piece(send, bytes(range(256)) * 2, more=False)


async def early(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    raise ValueError("a secret")


async def late(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await start(send)
    await piece(send, b"so far")
    raise ValueError("a secret")


async def cancelled(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    raise asyncio.CancelledError


async def timeout(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    raise TimeoutError


async def silent(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await start(send)


async def bodiless(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await piece(send, b"no start")


async def slow(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await start(send)
    await piece(send, b"so far")
    try:
        await asyncio.sleep(60)
    finally:
        note("cancelled")


async def slowest(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await asyncio.sleep(60)


async def blocking(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    time.sleep(60)  # noqa: ASYNC251 (what no deadline of its own can end)


async def after(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await start(send)
    await piece(send, b"done", more=False)
    await asyncio.sleep(0.1)
    note("awaited")
    task = asyncio.create_task(asyncio.sleep(0.1))
    task.add_done_callback(lambda _: note("left behind"))


async def endless(scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    await start(send)
    sent = 0
    try:
        while True:
            await piece(send, PIECE)
            sent += 1
            note(str(sent))
    except OSError:
        kind = (await receive())["type"]
        note(f"gone {kind}")


DOES = {
    function.__name__: function
    for function in (
        *(echo, empty, steps, binary, early, late, cancelled, timeout, silent, bodiless, slow),
        *(slowest, blocking, after, endless),
    )
}
