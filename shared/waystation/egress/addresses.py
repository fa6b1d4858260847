"""Which addresses may be connected to, and for whom. Pure: nothing is resolved.

The networks are listed one by one: what Python calls a global address differs between its releases.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from waystation.wire.upstream_request import Reach

Address: TypeAlias = IPv4Address | IPv6Address
Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]


def _networks(text: str) -> Networks:
    return tuple(map(ip_network, text.split()))


# Source: https://www.iana.org/assignments/iana-ipv4-special-registry and
# https://www.iana.org/assignments/iana-ipv6-special-registry, 2026-11
NOT_PUBLIC = _networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
    "192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 "
    "224.0.0.0/4 240.0.0.0/4 "
    "::/128 ::1/128 ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 "
    "2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8"
)
"""What a user's URL never leads to without an entry in `endpoints.allowedAddresses`."""

PRIVATE = _networks("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7")
"""What an operator's URL may lead to all the same: models in a network of their own."""

NEVER = _networks("169.254.0.0/16 fd00:ec2::/32")
"""Where AWS hands out credentials: no entry allows it."""

NEVER_NAMED = frozenset({"sandbox.localdomain"})
"""Names of the Lambda sandbox itself."""

_LOOPBACK = _networks("127.0.0.0/8 ::1/128")
_THIS_MACHINE = (*_LOOPBACK, *_networks("0.0.0.0/8 ::/128"))
_NAT64 = IPv6Network("64:ff9b::/96")
_LOW_32_BITS = (
    *map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b:1::/48")),
    _NAT64,
)
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
_32_BITS = 0xFFFF_FFFF


def pair_of(host: str, port: int) -> str:
    """Return `host:port` in the one form that pairs are compared in."""
    address = _parse(host)
    name = host.lower().removesuffix(".") if address is None else str(address)
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def is_in(pairs: Iterable[str], host: str, port: int) -> bool:
    """Tell whether `pairs`, as an operator writes them, hold this host and port."""
    wanted = pair_of(host, port)
    return any(_split(pair) == wanted for pair in pairs)


def is_never(host: str) -> bool:
    """Tell whether a host, by its name or literal address, is one that no entry allows."""
    if host.lower().rstrip(".") in NEVER_NAMED:
        return True
    address = _parse(host)
    return address is not None and _is_any_in(_with_embedded(address), NEVER)


def embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses that a relay or translator would read in an IPv6 address."""
    bits = int(address)
    if any(address in network for network in _LOW_32_BITS) or (bits >> 32) & _32_BITS in _ISATAP:
        yield IPv4Address(bits & _32_BITS)
    if address in _LOCAL_NAT64:  # Source: https://www.rfc-editor.org/rfc/rfc6052#section-2.2
        yield IPv4Address((bits >> 64 & 0xFFFF) << 16 | bits >> 40 & 0xFFFF)
    if address in _SIX_TO_FOUR:
        yield IPv4Address(bits >> 80 & _32_BITS)
    if address in _TEREDO:
        yield IPv4Address(bits >> 64 & _32_BITS)
        yield IPv4Address(~bits & _32_BITS)


@dataclass(frozen=True, slots=True)
class AddressRules:
    """The rules of one process.

    `never` holds `host:port` pairs that nobody may reach: what listens in the Lambda sandbox. One
    on this machine stands for its port on all of the machine's own addresses. With
    `allows_loopback`, operators' URLs may lead to this machine.
    """

    allows_loopback: bool = False
    never: frozenset[str] = frozenset()

    def forbids_host(self, host: str, port: int) -> bool:
        """Tell, before anything is resolved, that a host is one nobody may reach."""
        return is_never(host) or is_in(self.never, host, port)

    def permits(self, host: str, address: str, port: int, reach: Reach) -> bool:
        """Tell whether `host`, resolved to `address`, may be connected to.

        `address` is an IP address as the resolver writes it, an IPv6 one with its zone if it has
        one (`fe80::1%eth0`); anything else is refused.
        """
        found = _parse(address)
        if found is None or self._is_forbidden(found, port):
            return False
        if is_in(reach.allowed, host, port) or is_in(reach.allowed, address, port):
            return True
        if isinstance(found, IPv6Address) and found.scope_id is not None:
            return False
        if reach.is_users:
            return _is_public(found)
        return _is_for_operators(found) or (self.allows_loopback and _is_in(found, _LOOPBACK))

    def _is_forbidden(self, address: Address, port: int) -> bool:
        meant = _with_embedded(address)
        if _is_any_in(meant, NEVER) or any(is_in(self.never, str(one), port) for one in meant):
            return True
        return _is_any_in(meant, _THIS_MACHINE) and port in self._local_ports()

    def _local_ports(self) -> Iterator[int]:
        for pair in self.never:
            host, _, port = pair.rpartition(":")
            address = _parse(host.strip("[]"))
            if address is None or _is_in(address, _THIS_MACHINE):
                yield int(port)


def _is_public(address: Address) -> bool:
    return not _is_any_in(_with_embedded(address), NOT_PUBLIC)


def _is_for_operators(address: Address) -> bool:
    if address in _NAT64:
        address = IPv4Address(int(address) & _32_BITS)
    return _is_in(address, PRIVATE) or _is_public(address)


def _with_embedded(address: Address) -> tuple[Address, ...]:
    return (address, *embedded(address)) if isinstance(address, IPv6Address) else (address,)


def _is_any_in(addresses: Iterable[Address], networks: Networks) -> bool:
    return any(_is_in(address, networks) for address in addresses)


def _is_in(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)


def _parse(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _split(pair: str) -> str:
    host, _, port = pair.rpartition(":")
    return pair_of(host.removeprefix("[").removesuffix("]"), int(port))
