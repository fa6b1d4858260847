"""Titles as Lambda makes them: the chat function sends an event, the title function takes it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.conversations import TITLE_COST, first_turn, new_conversation, titling_entries
from tests.support.fake_upstream import (
    FakeUpstream,
    Reply,
    completion,
    json_reply,
    reply,
    streamed,
)
from tests.support.lambda_events import rest_event
from tests.support.lambda_gateway import LambdaGateway, make_gateway_key
from tests.support.served_gateway import free_port
from waystation.identity.user import User

EVENTS = Path(__file__).parents[2] / "events"
NAME = "waystation-TitleFunction-1A2B3C"
ACCEPTED = reply(status=202)


@pytest.fixture(scope="module")
def _invocations() -> Iterator[FakeUpstream]:
    with FakeUpstream() as service:
        yield service


@pytest.fixture
def invocations(_invocations: FakeUpstream) -> FakeUpstream:
    """Lambda's own API, which takes every event."""
    _invocations.reset()
    _invocations.answer(ACCEPTED)
    return _invocations


@pytest.fixture
def gateway(
    acme: dict[str, object], invocations: FakeUpstream, build_gateway: BuildGateway
) -> LambdaGateway:
    """A cold gateway, with entries that make titles; all upstreams are one."""
    return _titling(build_gateway, acme, f"http://{invocations.address}")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("endpoint", "output"), [("Acme", ""), ("Later", "Hello!")])
def test_a_chat_has_its_title_made_by_the_title_function(
    gateway: LambdaGateway,
    upstream: FakeUpstream,
    invocations: FakeUpstream,
    *,
    endpoint: str,
    output: str,
    stream: bool,
) -> None:
    upstream.answer(streamed("Hel", "lo!") if stream else json_reply(completion("Hello!")))
    conversation = new_conversation()

    answer = gateway.chat(model=f"{endpoint}/acme-large", stream=stream, **first_turn(conversation))

    assert answer.status == 200
    (invocation,) = invocations.received
    assert invocation.request_line == f"POST /2015-03-31/functions/{NAME}/invocations HTTP/1.1"
    assert invocation.header("x-amz-invocation-type") == ["Event"]
    request_id = f"{answer.headers['x-request-id']}-title"
    job = invocation.json
    assert (job["request_id"], job["input"], job["output"]) == (
        *(request_id, "How do I bake bread?", output),
    )

    upstream.answer(json_reply(completion("Baking Bread")))
    gateway.run_job(job)

    path = f"/v1/titles/{conversation}"
    title = gateway.get(path, function="title")
    assert title.json == {"title": "Baking Bread", "conversationId": conversation}
    record = gateway.record(request_id)
    assert (record["kind"], record["endpoint"], record["cost"]) == ("title", "Titles", TITLE_COST)
    assert record["conversation_id"] == conversation
    assert gateway.record_of(answer)["kind"] == "chat"


def test_a_job_that_comes_twice_makes_one_title(
    gateway: LambdaGateway, upstream: FakeUpstream, invocations: FakeUpstream
) -> None:
    gateway.chat(model="Acme/acme-large", **first_turn(new_conversation()))
    upstream.reset()
    upstream.answer(json_reply(completion("Baking Bread")))

    gateway.run_job(invocations.last.json)
    gateway.run_job(invocations.last.json)

    assert len(upstream.received) == 1
    messages = [line["message"] for line in gateway.log.lines()]
    assert messages[-2:] == ["title_made", "title_exists"]


@pytest.mark.parametrize(
    ("answered", "cause"),
    [
        (
            json_reply(
                {"Message": "not authorized"},
                status=403,
                headers=[("x-amzn-errortype", "AccessDeniedException")],
            ),
            "AccessDeniedException",
        ),
        (
            json_reply(
                {"Message": "Rate Exceeded."},
                status=429,
                headers=[("x-amzn-errortype", "TooManyRequestsException")],
            ),
            "TooManyRequestsException",
        ),
        ([30.0], "TimeoutError"),
    ],
    ids=["refused", "throttled", "hanging"],
)
def test_a_title_that_cannot_be_started_leaves_the_chat_as_it_is(
    gateway: LambdaGateway,
    upstream: FakeUpstream,
    invocations: FakeUpstream,
    answered: Reply,
    cause: str,
) -> None:
    invocations.answer(answered)

    answer = gateway.chat(model="Acme/acme-large", **first_turn(new_conversation()))

    assert (answer.status, answer.json["choices"]) == (200, completion()["choices"])
    _expect_not_started(gateway, answer.headers["x-request-id"], cause)
    assert len(invocations.received) == 1


