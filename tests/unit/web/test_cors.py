"""Which browsers' apps may call."""

import json

import pytest

from tests.support.asgi import AsgiAnswer, ask
from tests.support.web_app import JSON, RUNTIME, handle
from waystation.web.app import PostRoute, create_app
from waystation.web.cors import Cors

APP = "https://app.example.com"
LOCAL = "http://localhost:3000"
EXPOSED = "x-request-id, request-id, retry-after, x-should-retry"
PREFLIGHT = {"access-control-request-method": "POST"}


@pytest.fixture(autouse=True)
def _origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", f"{APP},{LOCAL}")


async def send(method: str = "POST", path: str = "/chat", **headers: str) -> AsgiAnswer:
    app = create_app([PostRoute("/chat", handle)], RUNTIME)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    do = names.pop("do", "")
    return await ask(app, method, path, headers=names, body=[json.dumps({"do": do}).encode()])


def shared_with(answer: AsgiAnswer) -> dict[str, str]:
    names = ("access-control", "vary")
    return {name: value for name, value in answer.headers.items() if name.startswith(names)}


@pytest.mark.parametrize("origin", [APP, LOCAL])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (JSON, 200),
        ({**JSON, "do": "stream"}, 200),
        ({**JSON, "do": "refuse"}, 429),
        ({**JSON, "do": "fail"}, 500),
        ({}, 401),
    ],
    ids=["answer", "stream", "refusal", "failure", "no key"],
)
async def test_listed_origin_may_read_every_answer(origin, headers, status):
    answer = await send(origin=origin, **headers)
    assert answer.status == status
    assert shared_with(answer) == {
        "vary": "Origin",
        "access-control-allow-origin": origin,
        "access-control-expose-headers": EXPOSED,
    }


NEAR_MISSES = [
    "http://app.example.com",
    "https://app.example.com:443",
    "https://app.example.com:8443",
    "https://app.example.com.",
    "https://app.example.com/",
    "https://APP.example.com",
    "https://evil.app.example.com",
    "https://example.com",
    "https://app.example.com.evil.com",
    "https://evilapp.example.com",
    "https://app.example.co",
    "https://app-example.com",
    f"{APP}, {LOCAL}",
    f"{APP},{LOCAL}",
    "http://localhost:300",
    "http://127.0.0.1:3000",
    "null",
    "*",
    "",
]


@pytest.mark.parametrize("origin", NEAR_MISSES)
async def test_other_origins_are_told_nothing(origin):
    for method, status in (("POST", 200), ("OPTIONS", 405)):
        answer = await send(method, origin=origin, **JSON, **PREFLIGHT)
        assert answer.status == status
        assert shared_with(answer) == {"vary": "Origin"}


async def test_request_without_origin_varies_too():
    assert shared_with(await send(**JSON)) == {"vary": "Origin"}


def test_two_origins_are_none():
    headers = [(b"origin", APP.encode()), (b"origin", LOCAL.encode())]
    assert Cors(frozenset({APP, LOCAL})).headers_for({"headers": headers}) == {"vary": "Origin"}


@pytest.mark.parametrize("path", ["/chat", "/v1/messages", "/v1/nowhere"])
async def test_preflight_is_answered_without_a_key(path):
    answer = await send("OPTIONS", path, origin=APP, **PREFLIGHT)
    assert (answer.status, answer.body) == (204, b"")
    assert shared_with(answer) == {
        "vary": "Origin",
        "access-control-allow-origin": APP,
        "access-control-expose-headers": EXPOSED,
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-allow-headers": "",
        "access-control-max-age": "600",
    }


async def test_preflight_allows_what_clients_send():
    asked = (
        "authorization,content-type,x-api-key,anthropic-version,anthropic-beta,x-endpoint,"
        "x-request-id,idempotency-key,x-stainless-lang,x-stainless-retry-count"
    )
    answer = await send("OPTIONS", origin=APP, access_control_request_headers=asked, **PREFLIGHT)
    assert answer.headers["access-control-allow-headers"] == asked.replace(",", ", ")


@pytest.mark.parametrize(
    "asked",
    ["x-librechat-user-id", "cookie", "x-user-id", "stainless-x", "authorization2", "*", "a\tb"],
)
async def test_preflight_leaves_out_other_headers(asked):
    answer = await send(
        "OPTIONS",
        origin=APP,
        access_control_request_headers=f"{asked}, Authorization",
        **PREFLIGHT,
    )
    assert answer.headers["access-control-allow-headers"] == "authorization"


async def test_options_that_asks_for_no_method_is_no_preflight():
    assert (await send("OPTIONS", origin=APP)).status == 405


async def test_without_the_setting_there_is_no_trace_of_it(monkeypatch):
    monkeypatch.delenv("CORS_ORIGINS")
    for method, status in (("POST", 200), ("OPTIONS", 405)):
        answer = await send(method, origin=APP, **JSON, **PREFLIGHT)
        assert (answer.status, shared_with(answer)) == (status, {})
