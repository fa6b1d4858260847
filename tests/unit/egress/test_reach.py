"""What is connected to, over real sockets: canaries that nobody may touch, and what may be."""

import contextlib
import socket

import pytest

from tests.support.exchanges import fetched, refused
from tests.support.fake_upstream import FakeUpstream, head
from tests.support.local_hosts import LOCAL_HOSTS
from tests.support.reaching import (
    Canary,
    Rerouting,
    ScriptedResolver,
    dial_local,
    found,
    resolve_here,
    untouched,
)
from waystation.egress.addresses import AddressRules
from waystation.egress.client import Egress
from waystation.egress.connection import Origin
from waystation.egress.dialling import BlockedError, Dialler, Found
from waystation.wire.upstream_request import OPERATORS, Reach

USERS = Reach(is_users=True)
PUBLIC, OTHER_PUBLIC = "93.184.216.34", "2606:4700::1111"
RULES = AddressRules()


@pytest.mark.parametrize("host", LOCAL_HOSTS)
async def test_no_spelling_of_this_machine_is_reached(host):
    egress = Egress(dialler=Dialler(RULES, resolve_here))
    with untouched() as canary:
        near = frozenset({f"127.0.0.1:{canary.port + 1}", f"good.test:{canary.port}"})
        for scheme in ("http", "https"):
            for reach in (OPERATORS, USERS, Reach(False, near), Reach(True, near)):
                await refused(egress, f"{scheme}://{host}:{canary.port}/v1", reach)


@pytest.mark.parametrize("host", [host for host in LOCAL_HOSTS if "%" not in host])
async def test_no_spelling_that_the_resolver_reads_is_dialled_for_a_user(host):
    with untouched() as canary:
        origin = Origin(False, host.strip("[]"), canary.port, USERS)
        with contextlib.suppress(OSError):
            (await Dialler(RULES, resolve_here)(origin)).close()
            raise AssertionError(host)


async def test_a_name_is_resolved_once_and_only_what_was_checked_is_dialled(anyio_backend):
    resolver = ScriptedResolver(good_test=[[PUBLIC], ["127.0.0.1"]])
    with FakeUpstream() as upstream:
        upstream.answer(kept_ok())
        rerouting = Rerouting(int(upstream.address.rpartition(":")[2]))
        egress = Egress(dialler=Dialler(RULES, resolver, rerouting))
        assert await fetched(egress, "http://good.test/v1") == (200, b"Hello")
        assert (resolver.asked, rerouting.tried) == (["good.test"], [PUBLIC])
        await refused(egress, "http://good.test/v1", OPERATORS)
        assert (len(resolver.asked), rerouting.tried) == (2, [PUBLIC])


@pytest.mark.parametrize("reach", [OPERATORS, USERS], ids=["operator's", "user's"])
@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        [PUBLIC, OTHER_PUBLIC, "::ffff:127.0.0.1"],
        [OTHER_PUBLIC, "fe80::1%2"],
        ["2606:4700::1%1"],
        ["169.254.169.254"],
        [PUBLIC, "fd00:ec2::254"],
    ],
)
async def test_one_forbidden_address_is_enough(addresses, reach):
    rerouting = Rerouting(1)
    resolver = ScriptedResolver(good_test=[addresses])
    egress = Egress(dialler=Dialler(RULES, resolver, rerouting))
    await refused(egress, "https://good.test/v1", reach)
    assert (resolver.asked, rerouting.tried) == (["good.test"], [])


async def test_what_is_no_internet_address_is_not_dialled():
    async def resolve(host: str, port: int) -> list[Found]:
        return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", (1, b"/run/docker.sock"))]

    with pytest.raises(BlockedError):
        await Dialler(RULES, resolve)(Origin(False, "good.test", 80))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "[::1]", "localhost", "runtime.test"])
