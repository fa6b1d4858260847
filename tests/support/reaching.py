"""What tests may reach: this machine, by flag or by name; and resolvers and connections they rule.

A canary is a listener that nothing may connect to.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

from waystation.egress.addresses import AddressRules
from waystation.egress.dialling import Dialler, Found, SocketAddress, connect

LOOPBACK = AddressRules(allows_loopback=True)
"""The rules of a gateway on a developer's machine."""

dial_local = Dialler(LOOPBACK)


def found(*addresses: str, port: int = 443) -> list[Found]:
    """Return addresses as a resolver tells them; `fe80::1%3` has the zone 3."""
    return [_found(address, port) for address in addresses]


def _found(text: str, port: int) -> Found:
    bare, _, zone = text.partition("%")
    is_v6 = ":" in text
    family = socket.AF_INET6 if is_v6 else socket.AF_INET
    address: SocketAddress = (bare, port, 0, int(zone or 0)) if is_v6 else (bare, port)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address


class ScriptedResolver:
    """Answers each question with the next list of addresses, the last one for ever.

    Counts by name, whether it is asked in text or in bytes. Names it does not know do not exist.
    """

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(lists) for name, lists in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str | bytes, port: int) -> list[Found]:
        name = host.decode("ascii") if isinstance(host, bytes) else host
        self.asked.append(name)
        await asyncio.sleep(0)
        lists = self._answers.get(name)
        if not lists:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return found(*(lists.pop(0) if len(lists) > 1 else lists[0]), port=port)


async def resolve_here(host: str, port: int) -> Sequence[Found]:
    """Read every spelling of an address that the real resolver reads, and ask no server."""
    if host.lower().rstrip(".") in {"localhost", "ip6-localhost"}:
        return found("127.0.0.1", "::1", port=port)
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)


class Canary:
    """Listens on one port of several of this machine's addresses; counts at its end who came."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0
        self._listeners: list[socket.socket] = []

    def __enter__(self) -> "Canary":
        for family, address in (
            (socket.AF_INET, "127.0.0.1"),
            (socket.AF_INET, "127.0.0.2"),
            (socket.AF_INET6, "::1"),
        ):
            listener = socket.create_server((address, self.port), family=family)
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            self._listeners.append(listener)
        return self

    def __exit__(self, *_: object) -> None:
        for listener in self._listeners:
            with listener, contextlib.suppress(BlockingIOError):
                while True:  # until nobody waits any more
                    listener.accept()[0].close()
                    self.connections += 1


@contextlib.contextmanager
def untouched() -> Iterator[Canary]:
    """Give a canary, and expect that nothing has connected to it in the end."""
    with Canary() as canary:
        yield canary
    assert canary.connections == 0


class Rerouting:
    """Connects to one port of this machine in place of whatever address it is given."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.tried: list[str] = []

    async def __call__(self, one: Found) -> socket.socket:
        self.tried.append(str(one[-1][0]))
        return await connect(found("127.0.0.1", port=self._port)[0])
