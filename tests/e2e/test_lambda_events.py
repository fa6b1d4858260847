"""Events of every kind, regular and not, and bodies that no honest client sends."""

import uuid
from collections.abc import Callable

import pytest

from tests.support.fake_upstream import FakeUpstream
from tests.support.lambda_events import (
    Event,
    EventMaker,
    http_event,
    in_base64,
    rest_event,
    url_event,
)
from tests.support.lambda_gateway import LambdaGateway, make_gateway_key
from waystation.identity.user import User

CHAT = "/v1/chat/completions"
HEADERS = {"Authorization": "Bearer key-of-alice", "Content-Type": "application/json"}
BODY = b'{"model": "acme-large", "messages": [{"role": "user", "content": "H\xc3\xa9!"}]}'
MEGABYTE = 1024 * 1024

every_event = pytest.mark.parametrize(
    "make_event", [rest_event, http_event, url_event], ids=["REST", "HTTP", "URL"]
)


@every_event
def test_a_chat_is_answered(
    gateway: LambdaGateway, upstream: FakeUpstream, make_event: EventMaker
) -> None:
    answer = gateway.call("chat", make_event("POST", CHAT, HEADERS, BODY))

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert upstream.last.json["messages"] == [{"role": "user", "content": "Hé!"}]


@every_event
def test_a_body_in_base64_is_read(
    gateway: LambdaGateway, upstream: FakeUpstream, make_event: EventMaker
) -> None:
    event = in_base64(make_event("POST", CHAT, HEADERS, BODY))

    assert gateway.call("chat", event).status == 200
    assert upstream.last.json["messages"] == [{"role": "user", "content": "Hé!"}]


@every_event
@pytest.mark.parametrize("body", ["****", "abcde", BODY.decode(), "ü"])
def test_a_body_that_is_not_base64_but_says_so_is_400(
    gateway: LambdaGateway, upstream: FakeUpstream, make_event: EventMaker, body: str
) -> None:
    event = make_event("POST", CHAT, HEADERS, BODY) | {"body": body, "isBase64Encoded": True}

    answer = gateway.call("chat", event)

    assert (answer.status, answer.error["code"]) == (400, "invalid_json")
    assert upstream.received == []


@every_event
def test_lists_and_health_are_answered(gateway: LambdaGateway, make_event: EventMaker) -> None:
    assert gateway.get("/v1/models", event=make_event).json["object"] == "list"
    assert gateway.get("/healthz", key="", event=make_event).json["status"] == "ok"


@every_event
def test_names_of_headers_may_be_in_any_case(
    gateway: LambdaGateway, upstream: FakeUpstream, make_event: EventMaker
) -> None:
    event = make_event("POST", CHAT, {}, BODY)
    event["headers"] = {"AUTHORIZATION": "bearer key-of-alice", "cONTENT-tYPE": "application/json"}
    event["multiValueHeaders"] = None

    assert gateway.call("chat", event).status == 200


def _without_headers(event: Event) -> Event:
    return event | {"headers": None, "multiValueHeaders": None}


def _without_header_values(event: Event) -> Event:
    return event | {"headers": {"authorization": None}, "multiValueHeaders": {"host": None}}


def _with_a_strange_host(event: Event) -> Event:
    event["headers"] |= {"host": "[::1]:80", "x-forwarded-port": "http"}
    return event | {"multiValueHeaders": None}


def _without_keys(event: Event) -> Event:
    optional = {"headers", "multiValueHeaders", "body", "isBase64Encoded", "rawQueryString"}
    return {name: value for name, value in event.items() if name not in optional}


@every_event
@pytest.mark.parametrize(
    "change", [_without_headers, _without_header_values, _without_keys], ids=lambda f: f.__name__
)
def test_an_event_without_headers_is_a_request_without_a_key(
    gateway: LambdaGateway, make_event: EventMaker, change: Callable[[Event], Event]
) -> None:
    chat = gateway.call("chat", change(make_event("POST", CHAT, HEADERS, BODY)))
    models = gateway.call("models", change(make_event("GET", "/v1/models", HEADERS, None)))

    assert (chat.status, chat.error["code"]) == (401, "invalid_api_key")
    assert (models.status, models.error["code"]) == (401, "invalid_api_key")


