"""How a gateway knows a request that it has sent itself. Pure.

It names itself in `Via`, as `1.1 <name>`, and in `User-Agent`, as `waystation/<name>`: what stands
between may drop or rename the first, as API Gateway does with some headers.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html,
2026-11.
"""

from collections.abc import Iterable, Iterator

VIA, USER_AGENT = "via", "user-agent"


def via_of(name: str) -> str:
    """Return the `Via` of the requests of a gateway."""
    return f"1.1 {name}"


def user_agent_of(name: str) -> str:
    """Return the `User-Agent` of the requests of a gateway."""
    return f"waystation/{name}"


def is_own(headers: Iterable[tuple[bytes, bytes]], name: str) -> bool:
    """Tell whether a request with these headers was sent by the gateway of that name."""
    via, agent = name.lower(), user_agent_of(name).lower()
    for key, value in headers:
        text = value.decode("latin-1").lower()
        match key.lower():
            case b"via" if via in _hops(text):
                return True
            case b"user-agent" if agent in text.replace(",", " ").split():
                return True
    return False


def _hops(via: str) -> Iterator[str]:
    """Yield whom a request has come through: `1.1 <name> (comment), …`."""
    for hop in via.split(","):
        yield from hop.split()[1:2]
