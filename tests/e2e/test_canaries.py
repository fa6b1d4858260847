"""Secrets on every path that fails: in no answer, no header and no line of any log."""

import base64
import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.fake_upstream import (
    RESET,
    FakeUpstream,
    Received,
    Reply,
    chunk_of,
    head,
    json_reply,
    reply,
    stream_reply,
)
from tests.support.lambda_gateway import (
    LambdaGateway,
    build_config,
    make_gateway_key,
    put_secrets,
)
from waystation.identity.user import User

API_KEY = 'zeta/key of the+operator"1'
HEADER = "theta-value-of-a-header-2"
GATEWAY_KEY = "kappa-key-of-the-caller-3"
PROMPT = "what-the-user-wrote-4"
PAGE = "a-page-of-the-inside-5"
SENT = [  # as an upstream may spell what it was sent
    spelling
    for secret in (API_KEY, HEADER)
    for spelling in (
        secret,
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode(),
        json.dumps(secret)[1:-1],
    )
]
SECRETS = [*SENT, GATEWAY_KEY]
ECHO = f"Your key {' or '.join(SENT)} and Bearer {API_KEY} are wrong. {PAGE}"


@pytest.fixture(scope="module")
def _leaky(aws: str, acme: dict[str, object]) -> Iterator[LambdaGateway]:
    put_secrets({"CANARY_KEY": API_KEY, "CANARY_HEADER": HEADER})
    entry = acme | {"apiKey": "${CANARY_KEY}", "headers": {"X-Team": "${CANARY_HEADER}"}}
    key = make_gateway_key(GATEWAY_KEY, User("alice"))
    gateway = LambdaGateway(build_config(entry), key=key)
    yield gateway
    gateway.close()


@pytest.fixture
def leaky(_leaky: LambdaGateway, upstream: FakeUpstream) -> Iterator[LambdaGateway]:
    """A gateway whose every secret is a canary, called with a canary.

    Tests that build another one come after those that use it: the log is the last one's.
    """
    _leaky.log.clear()
    yield _leaky
    assert _leaky.log.lines()


def _errors(status: int) -> list[Reply]:
    """Return refusals that tell a secret in every field, header and place."""
    return [
        json_reply({"error": {"message": ECHO}}, status=status),
        json_reply({"error": {"message": "x" * 490 + API_KEY}}, status=status),
        json_reply({"error": {"message": "x" * 1990 + API_KEY}}, status=status),
        json_reply({"error": {"message": (API_KEY + " ") * 100}}, status=status),
        json_reply({"error": {"message": "No", "code": HEADER, "type": HEADER}}, status=status),
        json_reply({"error": {"message": "No", "param": HEADER}}, status=status),
        json_reply({"error": ECHO}, status=status),
        json_reply({"detail": ECHO}, status=status),
        json_reply([{"error": {"message": ECHO, "details": [ECHO]}}], status=status),
        json_reply({}, status=status, headers=[("x-echo", ECHO), ("retry-after", HEADER)]),
        json_reply({}, status=status, reason=ECHO),
        reply(ECHO.encode(), status=status, content_type="text/plain"),
        reply(f"<h1>{ECHO}</h1>".encode(), status=status, content_type="text/html"),
    ]


BROKEN: Sequence[Reply] = [
    reply(ECHO.encode(), content_type="text/html"),
    reply(ECHO.encode()),
    reply(f'{{"x": "{HEADER}'.encode()),
    json_reply([ECHO]),
    json_reply({"choices": ECHO}),
    json_reply({"choices": [{"index": 0, "message": ECHO}]}),
    json_reply({"error": ECHO}),
    json_reply({"error": {"message": "x" * 490 + API_KEY, "code": HEADER}}),
    json_reply({}, headers=[("location", f"http://x/?key={HEADER}")], status=302),
    [f"{ECHO}\r\n\r\n".encode()],
    [head(200, [("content-length", "99999")]) + ECHO.encode()],
    [head(200, [("content-encoding", "gzip")]) + ECHO.encode()],
    stream_reply(f"data: {ECHO}\n\n".encode()),
    stream_reply({"error": {"message": ECHO, "code": HEADER}}),
    stream_reply({"error": {"message": "x" * 490 + API_KEY}}),
    stream_reply(f'event: error\ndata: {{"message": "{HEADER}"}}\n\n'.encode()),
    stream_reply(chunk_of("Hi"), {"error": {"message": "x" * 490 + API_KEY}}),
    stream_reply(chunk_of("Hi"), f"data: {ECHO}\n\n".encode()),
    stream_reply(chunk_of("Hi"), 0.05, RESET),
]


