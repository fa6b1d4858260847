"""Every route of every function: who is let in, for whom, and what browsers may read."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from tests.support.fake_upstream import FakeUpstream
from tests.support.lambda_events import EventMaker, http_event, rest_event, url_event, with_query
from tests.support.lambda_gateway import Answer, LambdaGateway, make_gateway_key, put_secrets
from tests.support.template import EVENTS as TEMPLATES_EVENTS
from tests.support.tokens import AUDIENCE, ISSUER, OTHER_RSA_KEY, fresh_token, key_set, settings_of
from tests.support.users_keys import users_config
from waystation.identity.user import User

EVENTS: list[EventMaker] = [rest_event, http_event, url_event]
KEY, APP = "key-of-alice", "https://app.example.com"
CHAT = {"model": "acme-large", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi!"}]}
TITLE = {"model": "acme-large", "input": "Hi!"}
STORED = {"apiKey": "canary-key-of-a-user", "name": "Claude", "value": "canary-key-of-a-user"}


class Route(NamedTuple):
    method: str
    path: str
    function: str
    body: Mapping[str, Any] | None = None
    query: tuple[str, str] | None = None


ROUTES = [
    Route("POST", "/v1/chat/completions", "chat", CHAT),
    Route("POST", "/v1/messages", "chat", CHAT),
    Route("POST", "/v1/messages/count_tokens", "chat", CHAT),
    Route("POST", "/v1/titles", "title", TITLE),
    Route("GET", "/v1/titles/c-1", "title"),
    Route("GET", "/api/convos/gen_title/c-1", "title"),
    Route("GET", "/v1/models", "models"),
    Route("GET", "/v1/models/Acme/acme-large", "models"),
    Route("GET", "/api/models", "models"),
    Route("GET", "/api/endpoints", "models"),
    Route("GET", "/api/endpoints/token-config", "models"),
    Route("PUT", "/v1/keys/Claude", "account", STORED),
    Route("GET", "/v1/keys/Claude", "account"),
    Route("DELETE", "/v1/keys/Claude", "account"),
    Route("PUT", "/api/keys", "account", STORED),
    Route("GET", "/api/keys", "account", query=("name", "Claude")),
    Route("DELETE", "/api/keys", "account", query=("all", "true")),
    Route("DELETE", "/api/keys/Claude", "account"),
    Route("GET", "/v1/usage", "account"),
    Route("GET", "/v1/balance", "account"),
]


@pytest.fixture(scope="module")
def _issuer() -> Iterator[FakeUpstream]:
    with FakeUpstream() as server:
        server.answer(key_set())
        yield server


@pytest.fixture(scope="module")
def _gateway(aws: str, acme: dict[str, Any], _issuer: FakeUpstream) -> Iterator[LambdaGateway]:
    put_secrets({"WHOSE": "user_provided"})
    environment = {
        "AUTH_MODES": "keys,jwt",
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_JWKS_URL": settings_of(_issuer).jwks_url,
        "GATEWAY_ALLOWED_ADDRESSES": _issuer.address,
        "CORS_ORIGINS": APP,
        "TRUSTED_CLAIM": "scope=assert",
        "VIA_TOKEN": "waystation-own",
    }
    gateway = LambdaGateway(users_config(acme), key=aws, environment=environment)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(_gateway: LambdaGateway, upstream: FakeUpstream) -> LambdaGateway:
    """A gateway that takes keys and tokens, and lets one browser app call."""
    _gateway.log.clear()
    return _gateway


def ask(
    gateway: LambdaGateway,
    route: Route,
    headers: Mapping[str, str],
    event: EventMaker = rest_event,
    *,
    query: tuple[str, str] | None = None,
) -> Answer:
    asked = query or route.query
    make = with_query(event, *asked) if asked else event
    body = None if route.body is None else json.dumps(route.body).encode()
    sent = {"Content-Type": "application/json", **headers}
    gateway.context.remaining_ms = 3100 if "gen_title" in route.path else 60_000  # it would wait
    answer = gateway.call(route.function, make(route.method, route.path, sent, body))
    assert "canary" not in answer.text
    return answer


def bearer(credential: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}", **headers}


def confusions() -> list[dict[str, str]]:
    token, other = fresh_token(), fresh_token(sub="bob")
    return [
        {},
        bearer("key-of-nobody"),
        bearer(token, **{"x-api-key": KEY}),
        bearer(KEY, **{"x-api-key": token}),
        bearer(token, **{"x-api-key": other}),
        bearer(f"{token}, Bearer {other}"),
        {"Authorization": "Basic YTpi", "x-api-key": token},
        {"Cookie": f"token={token}"},
        {"x-endpoint-api-key": KEY},
        {"x-librechat-user-id": "alice", "x-user-id": "alice", "X-Forwarded-User": "alice"},
        bearer(fresh_token("RS256", key=OTHER_RSA_KEY)),
        bearer(fresh_token(exp=int(time.time()) - 61)),
    ]


def test_these_are_all_routes() -> None:
    paths = {path.partition("{")[0] for m, path in TEMPLATES_EVENTS if m not in {"options", "any"}}
    known = {path for path in paths for r in ROUTES if r.path.startswith(path)}
    assert paths - known == {"/healthz"}


@pytest.mark.parametrize("event", EVENTS, ids=["REST", "HTTP", "URL"])
def test_no_route_lets_anybody_else_in(
    gateway: LambdaGateway, upstream: FakeUpstream, event: EventMaker
) -> None:
    told = set()
    for headers in confusions():
        for route in ROUTES:
            answer = ask(gateway, route, headers, event)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
            told.add(answer.text.replace(answer.headers["x-request-id"], ""))
    assert len(told) == 2  # OpenAI's envelope, and Anthropic's
    assert upstream.received == []
    assert "eyJ" not in gateway.log.text
    assert KEY not in gateway.log.text


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_takes_either_credential_in_either_header(
    gateway: LambdaGateway, upstream: FakeUpstream, route: Route
) -> None:
    for credential in (KEY, fresh_token()):
        for headers in (bearer(credential), {"x-api-key": credential}):
            for event in EVENTS:
                assert ask(gateway, route, headers, event).status in {200, 201, 204, 400, 404}
    if route.query is None:
        for name in ("key", "api_key", "access_token"):
            alone = ask(gateway, route, {}, query=(name, KEY))
            other = ask(gateway, route, bearer(KEY), query=(name, "key-of-bob"))
            assert (alone.status, other.status) == (401, 401)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_one_browser_app_may_read_every_answer(
    gateway: LambdaGateway, upstream: FakeUpstream, route: Route
) -> None:
    own = {"User-Agent": "waystation/waystation-own"}
    asked = {"Access-Control-Request-Method": route.method}
    for origin, shown in ((APP, APP), (f"{APP}.evil.test", None), ("null", None)):
        answers = [ask(gateway, route, {"Origin": origin, **h}) for h in ({}, bearer(KEY), own)]
        assert [answers[0].status, answers[2].status] == [401, 508]
        for function in ("models", route.function):
            headers = {"Origin": origin, **asked}
            preflight = gateway.call(function, rest_event("OPTIONS", route.path, headers, None))
            assert preflight.status == 204 if shown else preflight.status in {404, 405}
            answers.append(preflight)
        for answer in answers:
            assert answer.headers["vary"] == "Origin"
            assert answer.headers.get("access-control-allow-origin") == shown
            assert "access-control-allow-credentials" not in answer.headers


PUT, GET, DELETE = (route for route in ROUTES if route.path == "/v1/keys/Claude")


def test_nobody_sees_the_keys_or_titles_of_others(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    bob = fresh_token(sub="bob")
    asserted = {"x-librechat-user-id": "alice", "x-user-id": "alice"}
    assert ask(gateway, PUT, bearer(KEY)).status == 200
    assert ask(gateway, GET, bearer(fresh_token())).status == 200  # alice, too
    nobodys = ask(gateway, GET, bearer(fresh_token(sub="nobody")))
    for headers in (bearer(bob), bearer(bob, **asserted)):
        answer = ask(gateway, GET, headers)
        assert (answer.status, answer.text) == (404, nobodys.text)
        assert ask(gateway, DELETE, headers).status == 204
    trusted = bearer(fresh_token(sub="librechat", scope="openid assert"), **asserted)
    assert ask(gateway, GET, trusted).status == 404  # a token's list is no text with blanks
    trusted = bearer(fresh_token(sub="librechat", scope=["openid", "assert"]), **asserted)
    assert ask(gateway, GET, trusted).status == 200
    assert ask(gateway, DELETE, bearer(KEY)).status == 204


STRANGE = [
    *(
        "a",
        "a#b",
        "a%23b",
        "a%2523b",
        "a/b",
        "a%2Fb",
        "A",
        "é",
        "e\u0301",
        "名前",
        "a ",
        " a",
        "a\n",
    ),
    *("a\0", "a#KEY#Claude", "../a", "%h", "x" * 200, "x" * 201, "x" * 8192, "é" * 4000),
]


def test_no_two_ids_are_one_user(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    trusted = make_gateway_key("key-of-librechat", User("librechat"), is_trusted=True)

    def as_user(user_id: str) -> dict[str, str]:
        encoded = base64.b64encode(user_id.encode()).decode()
        return bearer(trusted, **{"x-librechat-user-id": f"b64:{encoded}"})

    for user_id in STRANGE:
        assert ask(gateway, GET, as_user(user_id)).status == 404
        assert ask(gateway, PUT, as_user(user_id)).status == 200
        assert ask(gateway, GET, as_user(user_id)).status == 200
    for user_id in STRANGE:
        assert ask(gateway, DELETE, as_user(user_id)).status == 204
        assert ask(gateway, GET, as_user(user_id)).status == 404
    too_long = ask(gateway, GET, as_user("x" * 8193))
    assert (too_long.status, too_long.error["code"]) == (400, "invalid_header_value")


def test_health_is_open_and_tells_nothing(gateway: LambdaGateway) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"x-api-key": "a", "Cookie": "b"}):
        answer = gateway.get("/healthz", key="", headers=headers)
        assert answer.status == 200
        assert answer.json.keys() == {"status", "config_version"}
