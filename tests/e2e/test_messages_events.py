"""Anthropic's API behind the chat function's handler, and in `waystation dev`."""

import json
from pathlib import Path

import pytest

from tests.support.dev_process import DevProcess
from tests.support.fake_upstream import FakeUpstream, streamed
from tests.support.lambda_events import EventMaker, http_event, rest_event, url_event
from tests.support.lambda_gateway import LambdaGateway
from tests.support.served_gateway import COUNT, MESSAGES

ROOT = Path(__file__).parents[2]
HEADERS = {"X-Api-Key": "key-of-alice", "Content-Type": "application/json"}
BODY = {"model": "acme-large", "max_tokens": 9, "messages": [{"role": "user", "content": "Hé!"}]}
JSON = json.dumps(BODY, ensure_ascii=False).encode()

every_event = pytest.mark.parametrize(
    "make_event", [rest_event, http_event, url_event], ids=["REST", "HTTP", "URL"]
)


@every_event
def test_a_message_is_answered(
    gateway: LambdaGateway, upstream: FakeUpstream, make_event: EventMaker
) -> None:
    answer = gateway.call("chat", make_event("POST", MESSAGES, HEADERS, JSON))

    assert (answer.status, answer.json["type"]) == (200, "message")
    assert answer.json["content"] == [{"type": "text", "text": "Hello!"}]
    assert upstream.last.json["messages"] == BODY["messages"]
    assert gateway.record_of(answer)["state"] == "SETTLED"


def test_a_stream_is_answered(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    upstream.answer(streamed("Hel", "lo!"))

    answer = gateway.post(json.dumps(BODY | {"stream": True}).encode(), path=MESSAGES)

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    names = [line for line in answer.text.split("\n") if line.startswith("event: ")]
    assert (names[0], names[-1]) == ("event: message_start", "event: message_stop")


@every_event
def test_errors_are_anthropics(gateway: LambdaGateway, make_event: EventMaker) -> None:
    asked = {
        MESSAGES: make_event("POST", MESSAGES, {}, JSON),
        COUNT: make_event("POST", COUNT, HEADERS, JSON),
    }

    told = [gateway.call("chat", event).json["error"]["type"] for event in asked.values()]

    assert told == ["authentication_error", "not_found_error"]


def test_the_sample_event_asks_the_demo(tmp_path: Path) -> None:
    event = json.loads((ROOT / "events" / "messages.json").read_text(encoding="utf-8"))
    with DevProcess(tmp_path, key=event["headers"]["X-Api-Key"]) as dev:
        answer = dev.client.request(
            event["httpMethod"], event["path"], content=event["body"], headers=event["headers"]
        )

    assert answer.json()["content"][0]["text"].startswith("You said: Hello!")
