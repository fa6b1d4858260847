"""What an upstream really receives, byte for byte."""

import base64
from typing import Any

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.fake_upstream import (
    FakeUpstream,
)
from tests.support.lambda_gateway import LambdaGateway, make_gateway_key
from waystation.config.schema import USER_FIELDS
from waystation.identity.user import User

# The example of the page that documents custom endpoints, on the fake upstream.
MISTRAL = """
endpoints:
  allowedAddresses: ['ADDRESS']
  custom:
    - name: 'Mistral'
      apiKey: '${ACME_KEY}'
      baseURL: 'BASE_URL'
      models:
        default: ['mistral-tiny', 'mistral-small', 'mistral-medium', 'mistral-large-latest']
      titleConvo: true
      titleTiming: 'immediate'
      titleModel: 'mistral-tiny'
      modelDisplayLabel: 'Mistral'
      # NOTE: For Mistral, it is necessary to drop the following parameters or you will encounter a 422 Error:
      dropParams: ['stop', 'user', 'frequency_penalty', 'presence_penalty']
"""  # noqa: E501 (as it is documented)

PARIS: dict[str, Any] = {"role": "user", "content": "What is the weather in Paris?"}


def test_the_request_is_exactly_this(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    gateway.chat(model="Acme/acme-large", messages=[PARIS])

    assert upstream.last.request_line == "POST /v1/chat/completions HTTP/1.1"
    assert upstream.last.headers == [
        ("Host", upstream.address),
        ("Connection", "keep-alive"),
        ("accept-encoding", "identity"),
        ("user-agent", "waystation/waystation"),
        ("authorization", "Bearer the-key-of-acme-5b1f7a3c"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("via", "1.1 waystation"),
        ("Content-Length", str(len(upstream.last.body))),
    ]
    assert upstream.last.json == {
        "model": "acme-large",
        "messages": [PARIS],
        "user": "alice",
        "stream": False,
    }


def test_what_the_caller_authenticates_with_is_never_forwarded(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    headers = {
        "X-Api-Key": "key-of-alice",
        "Cookie": "session=a-cookie-of-alice",
        "X-Amzn-Trace-Id": "Root=1-trace",
        "X-Forwarded-For": "203.0.113.77",
        "Proxy-Authorization": "Basic cHJveHk6c2VjcmV0",
        "Idempotency-Key": "a-key-of-the-request",
    }

    for stream in (False, True):
        gateway.chat(headers=headers, stream=stream)

    for request in upstream.received:
        sent = request.raw.decode("latin-1").lower()
        for value in ("key-of-alice", "a-cookie-of-alice", "1-trace", "203.0.113.77", "chjveh"):
            assert value not in sent
        for name in ("x-api-key", "cookie", "x-amzn", "x-forwarded", "proxy-", "idempotency"):
            assert f"\r\n{name}" not in sent


def test_fields_that_steer_other_gateways_do_not_steer_this_one(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    steering: dict[str, Any] = {
        "base_url": "http://127.0.0.1:1/v1",
        "api_base": "http://127.0.0.1:1/v1",
        "api_key": "key-of-the-client",
        "extra_headers": {"x-injected": "1"},
        "default_headers": {"x-injected": "1"},
        "extra_body": {"injected": True},
        "organization": "org-of-the-client",
    }

    assert gateway.chat(**steering).status == 200
    assert upstream.last.json.keys() == {"model", "messages", "user", "stream"}
    assert upstream.last.header("x-injected") == []


def test_headers_carry_every_placeholder(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    fields = {f"X-{name}": f"<{{{{LIBRECHAT_USER_{name.upper()}}}}}>" for name in USER_FIELDS}
    ids = {
        f"X-{name}": f"{{{{LIBRECHAT_BODY_{name.upper()}}}}}"
        for name in ("conversationId", "parentMessageId", "messageId")
    }
    mixed = {"X-Mixed": "${X_MIXED} {{LIBRECHAT_USER_ID}}/{{LIBRECHAT_BODY_MESSAGEID}}"}
    gateway = build_gateway(acme | {"headers": fields | ids | mixed}, X_MIXED="from the operator")
    key = make_gateway_key("key-of-placeholders", User("librechat"), is_trusted=True)
    user = {name: f"value of {name}" for name in USER_FIELDS} | {"name": "Zoë", "username": "Жук"}
    asserted = {f"X-LibreChat-User-{name}": _in_base64(value) for name, value in user.items()}

    gateway.chat(
        key=key,
        headers=asserted | {"X-LibreChat-Body-MessageId": "m-1"},
        conversationId="c-1",
        parentMessageId="p-1",
    )

    received = {n.lower(): v for n, v in upstream.last.headers}
    expected = user | {"username": _in_base64("Жук")}
    assert {name: received[f"x-{name}".lower()] for name in USER_FIELDS} == {
        name: f"<{value}>" for name, value in expected.items()
    }
    assert received["x-conversationid"] == "c-1"
    assert received["x-parentmessageid"] == "p-1"
    assert received["x-messageid"] == "m-1"
    assert received["x-mixed"] == "from the operator value of id/m-1"
    assert b"x-name: <Zo\xeb>\r\n" in upstream.last.raw
    assert upstream.last.json.keys() == {"model", "messages", "user", "stream"}


def test_ids_in_headers_count_for_trusted_keys_only(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme | {"headers": {"X-Id": "<{{LIBRECHAT_BODY_CONVERSATIONID}}>"}})

    gateway.chat(headers={"x-librechat-body-conversationid": "forged"})

    assert upstream.last.header("x-id") == ["<>"]


def test_values_of_users_are_never_expanded_again(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme | {"headers": {"X-Id": "{{LIBRECHAT_BODY_CONVERSATIONID}}"}})
    tricky = "${ACME_KEY} {{LIBRECHAT_USER_EMAIL}} \\1 %s {0}"

    gateway.chat(conversationId=tricky)

    assert upstream.last.header("x-id") == [tricky]


@pytest.mark.parametrize("character", ["\r\n", "\n", "\0", "\x7f"], ids=repr)
def test_a_value_that_would_break_a_header_reaches_no_upstream(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object], character: str
) -> None:
    gateway = build_gateway(acme | {"headers": {"X-Id": "{{LIBRECHAT_BODY_CONVERSATIONID}}"}})

    answer = gateway.chat(conversationId=f"a{character}x-injected: 1")

    assert (answer.status, answer.error["code"]) == (400, "invalid_header_value")
    assert answer.error["param"] == "X-Id"
    assert upstream.received == []


def test_a_configured_authorization_is_the_only_one(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    build_gateway(acme | {"headers": {"AUTHORIZATION": "Token ${ACME_KEY}"}}).chat()

    assert upstream.last.header("authorization") == ["Token the-key-of-acme-5b1f7a3c"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_documented_mistral_entry_drops_what_mistral_refuses(
    build_gateway: BuildGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    config = MISTRAL.replace("BASE_URL", upstream.url).replace("ADDRESS", upstream.address)
    gateway = build_gateway(config=config)

    gateway.chat(
        model="Mistral/mistral-small",
        stream=stream,
        stop=["\n"],
        user="somebody",
        frequency_penalty=0.5,
        presence_penalty=0.5,
        temperature=0.7,
    )

    asks = {"stream_options": {"include_usage": True}} if stream else {}
    assert upstream.last.json == {
        "model": "mistral-small",
        "messages": [{"role": "user", "content": "Hi!"}],
        "stream": stream,
        "temperature": 0.7,
        **asks,
    }


def test_stream_options_can_be_dropped(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme | {"dropParams": ["stream_options"]})

    gateway.chat(stream=True, stream_options={"include_usage": True})

    assert "stream_options" not in upstream.last.json


def test_added_parameters_win_and_dropped_ones_go_last(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    added = {"safe_prompt": True, "temperature": 0.1, "top_p": 0.9, "transforms": ["a", {"b": 1}]}
    gateway = build_gateway(acme | {"addParams": added, "dropParams": ["top_p", "messages"]})

    gateway.chat(temperature=2, safe_prompt=False)

    assert upstream.last.json == {
        "model": "acme-large",
        "messages": [{"role": "user", "content": "Hi!"}],
        "user": "alice",
        "stream": False,
        "safe_prompt": True,
        "temperature": 0.1,
        "transforms": ["a", {"b": 1}],
    }


def test_a_direct_endpoint_is_asked_as_it_is_written(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    url = f"{upstream.url}/deployments/x/complete?api-version=2026-01-01"
    build_gateway(acme | {"directEndpoint": True, "baseURL": url}).chat()

    assert upstream.last.path == "/v1/deployments/x/complete?api-version=2026-01-01"


def test_a_query_in_the_base_url_stays_behind_the_path(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    url = f"{upstream.url}/?api-version=2026-01-01"
    build_gateway(acme | {"baseURL": url}).chat()

    assert upstream.last.path == "/v1/chat/completions?api-version=2026-01-01"


def _in_base64(text: str) -> str:
    return "b64:" + base64.b64encode(text.encode()).decode()
