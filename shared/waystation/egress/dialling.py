"""Opens TCP connections: a name is resolved once, its addresses are checked, and then tried.

What is connected to is an address that was checked, never a name. One forbidden address among
several is enough to refuse them all.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from waystation.egress.addresses import AddressRules
from waystation.egress.connection import Origin

STAGGER_S = 0.25  # Source: https://www.rfc-editor.org/rfc/rfc8305#section-5, 2026-11

SocketAddress: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
Found: TypeAlias = tuple[int, int, int, str, SocketAddress]
"""One address of a name, as getaddrinfo tells it: family, type, protocol, name, address."""
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[Found]]]
Connect: TypeAlias = Callable[[Found], Coroutine[Any, Any, socket.socket]]
Dial: TypeAlias = Callable[[Origin], Awaitable[socket.socket]]
_Attempt: TypeAlias = Callable[[], Coroutine[Any, Any, socket.socket]]


class NotDialledError(OSError):
    """Nothing was connected to."""


class UnknownHostError(NotDialledError):
    """The host has no address."""


class BlockedError(NotDialledError):
    """The host, or one of its addresses, is forbidden."""


async def resolve(host: str, port: int) -> Sequence[Found]:
    """Return the addresses of a host. Raises OSError, or UnicodeError for what is no name."""
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def connect(found: Found) -> socket.socket:
    """Return a socket that is connected and does not block. Raises OSError."""
    family, _, proto, _, address = found
    connection = socket.socket(family, socket.SOCK_STREAM, proto)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


@dataclass(frozen=True, slots=True)
class Dialler:
    """Opens connections by the rules."""

    rules: AddressRules
    resolve: Resolve = resolve
    connect: Connect = connect

    async def __call__(self, origin: Origin) -> socket.socket:
        """Return a connected socket that does not block.

        Addresses are tried in the resolver's order. The next one has its turn when one has failed,
        or has not answered for a quarter of a second; the first connection counts.

        Raises NotDialledError before anything was connected to, OSError after that.
        """
        if self.rules.forbids_host(origin.host, origin.port):
            raise BlockedError("the host is forbidden")
        try:
            found = await self.resolve(origin.host, origin.port)
        except (socket.gaierror, UnicodeError) as error:
            raise UnknownHostError("the name is not known") from error
        self._check(origin, found)
        return await _race([partial(self.connect, one) for one in found])

    def check_literal(self, origin: Origin) -> None:
        """Check a host that somebody else will resolve, as far as that can be done.

        Raises BlockedError.
        """
        if self.rules.forbids_host(origin.host, origin.port):
            raise BlockedError("the host is forbidden")
        try:
            found = socket.getaddrinfo(
                origin.host, origin.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        except (socket.gaierror, UnicodeError):
            return  # a name
        self._check(origin, found)

    def _check(self, origin: Origin, found: Iterable[Found]) -> None:
        for one in found:
            if not self.rules.permits(origin.host, _text_of(one), origin.port, origin.reach):
                raise BlockedError("an address is forbidden")


def _text_of(found: Found) -> str:
    """Return the IP address of what was found, with its zone; no address for other families."""
    family, *_, address = found
    match address:
        case (str(text), int(), int(), int(zone)) if family == socket.AF_INET6:
            return f"{text}%{zone}" if zone and "%" not in text else text
        case (str(text), int()) if family == socket.AF_INET:
            return text
        case _:
            return ""


async def _race(attempts: Iterable[_Attempt]) -> socket.socket:
    waiting, running = list(attempts), set[asyncio.Task[socket.socket]]()
    failure: BaseException = UnknownHostError("the name has no address")
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


def _close_unused(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
