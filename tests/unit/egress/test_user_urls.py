"""The URLs that users bring: what is accepted, in which form, and that it is dialled as checked."""

import random
import string

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waystation.egress.addresses import is_in
from waystation.egress.transport import origin_of
from waystation.egress.user_urls import MAX_LENGTH, parse_user_url
from waystation.errors import InvalidBaseUrlError

ACCEPTED = {
    "https://api.test": "https://api.test",
    "https://api.test/": "https://api.test/",
    "https://api.test:443/v1": "https://api.test/v1",
    "HTTPS://API.Test/V1": "https://api.test/V1",
    "https://api.test/v1?api-version=2024-10-21": "https://api.test/v1?api-version=2024-10-21",
    "https://api.test?a=b@c:1/d?": "https://api.test?a=b@c:1/d?",
    "https://api.test/a%2fb/@x:y/[z]": "https://api.test/a%2fb/@x:y/[z]",
    "https://a--b.my-host.example.co/v1": "https://a--b.my-host.example.co/v1",
    "https://bücher.example/v1": "https://xn--bcher-kva.example/v1",
    "https://BÜCHER.example": "https://xn--bcher-kva.example",
    "https://XN--bcher-KVA.example": "https://xn--bcher-kva.example",
    "https://例え.jp": "https://xn--r8jz45g.jp",
    "https://api\u3002test/v1": "https://api.test/v1",
    "https://\uff41pi.test": "https://api.test",
    "https://1.2.3.example": "https://1.2.3.example",
    "https://localhost.example": "https://localhost.example",
    f"https://{'a' * 63}.test": f"https://{'a' * 63}.test",
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_public_name_is_accepted_in_one_form(text):
    url = parse_user_url(text)
    assert url == ACCEPTED[text]
    assert parse_user_url(url) == url


REFUSED = [
    "",
    "api.test",
    "//api.test",
    "https:api.test",
    "https:/api.test",
    "https:///api.test",
    "https://",
    "https://?x",
    "http://api.test",
    "ftp://api.test",
    "wss://api.test",
    "http\u017f://api.test",
    "javascript:alert(1)",
    "file:///etc/passwd",
    " https://api.test",
    "https://api.test ",
    "https://api.test\n",
    "ht\ttps://api.test",
    "https://api.test/a b",
    "https://api.test/\x00",
    "https://api.test/\x7f",
    "https://api.test/é",
    "https://api.test#x",
    "https://api.test/#",
    "https://user@api.test",
    "https://user:pass@api.test",
    "https://@api.test",
    "https://good.test@127.0.0.1",
    "https://127.0.0.1\\@good.test",
    "https://good.test\\@127.0.0.1",
    "https://good.test#@127.0.0.1",
    "https://good.test?@127.0.0.1\\",
    "https://api.test\\v1",
    "https://api%2etest",
    "https://%61pi.test",
    "https://api.test:",
    "https://api.test:0",
    "https://api.test:0443",
    "https://api.test:80",
    "https://api.test:8443",
    "https://api.test:65536",
    "https://api.test:99999",
    "https://api.test:443:443",
    "https://api.test:٤٤٣",
    "https://api.test:+443",
    "https://api.test.",
    "https://api..test",
    "https://.api.test",
    "https://-api.test",
    "https://api-.test",
    "https://a_b.test",
    "https://a*b.test",
    "https://api,test.test",
    f"https://{'a' * 64}.test",
    f"https://{'a.' * 127}test",
    "https://api",
    "https://localhost",
    "https://LOCALHOST",
    "https://loc\u200balhost",
    "https://x.localhost",
    "https://printer.local",
    "https://metadata.google.internal",
    "https://sandbox.localdomain",
    "https://router.home.arpa",
    "https://1.0.0.127.in-addr.arpa",
    "https://127.0.0.1",
    "https://127.1",
    "https://0177.0.0.1",
    "https://0x7f.0.0.1",
    "https://2130706433",
    "https://0x7f000001",
    "https://api.0x7f",
    "https://api.1",
    "https://api.0x",
    "https://8.8.8.8",
    "https://１２７.０.０.１",  # noqa: RUF001 (digits of full width)
    "https://127。0。0。1",
    "https://①②⑦.0.0.1",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[2606:4700::1111]",
    "https://[fe80::1%25eth0]",
    "https://[fe80::1%eth0]",
    "https://[127.0.0.1]",
    "https://[::1",
    "https://::1",
    "https://[::1]x.test",
    "https://[v1.x]",
    "https://xn--.test",
    "https://xn--a.test",
    "https://xn--\u00e9.test",
    "https://api\u2024test/",
    "https://a\u2100b.test/",
    "https://api\u00ad",
    "https://api\ud800.test",
    "https://api\u3000.test",
    f"https://{'é' * 300}.test",
    "https://api.test/" + "a" * MAX_LENGTH,
]


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused_in_the_same_words(text):
    with pytest.raises(InvalidBaseUrlError) as caught:
        parse_user_url(text)
    assert caught.value.to_envelope() == InvalidBaseUrlError().to_envelope()


def test_a_url_may_be_so_long():
    url = "https://api.test/".ljust(MAX_LENGTH, "a")
    assert parse_user_url(url) == url
    assert parse_user_url(url + "a", max_length=MAX_LENGTH + 1) == url + "a"


ALLOWED = frozenset(
    {"127.0.0.1:8080", "[::1]:9", "ollama:11434", "llm.internal:443", "api.test:80", "a_b.test:443"}
    | {"169.254.169.254:80", "[fd00:ec2::254]:80", "sandbox.localdomain:443", "bücher.test:1"}
    | {"xn--bcher-kva.example:8443"}
)
LIFTED = {
    "http://127.0.0.1:8080/v1": "http://127.0.0.1:8080/v1",
    "https://127.0.0.1:8080": "https://127.0.0.1:8080",
    "http://[::1]:9/": "http://[::1]:9/",
    "http://[0:0:0::1]:9/": "http://[0:0:0::1]:9/",
    "http://OLLAMA:11434/v1": "http://ollama:11434/v1",
    "https://llm.internal": "https://llm.internal",
    "http://llm.internal:443": "http://llm.internal:443",
    "http://api.test": "http://api.test",
    "http://api.test:80": "http://api.test",
    "https://api.test:80": "https://api.test:80",
    "https://api.test": "https://api.test",
    "https://a_b.test": "https://a_b.test",
    "https://bücher.example:8443": "https://xn--bcher-kva.example:8443",
}


@pytest.mark.parametrize("text", LIFTED)
def test_an_allowed_pair_lifts_scheme_port_and_kind_of_host(text):
    assert parse_user_url(text, ALLOWED) == LIFTED[text]


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8081",
        "http://127.0.0.1:8079",
        "http://127.0.0.1",
        "http://127.0.0.2:8080",
        "http://127.1:8080",
        "http://0177.0.0.1:8080",
        "http://2130706433:8080",
        "http://[::ffff:127.0.0.1]:8080",
        "http://[127.0.0.1]:8080",
        "http://x@127.0.0.1:8080",
        "http://127.0.0.1:8080\\@api.test",
        "http://127.0.0.1:8080#x",
        "http://127.0.0.1.:8080",
        "ftp://127.0.0.1:8080",
        "http://ollama",
        "http://ollama:11435",
        "http://x.ollama:11434",
        "http://llm.internal",
        "http://api.test:8080",
        "http://169.254.169.254",
        "http://169.254.169.254:80/latest/meta-data/",
        "http://[::ffff:169.254.169.254]:80",
        "http://[fd00:ec2::254]",
        "https://sandbox.localdomain",
    ],
)
def test_an_allowed_pair_is_exact_and_lifts_nothing_else(text):
    with pytest.raises(InvalidBaseUrlError):
        parse_user_url(text, ALLOWED)


