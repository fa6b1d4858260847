"""Encrypted connections: who is trusted, and how their answers end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import self_signed
from tests.support.exchanges import CHUNKED, body_of, kept, streamed
from tests.support.fake_upstream import LEAVE, RESET, FakeUpstream, chunk, head
from tests.support.reaching import dial_local
from waystation.egress.client import Egress
from waystation.errors import (
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamUnreachableError,
)


@pytest.fixture
def trusted(tmp_path: Path) -> Iterator[tuple[FakeUpstream, Path]]:
    context, bundle = self_signed(tmp_path)
    with FakeUpstream(keeps_connections=True, tls=context) as fake:
        yield fake, bundle


async def test_an_encrypted_connection_is_verified_by_the_bundle_and_kept(trusted):
    upstream, bundle = trusted
    egress = Egress(ca_bundle=str(bundle), dialler=dial_local)
    body = bytes(range(256)) * 2000
    upstream.answer([streamed(b"Hello")], [kept(body)], [kept()])
    bodies = [await body_of(egress, upstream, scheme="https") for _ in range(3)]
    assert (bodies, upstream.connections) == ([b"Hello", body, b"Hello"], 1)
    await egress._transport_of_this_loop().aclose()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([head(200, CHUNKED) + chunk(b"Hello"), LEAVE], UpstreamInvalidResponseError),
        ([head(200, CHUNKED) + chunk(b"Hello"), 0.05, RESET], UpstreamFailedError),
    ],
    ids=["left", "reset"],
)
async def test_an_encrypted_answer_that_breaks_off_is_no_answer(trusted, answer, error):
    upstream, bundle = trusted
    upstream.answer(answer)
    with pytest.raises(error):
        await body_of(Egress(ca_bundle=str(bundle), dialler=dial_local), upstream, scheme="https")


async def test_an_encrypted_answer_may_end_with_its_connection(trusted):
    upstream, bundle = trusted
    upstream.answer([b"HTTP/1.1 200 OK\r\n\r\nHello", LEAVE])
    egress = Egress(ca_bundle=str(bundle), dialler=dial_local)
    assert await body_of(egress, upstream, scheme="https") == b"Hello"


async def test_a_certificate_that_nobody_vouches_for_is_refused(egress, trusted):
    with pytest.raises(UpstreamUnreachableError):
        await body_of(egress, trusted[0], scheme="https")
    assert trusted[0].received == []


async def test_a_certificate_of_another_host_is_refused(tmp_path):
    context, bundle = self_signed(tmp_path, address="127.0.0.2")
    with FakeUpstream(tls=context) as upstream, pytest.raises(UpstreamUnreachableError):
        await body_of(Egress(ca_bundle=str(bundle), dialler=dial_local), upstream, scheme="https")


async def test_plain_text_where_tls_is_due_is_unreachable(egress):
    with FakeUpstream() as upstream, pytest.raises(UpstreamUnreachableError):
        await body_of(egress, upstream, scheme="https")
