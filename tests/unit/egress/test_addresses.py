"""Which addresses are connected to, for whom: of each range the first, the last and any member."""

import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.egress.addresses import AddressRules, embedded, is_in, is_never, pair_of
from waystation.wire.upstream_request import Reach

FORBIDDEN = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
OPERATORS_TOO = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]
NEVER = ["169.254.0.0/16", "fd00:ec2::/32"]
PUBLIC = ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255"]
PUBLIC += ["172.32.0.0", "169.253.255.255", "169.255.0.0", "223.255.255.255", "192.0.1.0"]
PUBLIC += ["2606:4700::1111", "2600::", "2001:200::", "2003::", "3ffe::", "2a00:1450:4001::200e"]

# How an IPv4 address is written inside an IPv6 one, `a.b.c.d` being the address or its two words.
EMBEDDINGS = [
    "::a.b.c.d",
    "::ffff:a.b.c.d",
    "::ffff:0:a.b.c.d",
    "64:ff9b::a.b.c.d",
    "64:ff9b:1::a.b.c.d",
    "2002:a.b.c.d::1",
    "2001:0:a.b.c.d::1",
    "2600:1::5efe:a.b.c.d",
    "2600:1::200:5efe:a.b.c.d",
    "fe80::5efe:a.b.c.d",
]
RULES, USERS, OPERATORS = AddressRules(), Reach(is_users=True), Reach()

Network = IPv4Network | IPv6Network


def members(*ranges: str) -> st.SearchStrategy[str]:
    def of(network: Network) -> st.SearchStrategy[str]:
        first, last = int(network[0]), int(network[-1])
        kind = type(network[0])
        numbers = st.sampled_from([first, last]) | st.integers(first, last)
        return numbers.map(lambda number: str(kind(number)))

    return st.sampled_from(ranges).map(ip_network).flatmap(of)


def embed(form: str, address: str) -> str:
    number = int(IPv4Address(address))
    words = f"{number >> 16:x}:{number & 0xFFFF:x}"
    return str(IPv6Address(form.replace("a.b.c.d", words)))


def is_within(address: str, ranges: list[str]) -> bool:
    one = ip_address(address)
    return any(one in network for network in map(ip_network, ranges))


def permits(address: str, reach: Reach, *, rules: AddressRules = RULES, port: int = 443) -> bool:
    return rules.permits("a.test", address, port, reach)


@pytest.mark.parametrize("network", FORBIDDEN)
def test_both_ends_of_every_range_are_refused_to_users(network):
    ends = ip_network(network)
    assert not permits(str(ends[0]), USERS)
    assert not permits(str(ends[-1]), USERS)


@given(members(*FORBIDDEN))
def test_no_member_of_a_range_is_for_users(address):
    assert not permits(address, USERS)


@given(members(*FORBIDDEN))
def test_operators_may_use_private_networks_and_nothing_else_of_it(address):
    if is_within(address, ["64:ff9b::/96"]):
        inner = str(IPv4Address(int(ip_address(address)) & 0xFFFFFFFF))
        may = not is_within(inner, FORBIDDEN) or is_within(inner, OPERATORS_TOO)
    else:
        may = is_within(address, OPERATORS_TOO) and not is_within(address, NEVER)
    assert permits(address, OPERATORS) is may


@given(st.sampled_from(EMBEDDINGS), members(*[net for net in FORBIDDEN if "." in net]))
def test_no_spelling_inside_an_ipv6_address_is_for_users(form, address):
    assert not permits(embed(form, address), USERS)


@pytest.mark.parametrize("form", EMBEDDINGS)
def test_what_is_embedded_is_found(form):
    inside = embedded(IPv6Address(embed(form, "169.254.169.254")))
    assert IPv4Address("169.254.169.254") in inside


def test_teredo_hides_its_client_by_inverting_it():
    hidden = ~int(IPv4Address("169.254.169.254")) & 0xFFFFFFFF
    teredo = str(IPv6Address((0x2001_0000 << 96) | hidden))
    assert not permits(teredo, Reach(allowed=frozenset({f"[{teredo}]:443"})))


def test_translators_of_one_network_read_around_the_middle():
    within = "64:ff9b:1:a9fe:a9:fe00::"  # RFC 6052: 16 bits, 8 of nothing, 16 bits
    assert IPv4Address("169.254.169.254") in embedded(IPv6Address(within))