_PIECES = ["https://", "http://", "HTTPS:", "//", "/", "\\", "@", ":", "#", "?", "%", "[", "]", "."]
_PIECES += [
    "127.0.0.1",
    "good.test",
    "0x7f",
    "2130706433",
    "::1",
    "443",
    ":443",
    ":8080",
    "::ffff:",
]
_PIECES += [
    "\u3002",
    "\uff0f",
    "\uff20",
    "\u2100",
    "\uff1a",
    "\u00df",
    "\u200d",
    "\u0130",
    "\u212a",
]
_PIECES += ["xn--", "bücher", " ", "\t", "\n", "\x00", "\x85", "localhost", "a", "-", "_", "&", ";"]
URLS = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=12).map("".join)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(["https://", "https://good.test", "http://127.0.0.1:8080", ""]), URLS)
def test_what_is_accepted_is_dialled_at_the_host_that_was_checked(start, rest):
    expect_dialled_as_checked(start + rest)


def test_changed_urls_are_dialled_at_the_host_that_was_checked():
    chosen = random.Random(7)
    seeds = [*ACCEPTED, *LIFTED, *REFUSED]
    alphabet = [*string.printable, *_PIECES]
    accepted = 0
    for _ in range(2500):
        text = list(chosen.choice(seeds)[:300])
        for _ in range(chosen.randint(1, 3)):
            at = chosen.randrange(len(text) + 1)
            text[at : at + chosen.randint(0, 2)] = chosen.choice(alphabet)
        accepted += expect_dialled_as_checked("".join(text))
    assert accepted > 100


def expect_dialled_as_checked(text: str) -> bool:
    """Expect that an accepted URL leads httpx2 and our transport where it plainly says."""
    try:
        url = parse_user_url(text, ALLOWED)
    except InvalidBaseUrlError:
        return False
    assert url.isascii()
    assert parse_user_url(url, ALLOWED) == url
    scheme, _, rest = url.partition("://")
    authority = rest.split("/")[0].split("?")[0]
    assert not set(authority) & set("@\\#% \t\r\n")
    host, has_port, port = authority.rpartition(":")
    if not has_port or authority.endswith("]"):
        host, port = authority, {"http": "80", "https": "443"}[scheme]
    host = host.strip("[]")
    origin = origin_of(httpx2.Request("POST", url))
    assert (origin.is_tls, origin.host, origin.port) == (scheme == "https", host, int(port))
    if not is_in(ALLOWED, host, int(port)):
        assert (scheme, port) == ("https", "443")
        assert not host.replace(".", "").isdecimal()
        assert "." in host
        assert ":" not in host
    return True