def test_an_unreachable_lambda_leaves_the_chat_as_it_is(
    acme: dict[str, object], upstream: FakeUpstream, build_gateway: BuildGateway
) -> None:
    gateway = _titling(build_gateway, acme, f"http://127.0.0.1:{free_port()}")

    answer = gateway.chat(model="Acme/acme-large", **first_turn(new_conversation()))

    assert answer.status == 200
    _expect_not_started(gateway, answer.headers["x-request-id"], "NotConnected")


def test_a_job_of_a_version_that_is_not_known_fails_the_invocation(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    job = _event("title-job.json") | {"version": 2}

    with pytest.raises(Exception, match="job"):
        gateway.run_job(job)

    assert [line["message"] for line in gateway.log.lines()] == ["unexpected_error"]
    assert job["input"] not in gateway.log.text
    assert upstream.received == []


def test_a_job_without_a_table_fails_the_invocation(
    acme: dict[str, object], upstream: FakeUpstream, build_gateway: BuildGateway
) -> None:
    gateway = build_gateway(acme | {"titleConvo": True}, TABLE_NAME="not-there")

    with pytest.raises(Exception, match=r"job|store"):
        gateway.run_job(_event("title-job.json") | {"endpoint": "Acme"})

    told, _ = gateway.log.lines()
    assert (told["message"], told["error_code"]) == ("title_failed", "ledger_unavailable")
    assert upstream.received == []


def test_a_client_cannot_send_a_job(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    key = make_gateway_key("key-of-bob", User("bob"))
    chosen = {"endpoint": "Acme", "model": "acme-large", "user_id": "bob"}
    job = _event("title-job.json") | chosen
    headers = {"Authorization": "Bearer key-of-alice", "Content-Type": "application/json"}

    event = rest_event("POST", "/v1/titles", headers, json.dumps(job).encode())
    answer = gateway.call("title", event)

    path = f"/v1/titles/{job['conversation']['conversationId']}"
    assert answer.json["title"] == "Hello!"  # a title of the caller's own, by its fields
    assert gateway.record_of(answer, "alice")["kind"] == "title"
    assert gateway.get(path, function="title", key=key).status == 404
    assert gateway.get(path, function="title").status == 404


def test_the_example_events_are_taken(
    acme: dict[str, object], upstream: FakeUpstream, build_gateway: BuildGateway
) -> None:
    key = make_gateway_key("key-of-local", User("local"))
    demo = {"name": "Demo", "models": {"default": ["demo-small"]}, "titleConvo": True}
    gateway = build_gateway(acme | demo)
    upstream.answer(json_reply(completion("Baking Bread")))

    made = gateway.call("title", _event("title.json", key))
    gateway.run_job(_event("title-job.json"))
    found = gateway.call("title", _event("title-get.json", key))

    assert (made.status, found.status) == (200, 200)
    assert made.json["title"] == found.json["title"] == "Baking Bread"
    assert made.json["conversationId"] == found.json["conversationId"]


def _titling(
    build_gateway: BuildGateway, acme: dict[str, object], lambda_url: str
) -> LambdaGateway:
    entries = titling_entries(acme, str(acme["baseURL"]))
    return build_gateway(*entries, TITLE_FUNCTION=NAME, AWS_ENDPOINT_URL_LAMBDA=lambda_url)


def _expect_not_started(gateway: LambdaGateway, request_id: str, cause: str) -> None:
    (line,) = [x for x in gateway.log.lines() if x["message"] == "title_not_started"]
    assert line["request_id"] == f"{request_id}-title"
    assert line["cause"].endswith(cause)  # which of two clocks of 2 s is the first, is no matter
    assert line["level"] == "ERROR"


def _event(name: str, key: str = "") -> dict[str, Any]:
    text = (EVENTS / name).read_text(encoding="utf-8").replace("sk-waystation-local", key)
    event: dict[str, Any] = json.loads(text)
    return event
