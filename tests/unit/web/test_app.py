"""What every request gets: identity, an id, safe headers, errors in the envelope, one log line."""

import json

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tests.support.asgi import AsgiAnswer, ask
from tests.support.web_app import JSON, RUNTIME, SECRET, handle
from waystation.errors import InvalidBodyError
from waystation.web.app import PostRoute, create_app, wrap_app

SAFE = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


async def post(do: str = "", *, path: str = "/chat", method: str = "POST", **headers) -> AsgiAnswer:
    app = create_app([PostRoute("/chat", handle)], RUNTIME)
    body = [json.dumps({"do": do}).encode()]
    return await ask(app, method, path, headers=headers or JSON, body=body)


def line_of(capsys) -> dict[str, object]:
    """Return the fields of the one line of the request."""
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()][-1:]
    own = {"level", "location", "timestamp", "service", "message", "latency_ms", "request_id"}
    assert isinstance(line["latency_ms"], int)
    return {name: value for name, value in line.items() if name not in own}


async def test_answer_carries_its_request_id_and_safe_headers(capsys):
    answer = await post()
    request_id = answer.headers["x-request-id"]
    assert answer.status == 200
    assert answer.json == {"id": request_id, "user": "alice"}
    assert answer.headers == {
        **SAFE,
        "content-type": "application/json",
        "content-length": str(len(answer.body)),
        "x-request-id": request_id,
    }
    assert line_of(capsys) == {
        "user_id": "alice",
        "key_id": "k1",
        "model": "[REDACTED]",
        "method": "POST",
        "route": "/chat",
        "status": 200,
    }


OWN = ["1.1 waystation", "1.0 a.test, HTTP/1.1 Waystation (x), 1.1 b", "1.1\twaystation ,1.1 c"]


@pytest.mark.parametrize("via", OWN)
async def test_a_request_of_our_own_is_refused_on_every_route(via, capsys):
    for path in ("/chat", "/nowhere"):
        answer = await post(path=path, **{**JSON, "via": via})
        assert answer.status == 508
        assert answer.json["error"]["code"] == "loop_detected"
        assert answer.headers["x-should-retry"] == "false"
    told = {"error_code": "loop_detected", "error_source": "gateway"}
    assert line_of(capsys) == {"method": "POST", "status": 508, **told}


async def test_every_request_has_an_id_of_its_own():
    app = create_app([PostRoute("/chat", handle)], RUNTIME)
    ids = [(await ask(app)).headers["x-request-id"] for _ in range(5)]
    assert sorted(set(ids)) == ids


async def test_stream_is_sent_as_events():
    answer = await post("stream")
    assert answer.status == 200
    assert answer.headers | SAFE == answer.headers
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.body == b"data: 1\n\ndata: [DONE]\n\n"


async def test_unforeseen_error_is_a_fixed_text_and_its_place_in_the_log(capsys):
    answer = await post("fail")
    assert answer.status == 500
    assert answer.json == {
        "error": {
            "message": "The gateway failed unexpectedly. The log has the details.",
            "type": "internal_error",
            "param": None,
            "code": "internal_error",
        }
    }
    assert answer.headers["x-should-retry"] == "false"
    out = capsys.readouterr().out
    assert SECRET not in out
    unexpected, request = (json.loads(line) for line in out.splitlines())
    assert (unexpected["message"], unexpected["error_type"]) == ("unexpected_error", "ValueError")
    assert unexpected["request_id"] == request["request_id"] == answer.headers["x-request-id"]
    assert (request["status"], request["error_code"]) == (500, "internal_error")


async def test_our_errors_are_envelopes_with_their_headers(capsys):
    answer = await post("refuse")
    assert answer.status == 429
    assert answer.json["error"] == {
        "message": "Slow down.",
        "type": "rate_limit_error",
        "param": None,
        "code": "upstream_rate_limited",
    }
    assert answer.headers["retry-after"] == "7"
    assert answer.headers | SAFE == answer.headers
    assert line_of(capsys)["error_code"] == "upstream_rate_limited"


ROUTES = {
    "unknown route": ("POST", "/nothing", 404, "not_found"),
    "slash at the end": ("POST", "/chat/", 404, "not_found"),
    "encoded": ("POST", "/chat/../x%00", 404, "not_found"),
    "another method": ("GET", "/chat", 405, "method_not_allowed"),
    "unknown method": ("BREW", "/chat", 405, "method_not_allowed"),
}


@pytest.mark.parametrize(("method", "path", "status", "code"), ROUTES.values(), ids=ROUTES)
async def test_other_routes_and_methods_are_envelopes(method, path, status, code):
    answer = await post(path=path, method=method)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.headers | SAFE == answer.headers
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 401),
        ({"content-type": "text/plain"}, 401),
        ({"authorization": "Bearer key"}, 415),
    ],
)
async def test_caller_is_known_before_the_body_is_read(headers, status):
    assert (await post(**headers)).status == status


async def test_client_that_goes_while_it_sends_is_only_logged(capsys):
    async def gone(scope, receive, send) -> None:
        raise ClientDisconnect

    answer = await ask(wrap_app(gone, RUNTIME))
    assert answer.messages == []
    assert line_of(capsys) == {
        "method": "GET",
        "status": 499,
        "error_code": "client_disconnected",
    }


@pytest.mark.parametrize(
    ("do", "status", "code"),
    [
        ("", 200, "client_disconnected"),
        ("stream", 200, "client_disconnected"),
        ("refuse", 429, "upstream_rate_limited"),
    ],
    ids=["whole", "stream", "error"],
)
async def test_client_that_goes_before_its_answer_is_only_logged(capsys, do, status, code):
    app = create_app([PostRoute("/chat", handle)], RUNTIME)

    async def to_nobody(scope, receive, send) -> None:
        async def refuse(message) -> None:
            raise ConnectionResetError

        await app(scope, receive, refuse)

    body = [json.dumps({"do": do}).encode()]
    await ask(to_nobody, "POST", "/chat", headers=JSON, body=body)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["message"] == "request"
    assert (json.loads(line)["status"], json.loads(line)["error_code"]) == (status, code)


async def test_other_protocols_pass_through():
    seen = []

    async def inner(scope, receive, send) -> None:
        seen.append(scope["type"])

    await wrap_app(inner, RUNTIME)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]


async def test_odd_http_error_of_a_library_is_a_bad_request():
    async def odd(scope, receive, send) -> None:
        raise HTTPException(418, detail="secret")

    answer = await ask(wrap_app(odd, RUNTIME))
    assert (answer.status, answer.json["error"]["message"]) == (
        400,
        "The request cannot be read.",
    )


async def test_error_after_the_answer_has_begun_sends_nothing_more():
    async def late(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise InvalidBodyError("x")

    answer = await ask(wrap_app(late, RUNTIME))
    assert [message["type"] for message in answer.messages] == ["http.response.start"]
