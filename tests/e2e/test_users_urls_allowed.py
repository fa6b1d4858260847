"""URLs of users that the operator allows: what they are sent, and what becomes of a failure."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.fake_upstream import FakeUpstream, completion, json_reply, reply
from tests.support.reaching import ScriptedResolver, dial_local, found, untouched
from tests.support.served_gateway import ServedGateway, free_port
from tests.support.users_urls import (
    OPERATORS_KEY,
    OPERATORS_SECRETS,
    SAID,
    USERS_KEY,
    WAYS,
    Way,
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
from waystation.egress.dialling import Dialler, Found, connect, resolve

EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def serve(directory: Path, *allowed: str, egress: Egress | None = None) -> ServedGateway:
    return ServedGateway(users_urls_config(*allowed), directory, egress, **OPERATORS_SECRETS)


@EVERY_WAY
def test_an_exact_pair_is_reached_and_its_neighbour_is_not(
    tmp_path: Path, upstream: FakeUpstream, way: Way
) -> None:
    upstream.answer(answer_any)
    host, _, port = upstream.address.rpartition(":")
    with untouched() as canary, serve(tmp_path, upstream.address) as served:
        for near in (
            f"{host}:{int(port) + 1}",
            f"{host}:{canary.port}",
            f"127.0.0.2:{port}",
            f"localhost:{port}",
            f"[::1]:{port}",
            f"{host}.:{port}",
            f"127.1:{port}",
            f"{host}:0{port}",
        ):
            assert way(served, f"http://{near}/v1").status_code == 400
        assert upstream.received == []
        expect_no_charge(served)

        assert way(served, upstream.url).status_code == 200
        expect_nothing_of_others(upstream)
        assert len(blocked(served)) == 8
        expect_quiet_log(served, "localhost")


@EVERY_WAY
def test_no_redirect_is_followed_or_told(tmp_path: Path, upstream: FakeUpstream, way: Way) -> None:
    with untouched() as canary, serve(tmp_path, upstream.address) as served:
        places = [f"http://127.0.0.{n}:{canary.port}/v1/canary" for n in (1, 2)]
        places += [places[0].removeprefix("http:"), "/v1/canary", f"{upstream.url}/canary"]
        for status, place in zip((301, 302, 303, 307, 308), places, strict=True):
            upstream.answer(reply(b"canary", status=status, headers=[("location", place)]))
            answer = way(served, upstream.url)
            assert answer.status_code == 502
            assert "redirect, which is not followed" in answer.text
            assert "canary" not in answer.text + str(answer.headers)
        assert len(upstream.received) == 5
        expect_no_charge(served)
        expect_quiet_log(served)


SLOW, RESETTING, UNROUTED = "93.184.216.1", "93.184.216.2", "93.184.216.3"
FAULTS = {
    SLOW: TimeoutError(),
    RESETTING: ConnectionResetError(),
    UNROUTED: OSError(113, "No route to host"),
}


async def fail_to_connect(one: Found) -> socket.socket:
    address = str(one[-1][0])
    if address in FAULTS:
        raise FAULTS[address]
    return await connect(one)


async def resolve_names(host: str, port: int) -> Sequence[Found]:
    names = {"slow.test": SLOW, "resetting.test": RESETTING, "unrouted.test": UNROUTED}
    return found(names[host], port=port) if host in names else await resolve(host, port)


@EVERY_WAY
def test_all_failures_to_connect_are_told_alike(
    tmp_path: Path, upstream: FakeUpstream, way: Way
) -> None:
    closed = f"127.0.0.1:{free_port()}"
    egress = Egress(dialler=Dialler(AddressRules(), resolve_names, fail_to_connect))
    with serve(tmp_path, upstream.address, closed, egress=egress) as served:
        urls = [f"https://{name}.test/v1" for name in ("slow", "resetting", "unrouted")]
        urls += [f"http://{closed}/v1", f"https://{upstream.address}/v1"]
        answers = {told(way(served, url)) for url in urls}

        ((status, text),) = answers
        assert (status, "The upstream cannot be reached." in text) == (502, True)
        assert upstream.received == []
        expect_no_charge(served)
        expect_quiet_log(served, ".test", "93.184", closed)


@EVERY_WAY
def test_what_is_no_answer_is_shown_to_nobody(
    tmp_path: Path, upstream: FakeUpstream, way: Way
) -> None:
    page = "canary-of-an-inner-page"
    with serve(tmp_path, upstream.address) as served:
        for answer in (
            reply(f"<html>{page}</html>".encode(), content_type="text/html"),
            json_reply({"Code": "Success", "SecretAccessKey": page}),
            [f"SSH-2.0-{page}\r\n\r\n".encode()],
        ):
            upstream.answer(answer)
            shown = way(served, upstream.url)
            assert shown.status_code == 502
            assert page not in shown.text + str(shown.headers)
        expect_quiet_log(served)


@EVERY_WAY
def test_no_users_url_goes_through_the_proxy(
    tmp_path: Path, upstream: FakeUpstream, way: Way
) -> None:
    upstream.answer(answer_any)
    with FakeUpstream() as proxy:
        proxy.answer(json_reply(completion()))
        egress = Egress(proxy=f"http://{proxy.address}", dialler=dial_local)
        with serve(tmp_path, upstream.address, egress=egress) as served:
            assert way(served, upstream.url).status_code == 200
            assert way(served, "https://127.0.0.2/v1").status_code == 400
            assert proxy.received == []
            expect_nothing_of_others(upstream)

            assert served.chat(model="m", endpoint="Plain", messages=SAID).status_code == 200
            (request,) = proxy.received
            assert OPERATORS_KEY.encode() in request.raw


def test_list_of_a_users_url_is_asked_for_as_the_user(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    upstream.answer(answer_any)
    resolver = ScriptedResolver()
    egress = Egress(proxy="http://127.0.0.1:9", dialler=Dialler(AddressRules(), resolver, connect))
    with serve(tmp_path, upstream.address, egress=egress) as served:
        put_url(served, "Listed", upstream.url)
        assert served.client.get("/api/models").json()["Listed"] == ["of-the-entry"]
    with serve(tmp_path, upstream.address) as served:
        put_url(served, "Listed", upstream.url)
        assert served.client.get("/api/models").json()["Listed"] == ["of-the-upstream"]
        assert upstream.last.header("authorization") == [f"Bearer {USERS_KEY}"]
        expect_nothing_of_others(upstream)
        place = f"http://{upstream.address}/elsewhere"
        upstream.answer(reply(status=302, headers=[("location", place)]))
        put_url(served, "Listed", f"{upstream.url}/again")
        assert served.client.get("/api/models").json()["Listed"] == ["of-the-entry"]
        assert upstream.last.path == "/v1/again/models"
        expect_quiet_log(served, "elsewhere")
