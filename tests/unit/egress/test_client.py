"""The HTTP client: what it sends, what it refuses, and how its errors are told."""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Iterator

import httpx2
import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter as LogFormatter

from tests.support.exchanges import fetched, refused
from tests.support.fake_upstream import FakeUpstream, reply
from tests.support.logs import kept_lines
from tests.support.reaching import ScriptedResolver, dial_local
from waystation.egress.addresses import AddressRules
from waystation.egress.client import Egress, UpstreamResponse, _translate
from waystation.egress.deadlines import Deadline
from waystation.egress.dialling import Dialler, Found
from waystation.errors import (
    ResponseTooLargeError,
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from waystation.wire.upstream_request import OPERATORS, Reach, UpstreamRequest


def respond(content: bytes = b"", **headers: str) -> UpstreamResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    stream = httpx2.ByteStream(content)
    return UpstreamResponse(httpx2.Response(200, headers=names, stream=stream))


async def test_body_is_read_within_its_limit():
    assert await respond(b"abc").read(3) == b"abc"


async def test_body_beyond_its_limit_is_refused():
    with pytest.raises(ResponseTooLargeError):
        await respond(b"abcd").read(3)


async def test_compressed_answer_is_refused():
    with pytest.raises(UpstreamInvalidResponseError) as caught:
        await respond(b"x", content_encoding="gzip").read(3)
    assert caught.value.message == "The upstream's answer is compressed unasked."


async def test_body_comes_in_pieces_until_there_are_none():
    response = respond(b"abc")
    assert [await response.receive(), await response.receive()] == [b"abc", b""]


async def test_identity_is_no_compression():
    assert await respond(b"x", content_encoding="Identity").read(3) == b"x"


@pytest.mark.parametrize(
    ("content_type", "media_type"),
    [
        ("application/json", "application/json"),
        ("Text/Event-Stream; charset=utf-8", "text/event-stream"),
        ("", ""),
    ],
)
def test_media_type_is_bare_and_in_lower_case(content_type, media_type):
    assert respond(content_type=content_type).media_type == media_type


URLS = [
    "https://é_.test/",
    "https://a\x7f.test/",
    "ftp://a.test/x",
    "https:///x",
    f"http://{'a' * 64}.test/",
    "http://127.0.0.1:1/",
]


@pytest.mark.parametrize("url", URLS)
async def test_url_that_cannot_be_asked_is_unreachable(url):
    await not_sent(UpstreamRequest(url, (), b""))


@pytest.mark.parametrize(
    "request_",
    [
        UpstreamRequest("http://a.test/", (("x", "1\r\ny: 2"),), b""),
        UpstreamRequest("http://a.test/", (("x", "1\n"),), b""),
        UpstreamRequest("http://a.test/", (("x", "\0"),), b""),
        UpstreamRequest("http://a.test/", (("x y", "1"),), b""),
        UpstreamRequest("http://a.test/", (("", "1"),), b""),
        UpstreamRequest("http://a.test/", (), b"", method="GET /x"),
    ],
    ids=["line", "newline", "zero", "name", "no name", "method"],
)
async def test_request_that_cannot_be_written_is_not_sent(request_):
    await not_sent(request_)


async def not_sent(request: UpstreamRequest) -> None:
    deadline = Deadline(asyncio.get_running_loop().time() + 10)
    with pytest.raises(UpstreamUnreachableError):
        async with Egress().send(request, deadline):
            pass


async def test_client_is_kept_for_the_loop_that_made_it():
    egress = Egress()
    first = egress._transport_of_this_loop()
    assert egress._transport_of_this_loop() is first
    other = await asyncio.to_thread(asyncio.run, _transport_of(egress))
    assert other is not first


async def _transport_of(egress: Egress) -> httpx2.AsyncBaseTransport:
    return egress._transport_of_this_loop()


async def test_client_trusts_nothing_around_it(monkeypatch, upstream_proxy):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, upstream_proxy.url)
        monkeypatch.setenv(name.lower(), upstream_proxy.url)
    with FakeUpstream() as upstream:
        upstream.answer(reply(b"Hello"))
        egress = Egress(dialler=dial_local)
        assert await fetched(egress, upstream.url) == (200, b"Hello")
        with pytest.raises(UpstreamUnreachableError):
            await fetched(egress, f"https://{upstream.address}/v1")
    assert upstream_proxy.connections == 0


async def test_proxy_is_asked_by_the_library(upstream_proxy):
    egress = Egress(proxy=upstream_proxy.url.removesuffix("/v1"))
    deadline = Deadline(asyncio.get_running_loop().time() + 5)
    request = UpstreamRequest("http://a.test/v1", (("accept", "x"),), b"{}")
    async with egress.send(request, deadline) as response:
        assert await response.receive() == b"Hello"
        assert await response.receive() == b""
    assert upstream_proxy.last.request_line == "POST http://a.test/v1 HTTP/1.1"
    await egress._transport_of_this_loop().aclose()