@every_event
def test_a_strange_host_makes_no_difference(
    gateway: LambdaGateway, upstream: FakeUpstream, make_event: EventMaker
) -> None:
    event = _with_a_strange_host(make_event("POST", CHAT, HEADERS, BODY))

    assert gateway.call("chat", event).status == 200


@every_event
@pytest.mark.parametrize("body", [None, ""], ids=["null", "empty"])
def test_an_event_without_a_body_is_400(
    gateway: LambdaGateway, make_event: EventMaker, body: str | None
) -> None:
    event = make_event("POST", CHAT, HEADERS, BODY) | {"body": body}

    answer = gateway.call("chat", event)

    assert (answer.status, answer.error["code"]) == (400, "invalid_json")


def test_a_header_given_twice_is_no_key(gateway: LambdaGateway) -> None:
    event = rest_event("POST", CHAT, HEADERS, BODY)
    event["multiValueHeaders"]["Authorization"] = ["Bearer key-of-alice", "Bearer key-of-alice"]

    assert gateway.call("chat", event).status == 401


@every_event
def test_an_asserted_name_in_latin_1_arrives_as_it_is(
    gateway: LambdaGateway, upstream: FakeUpstream, make_event: EventMaker
) -> None:
    key = make_gateway_key(uuid.uuid4().hex, User("librechat"), is_trusted=True)
    asserted = {"Authorization": f"Bearer {key}", "x-librechat-user-id": "Zoë"}

    gateway.call("chat", make_event("POST", CHAT, HEADERS | asserted, BODY))

    assert upstream.last.json["user"] == "Zoë"


@every_event
@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/",
        "/v1/chat/completions/../../models",
        "/v1/../v1/chat/completions",
        "/v1/chat/completions%2F..",
        "/v1/chat/completions%00",
        "/v1/chat/completions%2500",
        "//v1/chat/completions",
        "/v1/chat%5Ccompletions",
        "/V1/chat/completions",
        "/prod/v1/chat/completions",
        "/",
        "",
    ],
)
def test_another_path_is_404(
    gateway: LambdaGateway, upstream: FakeUpstream, make_event: EventMaker, path: str
) -> None:
    chat = gateway.call("chat", make_event("POST", path, HEADERS, BODY))
    models = gateway.call("models", make_event("GET", path, HEADERS, None))

    assert (chat.status, chat.error["code"]) == (404, "not_found")
    assert (models.status, models.error["code"]) == (404, "not_found")
    assert upstream.received == []


@every_event
@pytest.mark.parametrize("path", ["/v1/models/a%2Fb", "/v1/models/..%2F..", "/v1/models%00"])
def test_another_path_of_the_lists_is_404(
    gateway: LambdaGateway, make_event: EventMaker, path: str
) -> None:
    assert gateway.get(path, event=make_event).status == 404


@every_event
def test_another_method_is_405(gateway: LambdaGateway, make_event: EventMaker) -> None:
    answer = gateway.call("chat", make_event("GET", CHAT, HEADERS, None))

    assert (answer.status, answer.error["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert gateway.call("models", make_event("POST", "/v1/models", HEADERS, None)).status == 405


@pytest.mark.parametrize("given", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "", "a\tb"])
def test_the_request_id_is_ours(gateway: LambdaGateway, given: str) -> None:
    first = gateway.chat(headers={"x-request-id": given})
    second = gateway.chat(headers={"x-request-id": given})

    ids = [answer.headers["x-request-id"] for answer in (first, second)]
    assert given not in ids
    assert ids == sorted(set(ids))
    assert [len(request_id) for request_id in ids] == [26, 26]


def test_an_unforeseen_error_says_nothing(
    gateway: LambdaGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise RuntimeError("a detail of the inside")

    monkeypatch.setattr(gateway.context, "get_remaining_time_in_millis", fail)

    answer = gateway.chat()

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