@pytest.mark.parametrize("is_users", [False, True], ids=["operator's", "user's"])
async def test_the_runtime_api_is_for_nobody_even_if_it_is_allowed(host, is_users):
    resolver = ScriptedResolver(
        runtime_test=[["127.0.0.1"]], localhost=[["::1"]], **{"127.0.0.1": [["127.0.0.1"]]},
        **{"127.0.0.2": [["127.0.0.2"]], "::1": [["::1"]]},
    )  # fmt: skip
    with untouched() as canary:
        rules = AddressRules(True, frozenset({f"127.0.0.1:{canary.port}"}))
        reach = Reach(is_users, frozenset({f"{host}:{canary.port}"}))
        egress = Egress(dialler=Dialler(rules, resolver))
        await refused(egress, f"http://{host}:{canary.port}/2018-06-01/", reach)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "169.254.170.2", "[fd00:ec2::23]", "2852039166"]
)
@pytest.mark.parametrize("is_users", [False, True], ids=["operator's", "user's"])
async def test_credentials_of_the_machine_are_for_nobody_even_if_they_are_allowed(host, is_users):
    rerouting = Rerouting(1)
    egress = Egress(dialler=Dialler(AddressRules(allows_loopback=True), connect=rerouting))
    reach = Reach(is_users, frozenset({f"{host}:80"}))
    await refused(egress, f"http://{host}/latest/meta-data/", reach)
    assert rerouting.tried == []


async def test_an_allowed_pair_is_connected_to_and_its_neighbour_is_not():
    egress = Egress()
    with FakeUpstream() as upstream, untouched() as canary:
        upstream.answer(kept_ok())
        allowed = frozenset({upstream.address})
        assert await fetched(egress, upstream.url, Reach(True, allowed)) == (200, b"Hello")
        assert await fetched(egress, upstream.url, Reach(False, allowed)) == (200, b"Hello")
        below = frozenset({f"127.0.0.1:{canary.port - 1}"})
        for is_users in (False, True):
            await refused(egress, f"http://127.0.0.1:{canary.port}/v1", Reach(is_users, below))
        await refused(egress, upstream.url, USERS)
        await refused(egress, upstream.url, OPERATORS)


async def test_a_name_may_be_allowed_to_have_a_forbidden_address():
    with Canary() as canary:
        resolver = ScriptedResolver(llm_internal=[["127.0.0.2"]])
        reach = Reach(True, frozenset({f"llm.internal:{canary.port}"}))
        origin = Origin(False, "llm.internal", canary.port, reach)
        with await Dialler(RULES, resolver)(origin) as connection:
            assert connection.getpeername() == ("127.0.0.2", canary.port)
    assert canary.connections == 1


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "100.64.0.1", "fd12::1", "64:ff9b::a01:203", PUBLIC]
)
async def test_operators_have_models_in_networks_of_their_own(address):
    with FakeUpstream() as upstream:
        upstream.answer(kept_ok())
        rerouting = Rerouting(int(upstream.address.rpartition(":")[2]))
        resolver = ScriptedResolver(llm_internal=[[address]])
        egress = Egress(dialler=Dialler(RULES, resolver, rerouting))
        assert await fetched(egress, "http://llm.internal:8080/v1") == (200, b"Hello")
        assert rerouting.tried == [address]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status):
    with FakeUpstream() as upstream, untouched() as canary:
        place = f"http://127.0.0.1:{canary.port}/"
        upstream.answer([head(status, [("location", place), ("content-length", "0")])])
        egress = Egress(dialler=dial_local)
        assert await fetched(egress, upstream.url) == (status, b"")


def kept_ok() -> list[bytes]:
    return [head(200, [("content-length", "5")]) + b"Hello"]


def test_resolvers_are_told_of_in_their_own_form():
    told = socket.getaddrinfo("::1", 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    assert found("::1", port=80) == [(*told[0][:2], socket.IPPROTO_TCP, "", told[0][4])]