@given(members(*NEVER), st.booleans(), st.sampled_from([*EMBEDDINGS, None]))
def test_no_entry_allows_what_is_never_allowed(address, is_users, form):
    if form and "." in address:
        address = embed(form, address)
    allowed = frozenset({pair_of(address, 443), "a.test:443"})
    reach = Reach(is_users, allowed)
    assert not permits(address, reach, rules=AddressRules(allows_loopback=True))
    assert is_never(address)


@given(members(*FORBIDDEN), st.booleans(), st.booleans())
def test_an_entry_allows_the_rest_for_its_port_alone(address, is_users, is_by_name):
    written = "a.test:443" if is_by_name else pair_of(address, 443)
    reach = Reach(is_users, frozenset({written}))
    assert permits(address, reach) is not is_never(address)
    for port in (442, 444, 80):
        as_without = permits(address, Reach(is_users), port=port)
        assert permits(address, reach, port=port) is as_without


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_for_everybody(address):
    assert permits(address, USERS)
    assert permits(address, OPERATORS)


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1%2", "2606:4700::1%3", "fd00::1%1"])
def test_a_zone_is_refused(address):
    assert not permits(address, USERS)
    assert not permits(address, OPERATORS)


@pytest.mark.parametrize(
    "address", ["", "a.test", "127.1", "0177.0.0.1", "1.1.1.1\n", "\uff11.1.1.1"]
)
def test_what_is_no_address_is_refused(address):
    assert not permits(address, USERS)
    assert not permits(address, Reach(allowed=frozenset({"a.test:443"})))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.255.255.255", "::1"])
def test_loopback_is_for_developers_and_never_for_users(address):
    on_this_machine = AddressRules(allows_loopback=True)
    assert permits(address, OPERATORS, rules=on_this_machine)
    assert not permits(address, OPERATORS)
    assert not permits(address, USERS, rules=on_this_machine)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_other_ways_to_this_machine_are_for_nobody(address):
    assert not permits(address, OPERATORS, rules=AddressRules(allows_loopback=True))


SANDBOX = AddressRules(True, frozenset({"127.0.0.1:9001", "10.0.0.9:2000", "collector:4318"}))


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("127.0.0.1", 9001),
        ("127.0.0.2", 9001),
        ("0.0.0.0", 9001),
        ("::1", 9001),
        ("::ffff:127.0.0.1", 9001),
        ("64:ff9b::7f00:1", 9001),
        ("127.0.0.1", 4318),
        ("10.0.0.9", 2000),
        ("64:ff9b::a00:9", 2000),
    ],
)
def test_what_listens_in_the_sandbox_is_for_nobody(address, port):
    allowed = frozenset({pair_of(address, port), f"a.test:{port}"})
    for reach in (Reach(False, allowed), Reach(True, allowed)):
        assert not permits(address, reach, rules=SANDBOX, port=port)
        assert permits(address, reach, rules=AddressRules(), port=port)


@pytest.mark.parametrize(
    ("host", "port"),
    [("sandbox.localdomain", 443), ("SANDBOX.localdomain.", 80), ("Collector", 4318)],
)
def test_names_of_the_sandbox_are_known_before_they_are_resolved(host, port):
    assert SANDBOX.forbids_host(host, port)


def test_other_names_and_ports_are_not_the_sandbox():
    assert not SANDBOX.forbids_host("collector", 4319)
    assert not SANDBOX.forbids_host("a.test", 4318)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("LLM.test:80", "llm.TEST"),
        ("llm.test:80", "llm.test."),
        ("[0:0::1]:80", "::1"),
        ("[::1]:080", "0:0:0:0:0:0:0:1"),
        ("a_b:80", "a_b"),
    ],
)
def test_pairs_are_the_same_however_they_are_written(written, host):
    assert is_in({written}, host, 80)
    assert not is_in({written}, host, 81)


@pytest.mark.parametrize("host", ["127.0.0.2", "127.1", "1", "xllm.test", "llm.test.evil.test"])
def test_pairs_are_exact(host):
    assert not is_in({"127.0.0.1:80", "llm.test:80"}, host, 80)


SPELLINGS = [
    "127.1",
    "0x7f.1",
    "0177.1",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "127.0.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.01",
    "0",
    "0.0",
    "0x0",
    "169.254.43518",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "2002:7f00:1::",
    "0:0:0:0:0:0:0:1",
    "fd00:ec2::254",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_that_the_resolver_reads_is_refused(text):
    for *_, address in socket.getaddrinfo(text, 443, type=socket.SOCK_STREAM):
        assert re.fullmatch(r"[0-9a-f.:]+", str(address[0]))
        assert not RULES.permits(text, str(address[0]), 443, USERS)
        assert not RULES.permits(text, str(address[0]), 443, OPERATORS)
