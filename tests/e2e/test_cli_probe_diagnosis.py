"""`waystation probe`: which of key, URL, model and network is wrong, by what came back."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.anthropic_upstream import messages_refused
from tests.support.certificates import self_signed
from tests.support.fake_upstream import (
    RESET,
    FakeUpstream,
    Reply,
    Step,
    chunk_of,
    json_reply,
    reply,
    stream_reply,
)
from tests.support.probing import (
    Probe,
    at,
    listing,
    probing,
    refusal,
)
from tests.support.served_gateway import free_port

PAGE = reply(b"<html>Welcome</html>", content_type="text/html; charset=utf-8")
CHATS = "/v1/chat/completions"


@pytest.fixture(autouse=True)
def probe(tmp_path: Path, acme: dict[str, object], upstream: FakeUpstream) -> Iterator[Probe]:
    """Probe the entry `acme` after changes."""
    with probing(tmp_path, acme | {"headers": {"X-Team": "${ACME_TEAM}"}}, upstream) as probe:
        yield probe


@pytest.mark.parametrize(
    ("answer", "direct", "gateway", "told"),
    [
        (refusal(401), "key", "key", "the key is refused. It comes from apiKey (${ACME_KEY})."),
        (refusal(403), "key", "key", 'apiKey (${ACME_KEY}). It says: "No."'),
        (refusal(402), "quota", "upstream", "has to be paid for"),
        (refusal(429), "quota", "quota", "too many requests"),
        (refusal(400), "request", "request", 'the request is refused. It says: "No."'),
        (refusal(422), "request", "request", "the request is refused"),
        (refusal(500), "upstream", "upstream", "Status 500: the upstream itself fails."),
        (json_reply({}, status=529), "upstream", "upstream", "Status 529"),
        (reply(b"", status=599), "upstream", "upstream", "Status 599"),
        (PAGE, "url", "url", "baseURL points to a web page: status 200"),
        (reply(b"{", content_type="application/json"), "url", "url", "none of the chat"),
        (stream_reply(), "url", "url", "(text/event-stream) is none of the chat completions API"),
        (stream_reply(b"data: {x\n\n"), "url", "url", "none of the chat completions API"),
        (refusal(200, "Late."), "url", "upstream", "(application/json) is none of"),
        (stream_reply({"error": {"message": "Late."}}), "upstream", "upstream", "Late."),
        ([RESET], "network", "upstream", "The connection broke"),
        ([b"hello\r\n\r\n"], "network", "url", "does not speak HTTP"),
        (stream_reply(chunk_of("a"), is_complete=False), "network", "url", "before the answer"),
    ],
)
def test_an_answer_tells_what_is_wrong(
    probe: Probe,
    upstream: FakeUpstream,
    *,
    answer: Reply,
    direct: str,
    gateway: str,
    told: str,
) -> None:
    upstream.answer(answer)

    probed = probe()

    assert probed.exit_code == 1
    assert probed.causes == [("direct", direct), ("gateway", gateway)]
    assert told in probed.message()


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://127.0.0.1/v1", "redirects to https."),
        ("http://else.test/v1", "redirects to another host."),
        ("/login?next=1", "redirects to another path."),
    ],
)
def test_a_redirect_is_told_by_its_direction(
    probe: Probe, upstream: FakeUpstream, location: str, told: str
) -> None:
    upstream.answer(reply(b"", status=307, headers=[("location", location)]))

    probed = probe()

    assert probed.causes == [("direct", "url"), ("gateway", "url")]
    assert told in probed.message()


@pytest.mark.parametrize(
    ("url", "cause", "told"),
    [
        ("http://upstream.test/v1", "network", "DNS knows no address of the host in baseURL."),
        ("http://a..test/v1", "url", "baseURL is not a URL that can be called."),
        ("http://127.0.0.1:{free}/v1", "network", "Nothing listens at host and port of baseURL."),
        ("https://{upstream}/v1", "network", "does not speak TLS"),
    ],
    ids=["DNS", "no URL", "refused", "no TLS"],
)
def test_an_upstream_out_of_reach_is_told_by_the_reason(
    probe: Probe, upstream: FakeUpstream, url: str, cause: str, told: str
) -> None:
    probed = probe(baseURL=url.format(free=free_port(), upstream=upstream.address))

    assert probed.exit_code == 1
    assert probed.causes == [("direct", cause), ("gateway", "network")]
    assert told in probed.message()


def test_a_certificate_that_is_not_trusted_is_told(probe: Probe, tmp_path: Path) -> None:
    context, _ = self_signed(tmp_path)
    with FakeUpstream(tls=context) as encrypted:
        probed = probe(baseURL=f"https://{encrypted.address}/v1")

    assert probed.causes == [("direct", "network"), ("gateway", "network")]
    assert "The TLS certificate at baseURL is not trusted: self" in probed.message()


@pytest.mark.parametrize(
    "slow",
    [[2.0], stream_reply(chunk_of("a"), *[b": still here\n\n", 0.1] * 20, is_complete=False)],
    ids=["silence", "heartbeats"],
)
def test_an_answer_that_takes_too_long_is_given_up(
    probe: Probe, upstream: FakeUpstream, slow: Sequence[Step]
) -> None:
    upstream.answer(slow)

    probed = probe("--timeout", "0.5")

    assert probed.causes == [("direct", "network"), ("gateway", "network")]
    assert probed.message() == "No whole answer within 0.5 s."


GONE = json_reply({"detail": "Not Found"}, status=404)
NO_MODEL = refusal(404, "The model `acme-large` does not exist.", code="model_not_found")


@pytest.mark.parametrize(
    ("chats", "models", "changes", "cause", "told"),
    [
        (GONE, json_reply(listing("a", "b")), {}, "model", "not among the 2 listed"),
        (GONE, json_reply(listing("acme-large")), {}, "url", "although /models lists the model"),
        (GONE, GONE, {}, "url", "baseURL is wrong: there is neither a path for chats nor /models"),
        (GONE, refusal(401), {}, "url", "/models does not tell which"),
        (GONE, PAGE, {}, "url", "/models does not tell which"),
        (GONE, [RESET], {}, "url", "/models does not tell which"),
        (NO_MODEL, GONE, {}, "model", "There is no such model. It says"),
        (NO_MODEL, GONE, {"directEndpoint": True}, "model", "With directEndpoint there is no list"),
        (GONE, GONE, {"directEndpoint": True}, "url", "With directEndpoint there is no list"),
    ],
)
def test_a_404_is_traced_to_url_or_model(
    probe: Probe,
    upstream: FakeUpstream,
    *,
    chats: Sequence[Step],
    models: Sequence[Step],
    changes: dict[str, object],
    cause: str,
    told: str,
) -> None:
    upstream.answer(at("/v1/models", models, chats))

    probed = probe(**changes)

    assert probed.causes[0] == ("direct", cause)
    assert told in probed.message()


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (CHATS, " It already ends in /chat/completions: take that off, or set directEndpoint"),
        ("/api", " It has no /v1, which most APIs have."),
    ],
)
def test_a_wrong_url_gets_a_hint(
    probe: Probe, upstream: FakeUpstream, path: str, hint: str
) -> None:
    upstream.answer(GONE)
    assert hint in probe(baseURL=f"http://{upstream.address}{path}").message()


def test_a_404_of_anthropics_api_is_traced_too(probe: Probe, upstream: FakeUpstream) -> None:
    refused = messages_refused("not_found_error", "model: acme-large")
    names = json_reply(listing("claude-1") | {"has_more": False})
    upstream.answer(at("/v1/models", names, refused))

    probed = probe(provider="anthropic")

    assert probed.causes[0] == ("direct", "model")
    assert "not among the 1 listed" in probed.message()
