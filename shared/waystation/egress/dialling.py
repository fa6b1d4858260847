"""Opens TCP connections: a name is resolved, and its addresses are tried until one answers."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import Any, TypeAlias

STAGGER_S = 0.25  # Source: https://www.rfc-editor.org/rfc/rfc8305#section-5, 2026-11

Dial: TypeAlias = Callable[[str, int], Awaitable[socket.socket]]
_Attempt: TypeAlias = Callable[[], Coroutine[Any, Any, socket.socket]]


async def dial(host: str, port: int) -> socket.socket:
    """Return a connected socket that does not block. Raises OSError.

    Addresses are tried in the resolver's order. The next one has its turn when one has failed, or
    has not answered for a quarter of a second; the first connection counts.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("this cannot be the name of a host") from error
    return await _race(
        [partial(_connect, family, proto, address) for family, _, proto, _, address in found]
    )


async def _race(attempts: Iterable[_Attempt]) -> socket.socket:
    waiting, running = list(attempts), set[asyncio.Task[socket.socket]]()
    failure: BaseException = OSError("the name has no address")
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.create_task(waiting.pop(0)()))
            patience = STAGGER_S if waiting else None
            done, _ = await asyncio.wait(
                running, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                running.discard(task)
                error = task.exception()
                if error is None:
                    return task.result()
                failure = error
        raise failure
    finally:
        for task in running:
            task.add_done_callback(_close_unused)
            task.cancel()


async def _connect(
    family: int, proto: int, address: tuple[str | int, ...] | tuple[int, bytes]
) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM, proto)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


def _close_unused(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