def _expect_no_secret(text: str) -> None:
    beginnings = [secret[:8] for secret in SECRETS]  # of one that was cut off
    assert [canary for canary in beginnings if canary in text] == []


def _expect_no_secret_or_content(text: str) -> None:
    _expect_no_secret(text)
    assert [canary for canary in (PROMPT, PAGE) if canary in text] == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 503])
def test_a_refusal_tells_no_secret(
    leaky: LambdaGateway,
    upstream: FakeUpstream,
    caplog: pytest.LogCaptureFixture,
    status: int,
    *,
    stream: bool,
) -> None:
    caplog.set_level(logging.INFO)
    for refusal in _errors(status):
        upstream.answer(refusal)
        answer = leaky.chat(stream=stream, messages=[{"role": "user", "content": PROMPT}])

        assert answer.status >= 400
        _expect_no_secret(answer.text + str(answer.headers))
    _expect_no_secret_or_content(leaky.log.text + caplog.text)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_answer_tells_no_secret(
    leaky: LambdaGateway,
    upstream: FakeUpstream,
    caplog: pytest.LogCaptureFixture,
    broken: Reply,
    *,
    stream: bool,
) -> None:
    caplog.set_level(logging.INFO)
    upstream.answer(broken)

    answer = leaky.chat(stream=stream, messages=[{"role": "user", "content": PROMPT}])

    assert "[DONE]" not in answer.text
    assert '"error"' in answer.text
    _expect_no_secret(answer.text + str(answer.headers))
    _expect_no_secret_or_content(leaky.log.text + caplog.text)


def test_a_key_echoed_in_the_status_line_tells_no_secret(
    leaky: LambdaGateway, upstream: FakeUpstream
) -> None:
    def echo(request: Received) -> list[bytes | float]:
        (authorization,) = request.header("authorization")
        return [head(200, reason=authorization) + authorization.encode()]

    upstream.answer(echo)

    answer = leaky.chat()

    assert (answer.status, answer.error["code"]) == (502, "upstream_invalid_response")
    _expect_no_secret_or_content(answer.text + leaky.log.text)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": PROMPT},
        {"conversationId": [PROMPT]},
        {"n": PROMPT},
        {"stream_options": PROMPT},
        {"endpoint": PROMPT},
    ],
    ids=["messages", "conversationId", "n", "stream_options", "endpoint"],
)
def test_a_callers_mistake_puts_nothing_of_the_body_in_the_log(
    leaky: LambdaGateway, body: dict[str, Any]
) -> None:
    assert leaky.chat(**body).status in {400, 404}
    _expect_no_secret_or_content(leaky.log.text)


def test_a_model_that_is_no_model_does_not_fill_the_log(leaky: LambdaGateway) -> None:
    assert leaky.chat(model="m" * 1_000_000).status == 400
    assert leaky.chat(model="m" * 256).status == 404
    assert len(leaky.log.text) < 2000


def test_a_key_that_is_unknown_is_in_no_log(leaky: LambdaGateway) -> None:
    answer = leaky.chat(key=f"{GATEWAY_KEY}-unknown")

    assert answer.status == 401
    _expect_no_secret(answer.text + leaky.log.text)


@pytest.mark.parametrize("place", ["SSM", "environment"])
def test_a_secret_in_a_field_of_the_log_is_redacted(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object], place: str
) -> None:
    if place == "SSM":
        put_secrets({"LOGGED_KEY": HEADER})
    environment = {"LOGGED_KEY": HEADER} if place == "environment" else {}
    gateway = build_gateway(acme | {"apiKey": "${LOGGED_KEY}"}, **environment)
    trusted = make_gateway_key(f"key-of-{place}", User("librechat"), is_trusted=True)

    answer = gateway.chat(key=trusted, headers={"x-librechat-user-id": HEADER})

    assert answer.status == 200
    assert [line["user_id"] for line in gateway.log.lines()] == ["[REDACTED]"]


def test_an_unset_variable_tells_no_other_secret(
    build_gateway: BuildGateway, acme: dict[str, object]
) -> None:
    put_secrets({"CANARY_KEY": API_KEY})
    gateway = build_gateway(acme | {"apiKey": "${CANARY_KEY}${NO_SUCH_KEY}"})

    answer = gateway.chat()

    assert answer.status == 503
    _expect_no_secret(answer.text + gateway.log.text)


def test_a_secret_that_no_header_can_carry_is_not_told(
    build_gateway: BuildGateway, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme | {"apiKey": "${TWO_LINES}"}, TWO_LINES=f"{HEADER}\n{API_KEY}")

    answer = gateway.chat()

    assert (answer.status, answer.error["code"]) == (503, "endpoint_misconfigured")
    _expect_no_secret(answer.text + gateway.log.text)
