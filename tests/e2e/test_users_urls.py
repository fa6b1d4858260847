"""URLs that users bring, by every way: canaries on this machine are never touched."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.support.certificates import self_signed
from tests.support.fake_upstream import FakeUpstream, json_reply
from tests.support.local_hosts import LOCAL_HOSTS
from tests.support.reaching import Rerouting, ScriptedResolver, resolve_here, untouched
from tests.support.served_gateway import ServedGateway, expect_error
from tests.support.users_urls import (
    OPERATORS_SECRETS,
    WAYS,
    answer_any,
    blocked,
    expect_no_charge,
    expect_nothing_of_others,
    expect_quiet_log,
    put_url,
    told,
    users_urls_config,
)
from waystation.egress.addresses import AddressRules
from waystation.egress.client import Egress
from waystation.egress.dialling import Dialler, Found, Resolve

DEV = AddressRules(allows_loopback=True)
PUBLIC = "93.184.216.34"
NO_URLS = (
    *("https://", "ftp://a.test", "https://u:p@a.test", "https://a.test:8443/v1"),
    *("http://a.test/v1", "https://a.test/#x", "https://a", "https://a.test\\@b.test"),
    *("https://a.test./v1", "https://a.test/\u00e9"),
)

Serve: TypeAlias = Callable[..., ServedGateway]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve a file that users may bring these pairs to, with what sends to upstreams."""
    entered: list[ServedGateway] = []

    def make(*allowed: str, egress: Egress, **options: str) -> ServedGateway:
        config = users_urls_config(*allowed, **options)
        served = ServedGateway(config, tmp_path, egress, **OPERATORS_SECRETS)
        entered.append(served.__enter__())
        return served

    yield make
    for served in entered:
        served.__exit__()


@pytest.mark.parametrize("way", WAYS)
def test_no_spelling_of_this_machine_is_reached(serve: Serve, way: str) -> None:
    with untouched() as canary:
        near = (f"127.0.0.1:{canary.port + 1}", f"good.test:{canary.port}")
        served = serve(*near, egress=Egress(dialler=Dialler(DEV, resolve_here)))
        urls = [
            f"{scheme}://{host}{port}/v1"
            for host in LOCAL_HOSTS
            for scheme, port in (("http", f":{canary.port}"), ("https", ""))
        ]
        urls += [*NO_URLS, f"https://{'x' * 3000}.test"]
        urls = [url for url in urls if way == "stored" or url.isascii()]
        answers = [told(WAYS[way](served, url)) for url in urls]

        assert {status for status, _ in answers} == {400}
        assert len(set(answers)) == 1
        assert '"invalid_base_url"' in answers[0][1] or way in {
            "messages",
            "native messages",
            "count",
        }
        assert len(blocked(served)) == len(urls)
        assert served.records() == []
        expect_quiet_log(served, "good.test", "localhost", "a.test")


@pytest.mark.parametrize("way", WAYS)
def test_no_name_leads_inside_whatever_it_led_to_before(
    serve: Serve, tmp_path: Path, way: str
) -> None:
    context, bundle = self_signed(tmp_path, host="rebind.test")
    resolver = ScriptedResolver(
        rebind_test=[[PUBLIC], ["127.0.0.1"]],
        second_test=[["127.0.0.2"]],
        mixed_test=[[PUBLIC, "127.0.0.2"]],
        six_test=[["::1"]],
        mapped_test=[["::ffff:127.0.0.1"]],
        nat_test=[["64:ff9b::7f00:1"]],
        inside_test=[["10.0.0.5"]],
        metadata_test=[["169.254.169.254"]],
        metadata6_test=[["fd00:ec2::254"]],
        scoped_test=[["fe80::1%3"]],
    )
    names = "rebind second mixed six mapped nat inside metadata metadata6 scoped unknown"
    with FakeUpstream(tls=context) as upstream:
        upstream.answer(answer_any)
        rerouting = Rerouting(int(upstream.address.rpartition(":")[2]))
        dialler = Dialler(AddressRules(), resolver, rerouting)
        served = serve(egress=Egress(ca_bundle=str(bundle), dialler=dialler))
        bad_syntax = told(WAYS[way](served, "https://127.0.0.1/v1"))
        assert WAYS[way](served, "https://rebind.test/v1").status_code == 200
        assert (resolver.asked, rerouting.tried) == (["rebind.test"], [PUBLIC])
        answers = [told(WAYS[way](served, f"https://{name}.test/v1")) for name in names.split()]

        assert set(answers) == {bad_syntax}
        assert bad_syntax[0] == 400
        assert resolver.asked == ["rebind.test", *(f"{name}.test" for name in names.split())]
        assert (rerouting.tried, len(upstream.received)) == ([PUBLIC], 1)
        expect_nothing_of_others(upstream)
        expect_quiet_log(served, ".test")
        assert all(line["is_users"] and line["request_id"] for line in blocked(served))
        paid = [record for record in served.records() if record["state"] != "RELEASED"]
        assert len(paid) == (0 if way == "count" else 1)