async def test_a_users_url_is_never_told_to_the_proxy(upstream_proxy):
    with FakeUpstream() as upstream:
        upstream.answer(reply(b"Direct"))
        reach = Reach(is_users=True, allowed=frozenset({upstream.address}))
        dialler = Dialler(AddressRules(), ScriptedResolver(**{"127.0.0.1": [["127.0.0.1"]]}))
        egress = Egress(proxy=upstream_proxy.url.removesuffix("/v1"), dialler=dialler)
        assert await fetched(egress, upstream.url, reach) == (200, b"Direct")
        await refused(egress, "https://10.0.0.1/v1", reach)
        await refused(egress, "https://unknown.test/v1", Reach(is_users=True))
        await egress._transport_of_this_loop().aclose()
    assert upstream_proxy.connections == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "127.1", "2852039166", "sandbox.localdomain"])
async def test_the_proxy_is_not_asked_for_what_nobody_may_reach(upstream_proxy, host):
    egress = Egress(proxy=upstream_proxy.url.removesuffix("/v1"))
    await refused(egress, f"http://{host}/v1", OPERATORS)
    assert upstream_proxy.connections == 0


async def test_what_is_blocked_is_logged_without_telling_where():
    egress = Egress()
    with kept_lines("waystation.egress") as lines:
        await refused(egress, "https://127.0.0.1/v1", OPERATORS)
        await refused(egress, "https://10.0.0.1/v1", Reach(is_users=True))
    told = [{name: vars(line)[name] for name in ("host_sha256", "is_users")} for line in lines]
    assert [line.getMessage() for line in lines] == ["ssrf_blocked"] * 2
    assert told == [
        {"host_sha256": hashlib.sha256(b"127.0.0.1").hexdigest(), "is_users": False},
        {"host_sha256": hashlib.sha256(b"https://10.0.0.1/v1").hexdigest(), "is_users": True},
    ]
    shown = [LogFormatter(service="test").format(line) for line in lines]
    assert not [line for line in shown if "127.0" in line or "10.0" in line]


@pytest.mark.parametrize("header", [(), (("Via", "1.0 a.test"),)])
async def test_requests_carry_the_name_of_this_gateway(header):
    with FakeUpstream() as upstream:
        upstream.answer(reply(b"Hello"))
        request = UpstreamRequest(upstream.url, header, b"{}")
        deadline = Deadline(asyncio.get_running_loop().time() + 5)
        async with Egress(dialler=dial_local, via="waystation-a1").send(request, deadline):
            pass
    assert upstream.last.header("via") == [*(value for _, value in header), "1.1 waystation-a1"]


@pytest.fixture
def upstream_proxy() -> Iterator[FakeUpstream]:
    with FakeUpstream() as proxy:
        proxy.answer(reply(b"Hello"))
        yield proxy


async def test_bundle_of_certificates_must_be_readable(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("no certificate")
    with pytest.raises(ssl.SSLError):
        Egress(ca_bundle=str(bundle))._transport_of_this_loop()


async def never(_found: Found) -> socket.socket:
    await asyncio.sleep(60)
    raise OSError


async def test_a_deadline_tells_whether_the_request_was_on_its_way():
    unconnected = Egress(dialler=Dialler(AddressRules(allows_loopback=True), connect=never))
    with FakeUpstream() as upstream:
        upstream.answer([5.0])
        for egress, is_sent in ((unconnected, False), (Egress(dialler=dial_local), True)):
            with pytest.raises(UpstreamTimeoutError) as caught:
                await fetched(egress, f"http://{upstream.address}/", seconds=0.3)
            assert caught.value.is_sent is is_sent


ERRORS = {
    httpx2.ConnectError: UpstreamUnreachableError,
    httpx2.ConnectTimeout: UpstreamUnreachableError,
    httpx2.ProxyError: UpstreamUnreachableError,
    httpx2.UnsupportedProtocol: UpstreamUnreachableError,
    httpx2.PoolTimeout: UpstreamUnreachableError,
    httpx2.LocalProtocolError: UpstreamUnreachableError,
    httpx2.ReadTimeout: UpstreamTimeoutError,
    httpx2.RemoteProtocolError: UpstreamInvalidResponseError,
    httpx2.DecodingError: UpstreamInvalidResponseError,
    httpx2.ReadError: UpstreamFailedError,
    httpx2.WriteError: UpstreamFailedError,
}


@pytest.mark.parametrize("error", ERRORS)
def test_library_errors_become_ours_without_their_text(error):
    ours = _translate(error("https://secret.internal/"))
    assert type(ours) is ERRORS[error]
    assert "secret" not in ours.message
