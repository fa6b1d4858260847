"""What clients see, and the ledger says, when an upstream or the ledger fails."""

import json
import socket
from typing import Any

import pytest

from tests.support.fake_upstream import (
    RESET,
    FakeUpstream,
    Reply,
    completion,
    gzip_reply,
    json_reply,
    reply,
    streamed,
)
from tests.support.served_gateway import (
    CHAT,
    ServedGateway,
    chat_body,
    expect_error,
    expect_estimated,
    expect_released,
)

CANARY = "a-canary-of-the-inside"

either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@either_way
@pytest.mark.parametrize(
    ("given", "kept"),
    [("7", "7"), ("3600", "3600"), ("3601", None), ("0", None), ("soon", None), ("-1", None)],
)
def test_upstream_429_stays_429_and_keeps_a_sane_retry_after(
    served: ServedGateway, upstream: FakeUpstream, given: str, kept: str | None, *, stream: bool
) -> None:
    refusal = {"error": {"message": "Too many requests", "type": "rate", "code": "rate"}}
    upstream.answer(json_reply(refusal, status=429, headers=[("Retry-After", given)]))

    answer = served.chat(stream=stream)

    error = expect_error(answer, 429, "upstream_rate_limited")
    assert (error["message"], error["type"]) == ("Too many requests", "rate_limit_error")
    assert answer.headers.get("retry-after") == kept
    assert "x-should-retry" not in answer.headers
    expect_released(served, answer, "upstream_rate_limited")
    assert len(upstream.received) == 1


@either_way
@pytest.mark.parametrize("status", [418, 500, 502, 503, 529])
def test_upstream_5xx_becomes_502(
    served: ServedGateway, upstream: FakeUpstream, status: int, *, stream: bool
) -> None:
    upstream.answer(json_reply({"error": {"message": "Overloaded"}}, status=status))

    answer = served.chat(stream=stream)

    assert expect_error(answer, 502, "upstream_error")["message"] == "Overloaded"
    assert answer.headers["x-should-retry"] == "false"
    expect_released(served, answer, "upstream_error")
    assert len(upstream.received) == 1


@either_way
@pytest.mark.parametrize("status", [401, 403])
def test_upstream_401_becomes_502(
    served: ServedGateway, upstream: FakeUpstream, status: int, *, stream: bool
) -> None:
    upstream.answer(json_reply({"error": {"message": "Bad key key-of-acme"}}, status=status))

    answer = served.chat(stream=stream)

    error = expect_error(answer, 502, "upstream_auth_failed")
    assert error["message"] == "The upstream refused the gateway's credentials."
    expect_released(served, answer, "upstream_auth_failed")


@either_way
@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_what_the_upstream_says_of_the_request_itself_is_kept(
    served: ServedGateway, upstream: FakeUpstream, status: int, *, stream: bool
) -> None:
    told = {"message": "No such model", "type": "bad", "param": "model", "code": "no_model"}
    upstream.answer(json_reply({"error": told, "debug": CANARY}, status=status))

    answer = served.chat(stream=stream)

    assert expect_error(answer, status, "no_model") == told
    assert CANARY not in answer.text
    expect_released(served, answer, "no_model")


@either_way
@pytest.mark.parametrize("endpoint", ["Refusing", "Nowhere", "Nameless", "Empty", "Encrypted"])
def test_an_upstream_that_cannot_be_reached_is_502_whatever_the_reason(
    served: ServedGateway, monkeypatch: pytest.MonkeyPatch, endpoint: str, *, stream: bool
) -> None:
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host in {"upstream.test", b"upstream.test"}:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)

    answer = served.chat(model=f"{endpoint}/acme-large", stream=stream)

    error = expect_error(answer, 502, "upstream_unreachable")
    assert error["message"] == "The upstream cannot be reached."
    expect_released(served, answer, "upstream_unreachable")


@either_way
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_neither_followed_nor_returned(
    served: ServedGateway, upstream: FakeUpstream, status: int, *, stream: bool
) -> None:
    with FakeUpstream() as canary:
        upstream.answer(json_reply({}, status=status, headers=[("location", canary.url)]))
        answer = served.chat(stream=stream)

    expect_error(answer, 502, "upstream_redirect")
    assert "location" not in answer.headers
    assert canary.address not in answer.text
    assert canary.connections == 0


@either_way
@pytest.mark.parametrize(
    "nonsense",
    [
        reply(f"<h1>{CANARY}</h1>".encode(), content_type="text/html"),
        reply(CANARY.encode(), content_type="text/plain"),
        reply(CANARY.encode()),
        json_reply({"canary": CANARY}),
        json_reply([CANARY]),
        reply(b""),
        reply(b'{"choices": [{"index": 0, "mess'),
        json_reply(completion(choices=[])),
        [b"220 smtp.example.com ESMTP " + CANARY.encode() + b"\r\n"],
        [],
    ],
    ids=[
        "HTML",
        "text",
        "no JSON",
        "another object",
        "a list",
        "empty",
        "half an object",
        "no choices",
        "another protocol",
        "nothing at all",
    ],
)
def test_what_is_no_completion_is_refused_and_not_shown(
    served: ServedGateway, upstream: FakeUpstream, nonsense: Reply, *, stream: bool
) -> None:
    upstream.answer(nonsense)

    answer = served.chat(stream=stream)

    expect_error(answer, 502, "upstream_invalid_response")
    assert CANARY not in answer.text + str(answer.headers) + served.log.text
    expect_estimated(served, answer, "upstream_invalid_response")


@either_way
def test_a_compressed_answer_is_refused(
    served: ServedGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer(gzip_reply(completion()))

    expect_error(served.chat(stream=stream), 502, "upstream_invalid_response")
    assert upstream.last.header("accept-encoding") == ["identity"]


@either_way
def test_a_whole_answer_of_more_than_5_mib_is_refused(
    served: ServedGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer(json_reply(completion("x" * (5 * 1024 * 1024))))

    answer = served.chat(stream=stream)

    expect_error(answer, 502, "response_too_large")
    expect_estimated(served, answer, "response_too_large")


@either_way
def test_a_refusal_with_an_endless_body_is_told_by_its_status(
    served: ServedGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer(json_reply({"error": {"message": "x" * 100_000}}, status=422))

    error = expect_error(served.chat(stream=stream), 422, None)
    assert error["message"] == "The upstream answered with status 422."


@either_way
def test_a_reset_before_an_answer_is_estimated(
    served: ServedGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer([RESET])

    answer = served.chat(stream=stream)

    assert answer.status_code == 502
    assert answer.headers["x-should-retry"] == "false"
    assert served.record_of(answer)["usage_source"] == "estimated"
    assert len(upstream.received) == 1


@either_way
def test_a_ledger_that_is_down_spoils_no_answer(
    served: ServedGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer(streamed("Hello!") if stream else json_reply(completion()))
    assert served.chat(stream=stream).status_code == 200
    served.table.is_down = True

    answer = served.chat(stream=stream)

    lines = [x for x in served.log.lines() if x["message"] == "ledger_settle_unwritten"]
    record = json.loads(lines[-1]["record"])
    assert answer.status_code == 200
    assert "Hello!" in answer.text
    assert record["SK"] == f"REQ#{answer.headers['x-request-id']}"
    assert (record["state"], record["cost"]) == ("SETTLED", 50_000)


def test_a_key_that_cannot_be_checked_reaches_no_upstream(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    served.table.is_down = True

    headers = {"authorization": "Bearer another-key"}
    answer = served.client.post(CHAT, json=chat_body(), headers=headers)

    expect_error(answer, 503, "ledger_unavailable")
    assert upstream.received == []