@pytest.mark.parametrize("way", WAYS)
def test_what_serves_this_process_alone_is_not_reached_even_if_it_is_allowed(
    serve: Serve, way: str
) -> None:
    with untouched() as canary:
        own = f"127.0.0.1:{canary.port}"
        others = (f"127.0.0.2:{canary.port}", f"[::1]:{canary.port}", f"a.test:{canary.port}")
        metadata = ("169.254.169.254:80", "[fd00:ec2::254]:80")
        resolver = ScriptedResolver(a_test=[["127.0.0.1"]])
        rules = AddressRules(allows_loopback=True, never=frozenset({own}))
        served = serve(
            own, *others, *metadata, egress=Egress(dialler=Dialler(rules, _either(resolver)))
        )
        for pair in (own, *others, *metadata):
            answer = WAYS[way](served, f"http://{pair}/v1")
            assert answer.status_code == 400
        expect_no_charge(served)


def _either(resolver: ScriptedResolver) -> Resolve:
    async def resolve(host: str, port: int) -> Sequence[Found]:
        return await (resolver(host, port) if host == "a.test" else resolve_here(host, port))

    return resolve


@pytest.mark.parametrize("url", ["https://second.test/v1", "http://127.0.0.1:{port}/v1"])
def test_list_of_a_users_url_leads_nowhere_either(serve: Serve, url: str) -> None:
    resolver = ScriptedResolver(second_test=[["127.0.0.2"]])
    with untouched() as canary:
        rerouting = Rerouting(canary.port)
        served = serve(egress=Egress(dialler=Dialler(DEV, resolver, rerouting)))
        stored = put_url(served, "Listed", url.format(port=canary.port))
        models = served.client.get("/v1/models").json()["data"]
        names = served.client.get("/api/models").json()

        assert stored.status_code == (200 if "second" in url else 400)
        assert "Listed/of-the-entry" in [model["id"] for model in models]
        assert names["Listed"] == ["of-the-entry"]
        assert rerouting.tried == []
        assert len(blocked(served)) == 1
        expect_quiet_log(served, ".test")


def test_second_try_leads_inside_no_more_than_the_first(serve: Serve, tmp_path: Path) -> None:
    context, bundle = self_signed(tmp_path, host="rebind.test")
    resolver = ScriptedResolver(rebind_test=[[PUBLIC], ["127.0.0.1"]])
    with FakeUpstream(tls=context) as upstream:
        upstream.answer(json_reply({"error": {"message": "stream_options?"}}, status=400))
        rerouting = Rerouting(int(upstream.address.rpartition(":")[2]))
        dialler = Dialler(DEV, resolver, rerouting)
        served = serve(egress=Egress(ca_bundle=str(bundle), dialler=dialler))

        answer = WAYS["stream"](served, "https://rebind.test/v1")

        expect_error(answer, 400, "invalid_base_url")
        assert (len(resolver.asked), rerouting.tried) == (2, [PUBLIC])
        assert len(upstream.received) == 1
        expect_no_charge(served)
