"""Users' upstreams over TLS: the name counts, and a refusal does not tell its reason."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import self_signed
from tests.support.exchanges import fetched, kept, refused
from tests.support.fake_upstream import FakeUpstream
from tests.support.reaching import Rerouting, ScriptedResolver
from tests.support.served_gateway import free_port
from waystation.egress.addresses import AddressRules
from waystation.egress.client import Egress
from waystation.egress.dialling import Dialler
from waystation.errors import InvalidBaseUrlError, UpstreamUnreachableError
from waystation.wire.upstream_request import Reach

PUBLIC = "93.184.216.34"
RULES, USERS = AddressRules(), Reach(is_users=True)


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[FakeUpstream, Path, list[str | None]]]:
    context, bundle = self_signed(tmp_path, host="good.test")
    named: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    with FakeUpstream(keeps_connections=True, tls=context) as upstream:
        upstream.answer([kept()])
        yield upstream, bundle, named


def egress_to(
    upstream: FakeUpstream, bundle: Path, resolver: ScriptedResolver
) -> tuple[Egress, Rerouting]:
    rerouting = Rerouting(int(upstream.address.rpartition(":")[2]))
    dialler = Dialler(RULES, resolver, rerouting)
    return Egress(ca_bundle=str(bundle), dialler=dialler), rerouting


async def test_host_sni_and_certificate_keep_the_name(encrypted):
    upstream, bundle, named = encrypted
    resolver = ScriptedResolver(good_test=[[PUBLIC]], other_test=[[PUBLIC]])
    egress, rerouting = egress_to(upstream, bundle, resolver)
    assert await fetched(egress, "https://GOOD.test/v1", USERS) == (200, b"Hello")
    assert (rerouting.tried, named) == ([PUBLIC], ["good.test"])
    assert upstream.last.header("host") == ["good.test"]
    with pytest.raises(UpstreamUnreachableError):
        await fetched(egress, "https://other.test/v1", USERS)
    await egress._transport_of_this_loop().aclose()


async def test_a_connection_serves_only_the_reach_it_was_dialled_for(encrypted):
    upstream, bundle, _ = encrypted
    resolver = ScriptedResolver(good_test=[["10.0.0.5"]])
    egress, rerouting = egress_to(upstream, bundle, resolver)
    for _ in range(2):
        assert await fetched(egress, "https://good.test/v1") == (200, b"Hello")
    await refused(egress, "https://good.test/v1", USERS)
    listed = frozenset({"10.0.0.5:443"})
    for _ in range(2):
        assert await fetched(egress, "https://good.test/v1", Reach(True, listed)) == (200, b"Hello")
    assert upstream.connections == 2
    assert rerouting.tried == ["10.0.0.5"] * 2
    await egress._transport_of_this_loop().aclose()


async def test_reasons_to_refuse_a_users_url_look_the_same(encrypted):
    upstream, bundle, _ = encrypted
    resolver = ScriptedResolver(blocked_test=[["10.0.0.1"]], good_test=[[PUBLIC]])
    egress, rerouting = egress_to(upstream, bundle, resolver)
    urls = ["https://blocked.test", "https://unknown.test", "https://good.test:8443", "nonsense"]
    told = [(await refused(egress, url, USERS)).to_envelope() for url in urls]
    assert told == [InvalidBaseUrlError().to_envelope()] * 4
    assert rerouting.tried == []
    assert upstream.received == []


async def test_reasons_not_to_reach_a_users_url_look_the_same(tmp_path):
    async def slam(_: object, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    context, bundle = self_signed(tmp_path, host="another.test")
    slamming = await asyncio.start_server(slam, "127.0.0.1", 0)
    told = []
    with FakeUpstream(tls=context) as other_name, FakeUpstream() as plain:
        slammed = slamming.sockets[0].getsockname()[1]
        for port in (free_port(), port_of(other_name), port_of(plain), slammed):
            resolver = ScriptedResolver(good_test=[[PUBLIC]])
            egress = Egress(
                ca_bundle=str(bundle), dialler=Dialler(RULES, resolver, Rerouting(port))
            )
            with pytest.raises(UpstreamUnreachableError) as caught:
                await fetched(egress, "https://good.test", USERS)
            told.append(caught.value.to_envelope())
    slamming.close()
    assert told == [told[0]] * 4
    assert PUBLIC not in str(told)


def port_of(upstream: FakeUpstream) -> int:
    return int(upstream.address.rpartition(":")[2])
