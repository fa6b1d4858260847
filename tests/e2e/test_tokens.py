"""Signed tokens through the functions: every route, every header, every event."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.fake_upstream import FakeUpstream, reply
from tests.support.lambda_events import (
    EventMaker,
    http_event,
    rest_event,
    url_event,
    with_authorizer,
    with_query,
)
from tests.support.lambda_gateway import Answer, LambdaGateway
from tests.support.tokens import AUDIENCE, ISSUER, OTHER_RSA_KEY, fresh_token, key_set, settings_of

EVENTS: list[EventMaker] = [rest_event, http_event, url_event]
GETS = ["/v1/models", "/api/models", "/api/endpoints"]
POSTS = ["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"]
MESSAGE = {
    "model": "acme-large",
    "max_tokens": 5,
    "messages": [{"role": "user", "content": "Hi!"}],
}
KEY = "key-of-alice"


@pytest.fixture(scope="module")
def _issuer() -> Iterator[FakeUpstream]:
    with FakeUpstream() as server:
        yield server


@pytest.fixture
def issuer(_issuer: FakeUpstream) -> FakeUpstream:
    _issuer.reset()
    _issuer.answer(key_set())
    return _issuer


@pytest.fixture
def environment(issuer: FakeUpstream) -> dict[str, str]:
    return {
        "AUTH_MODES": "keys,jwt",
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_JWKS_URL": settings_of(issuer).jwks_url,
        "GATEWAY_ALLOWED_ADDRESSES": issuer.address,
    }


@pytest.fixture
def tokens_gateway(
    build_gateway: BuildGateway, acme: dict[str, Any], environment: dict[str, str]
) -> LambdaGateway:
    """A cold gateway that takes keys and tokens."""
    return build_gateway(acme, **environment)


def ask(
    gateway: LambdaGateway, path: str, headers: dict[str, str], event: EventMaker = rest_event
) -> Answer:
    if path in GETS:
        return gateway.get(path, key="", headers=headers, event=event)
    body = json.dumps(MESSAGE).encode()
    return gateway.post(body, path=path, key="", headers=headers, event=event)


@pytest.mark.parametrize("path", [*GETS, *POSTS[:2]])
@pytest.mark.parametrize("event", EVENTS, ids=["REST", "HTTP", "URL"])
def test_every_route_takes_a_token_in_either_header(
    tokens_gateway: LambdaGateway, upstream: FakeUpstream, path: str, event: EventMaker
) -> None:
    token = fresh_token()
    for headers in ({"Authorization": f"Bearer {token}"}, {"x-api-key": token}):
        assert ask(tokens_gateway, path, headers, event).status == 200


def confusions() -> dict[str, dict[str, str]]:
    token, other = fresh_token(), fresh_token(sub="bob")
    return {
        "nothing": {},
        "token and key": {"Authorization": f"Bearer {token}", "x-api-key": KEY},
        "key and token": {"Authorization": f"Bearer {KEY}", "x-api-key": token},
        "two tokens": {"Authorization": f"Bearer {token}", "x-api-key": other},
        "two in one": {"Authorization": f"Bearer {token}, Bearer {other}"},
        "basic beside a token": {"Authorization": "Basic YTpi", "x-api-key": token},
        "no scheme": {"Authorization": token},
        "another header": {"x-amz-security-token": token, "x-forwarded-user": "alice"},
        "cookie": {"Cookie": f"token={token}"},
        "not signed by the issuer": {
            "Authorization": f"Bearer {fresh_token('RS256', key=OTHER_RSA_KEY)}"
        },
        "expired": {"x-api-key": fresh_token(exp=int(time.time()) - 61)},
        "ends like a key": {"x-api-key": f"{token}{KEY}"},
    }


CONFUSED = list(confusions())


@pytest.mark.parametrize("name", CONFUSED)
def test_every_route_refuses_alike_and_shows_nothing(
    tokens_gateway: LambdaGateway, upstream: FakeUpstream, name: str
) -> None:
    headers = confusions()[name]
    for path in [*GETS, *POSTS]:
        for event in EVENTS:
            answer = ask(tokens_gateway, path, headers, event)
            assert answer.status == 401
            assert answer.error["message"] == "Incorrect API key provided."
            assert answer.error["type"] == "authentication_error"
            assert answer.headers["www-authenticate"] == "Bearer"
            assert not [v for v in headers.values() if v.split()[-1] in answer.text]
    assert upstream.received == []
    assert "eyJ" not in tokens_gateway.log.text


@pytest.mark.parametrize("name", ["key", "api_key", "access_token"])
@pytest.mark.parametrize("event", EVENTS, ids=["REST", "HTTP", "URL"])
def test_query_that_disagrees_is_refused_everywhere(
    tokens_gateway: LambdaGateway, upstream: FakeUpstream, name: str, event: EventMaker
) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    for path in [*GETS, *POSTS[:2]]:
        same = ask(tokens_gateway, path, headers, with_query(event, name, KEY))
        other = ask(tokens_gateway, path, headers, with_query(event, name, "key-of-bob"))
        alone = ask(tokens_gateway, path, {}, with_query(event, name, KEY))
        assert (same.status, other.status, alone.status) == (200, 401, 401)


def test_users_of_one_warm_process_are_kept_apart(
    tokens_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    users = {f"user-{n}": fresh_token(sub=f"user-{n}") for n in range(8)}
    for _ in range(2):
        for user, token in users.items():
            answer = tokens_gateway.chat(key=token, headers={"x-librechat-user-id": "bob"})
            assert upstream.last.json["user"] == user
            assert tokens_gateway.record_of(answer, user)["user_id"] == user
            assert tokens_gateway.chat(key=KEY).status == 200
            assert upstream.last.json["user"] == "alice"


def test_keys_are_fetched_once_for_many_tokens(
    tokens_gateway: LambdaGateway, upstream: FakeUpstream, issuer: FakeUpstream
) -> None:
    for n in range(20):
        tokens_gateway.chat(key=fresh_token(headers={"kid": f"unknown-{n}"}))
    assert tokens_gateway.chat(key=fresh_token()).status == 200
    assert len(issuer.received) == 1
    assert issuer.last.header("authorization") == []


def test_issuer_that_is_down_leaves_keys_working(
    tokens_gateway: LambdaGateway, upstream: FakeUpstream, issuer: FakeUpstream
) -> None:
    issuer.answer(reply(b"", status=500))

    answer = tokens_gateway.chat(key=fresh_token())

    assert (answer.status, answer.error["code"]) == (503, "signing_keys_unavailable")
    assert answer.headers["retry-after"] == "5"
    assert tokens_gateway.chat(key=KEY).status == 200


def test_where_only_tokens_are_taken_a_key_is_refused(
    build_gateway: BuildGateway, acme: dict[str, Any], environment: dict[str, str]
) -> None:
    gateway = build_gateway(acme, **(environment | {"AUTH_MODES": "jwt"}))
    assert gateway.get("/v1/models", key=KEY).status == 401
    assert gateway.get("/v1/models", key=fresh_token()).status == 200


def test_where_only_keys_are_taken_a_token_is_refused(gateway: LambdaGateway) -> None:
    assert gateway.get("/v1/models", key=fresh_token()).status == 401


LAMBDA = {"principalId": "alice", "email": "alice@example.com"}
COGNITO = {"claims": {"sub": "alice", "email": "alice@example.com"}}
AUTHORIZED: dict[str, EventMaker] = {
    "REST, Lambda": with_authorizer(rest_event, LAMBDA),
    "REST, Cognito": with_authorizer(rest_event, COGNITO),
    "HTTP, Lambda": with_authorizer(http_event, {"lambda": {"id": "alice"}}),
    "HTTP, JWT": with_authorizer(http_event, {"jwt": COGNITO}),
}
UNAUTHORIZED: dict[str, EventMaker] = {
    "REST": rest_event,
    "REST, null": with_authorizer(rest_event, None),
    "REST, empty": with_authorizer(rest_event, {}),
    "HTTP": http_event,
    "HTTP, null": with_authorizer(http_event, {"jwt": None}),
    "URL": url_event,
}
FORGED = {
    "Authorization": f"Bearer {KEY}",
    "x-librechat-user-id": "bob",
    "x-user-id": "bob",
    "x-amzn-oidc-identity": "bob",
    "x-amzn-requestcontext": json.dumps({"authorizer": LAMBDA}),
    "X-Forwarded-User": "bob",
    "requestContext": json.dumps({"authorizer": LAMBDA}),
}


@pytest.fixture
def authorized_gateway(build_gateway: BuildGateway, acme: dict[str, Any]) -> LambdaGateway:
    """A cold gateway that stands behind an authorizer."""
    return build_gateway(acme, AUTH_MODES="authorizer")


@pytest.mark.parametrize("event", AUTHORIZED.values(), ids=AUTHORIZED)
def test_behind_an_authorizer_its_user_is_the_caller(
    authorized_gateway: LambdaGateway, upstream: FakeUpstream, event: EventMaker
) -> None:
    body = json.dumps(MESSAGE).encode()
    answer = authorized_gateway.post(body, key="", headers=FORGED, event=event)
    assert upstream.last.json["user"] == "alice"
    assert authorized_gateway.record_of(answer)["user_id"] == "alice"
    for path in GETS:
        assert ask(authorized_gateway, path, {}, event).status == 200


@pytest.mark.parametrize("event", UNAUTHORIZED.values(), ids=UNAUTHORIZED)
def test_behind_an_authorizer_other_events_are_refused(
    authorized_gateway: LambdaGateway, upstream: FakeUpstream, event: EventMaker
) -> None:
    for path in [*GETS, *POSTS]:
        assert ask(authorized_gateway, path, FORGED, event).status == 401
    assert authorized_gateway.get("/healthz", key="", event=event).status == 200
    assert upstream.received == []


@pytest.mark.parametrize("event", AUTHORIZED.values(), ids=AUTHORIZED)
def test_without_the_mode_the_context_counts_for_nothing(
    gateway: LambdaGateway, upstream: FakeUpstream, event: EventMaker
) -> None:
    for path in [*GETS, *POSTS]:
        assert ask(gateway, path, {}, event).status == 401
    assert upstream.received == []


APP = "https://app.example.com"


@pytest.mark.parametrize("event", EVENTS, ids=["REST", "HTTP", "URL"])
@pytest.mark.parametrize("modes", ["keys", "authorizer"])
def test_preflights_of_every_path_are_answered_by_the_models_function(
    build_gateway: BuildGateway, acme: dict[str, Any], event: EventMaker, modes: str
) -> None:
    gateway = build_gateway(acme, AUTH_MODES=modes, CORS_ORIGINS=APP)
    asked = {"Access-Control-Request-Method": "POST"}
    for path in [*GETS, *POSTS, "/healthz", "/v1/nowhere"]:
        listed = event("OPTIONS", path, {"Origin": APP, **asked}, None)
        answer = gateway.call("models", listed)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, APP)
        other = event("OPTIONS", path, {"Origin": f"{APP}.evil.com", **asked}, None)
        answer = gateway.call("models", other)
        assert answer.status == (405 if path in [*GETS, "/healthz"] else 404)
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-origin" not in answer.headers


def test_browsers_may_read_refusals_too(build_gateway: BuildGateway, acme: dict[str, Any]) -> None:
    gateway = build_gateway(acme, CORS_ORIGINS=APP)
    for answer in (
        gateway.chat(key="", headers={"Origin": APP}),
        gateway.get("/v1/models", key="", headers={"Origin": APP}),
    ):
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (401, APP)
        assert "access-control-allow-credentials" not in answer.headers
