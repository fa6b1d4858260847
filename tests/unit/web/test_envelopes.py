"""Which API's errors a path answers with."""

import pytest

from tests.support.asgi import ask
from tests.support.web_app import JSON, RUNTIME, handle
from waystation.web.app import PostRoute, create_app
from waystation.web.envelopes import speaks_anthropic

APP = create_app([PostRoute("/v1/messages", handle), PostRoute("/v1/chat", handle)], RUNTIME)


@pytest.mark.parametrize(
    ("path", "is_anthropics"),
    [
        ("/v1/messages", True),
        ("/v1/messages/", True),
        ("/v1/messages/count_tokens", True),
        ("/v1/messages/no/such", True),
        ("/v1/messagesque", False),
        ("/v1/chat/completions", False),
        ("/v1", False),
    ],
)
def test_paths_below_messages_are_anthropics(path, is_anthropics):
    assert speaks_anthropic({"path": path}) is is_anthropics


CASES = {
    "nobody": ("POST", "/v1/messages", {}, 401, "authentication_error"),
    "no JSON": ("POST", "/v1/messages", {"authorization": "Bearer key"}, 415, None),
    "another method": ("GET", "/v1/messages", JSON, 405, None),
    "unknown method": ("BREW", "/v1/messages", JSON, 405, None),
    "no such route": ("POST", "/v1/messages/nothing", JSON, 404, "not_found_error"),
}


@pytest.mark.parametrize(("method", "path", "headers", "status", "kind"), CASES.values(), ids=CASES)
async def test_errors_there_are_anthropics(method, path, headers, status, kind):
    answer = await ask(APP, method, path, headers=headers)
    told = answer.json
    assert (answer.status, told["type"]) == (status, "error")
    assert told["error"]["type"] == (kind or "invalid_request_error")
    assert told["request_id"] == answer.headers["request-id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("do", "status", "kind"), [("fail", 500, "api_error"), ("refuse", 429, "rate_limit_error")]
)
async def test_errors_of_a_handler_are_too(do, status, kind):
    body = [f'{{"do": "{do}"}}'.encode()]
    answer = await ask(APP, "POST", "/v1/messages", headers=JSON, body=body)
    assert (answer.status, answer.json["error"]["type"]) == (status, kind)


async def test_answers_have_the_id_that_sdks_read():
    answer = await ask(APP, "POST", "/v1/messages", headers=JSON, body=[b"{}"])
    assert answer.headers["request-id"] == answer.headers["x-request-id"]


async def test_other_routes_stay_as_they_are():
    answer = await ask(APP, "GET", "/v1/chat", headers=JSON)
    assert answer.json["error"]["code"] == "method_not_allowed"
    assert "request-id" not in answer.headers
