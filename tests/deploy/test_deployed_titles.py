"""Titles beside chats in the deployed stack: the chat function hands jobs to the title function."""

import json
import time
import uuid
from collections.abc import Iterator

import pytest
import yaml

from tests.deploy.conftest import LIVE_WITHIN_S, USAGE, Gateway, within
from tests.support.conversations import before, first_turn
from tests.support.fake_upstream import Received, Step, completion, json_reply

RATES = {"prompt": 0.15, "completion": 0.6, "cacheRead": 0.0755, "context": 128000}
TITLE_RATES = {"prompt": 1, "completion": 2, "context": 128000}
CHAT_COST, TITLE_COST = 165_026, 1000 * 1000 + 50 * 2000


@pytest.fixture(scope="module", autouse=True)
def titling(gateway: Gateway) -> Iterator[None]:
    """Push entries that make titles, at once and later; no function serves another file then."""
    entry = {
        "apiKey": "${FAKE_API_KEY}",
        "baseURL": gateway.upstream.url,
        "models": {"default": ["small", "titles"]},
        "tokenConfig": {"small": RATES, "titles": TITLE_RATES},
        "titleConvo": True,
        "titleModel": "titles",
    }
    entries = [
        {"name": "Immediate", **entry},
        {"name": "Final", **entry, "titleTiming": "final"},
    ]
    endpoints = {"allowedAddresses": [gateway.upstream.address], "custom": entries}
    gateway.deployment.push(yaml.safe_dump({"version": "1.3.14", "endpoints": endpoints}))
    assert within(LIVE_WITHIN_S, lambda: gateway.chat("Final/small").status_code == 200)
    gateway.start_anew("TitleFunction")
    yield
    gateway.reset_upstream()


@pytest.mark.parametrize("endpoint", ["Immediate", "Final"])
def test_first_turn_gets_one_title_of_its_users_own(gateway: Gateway, endpoint: str):
    conversation, seen = str(uuid.uuid4()), list[bool]()
    gateway.upstream.reset()
    gateway.upstream.answer(lambda request: _answer(gateway, request, endpoint, seen))

    answer = gateway.chat(f"{endpoint}/small", **first_turn(conversation))

    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Good day."
    assert _wait_for_title(gateway, conversation) == "Baking Bread"
    assert seen == [endpoint == "Final"]  # whether the chat had been answered

    later = gateway.chat(
        f"{endpoint}/small", **first_turn(conversation, "And rolls?"), parentMessageId="6f1c"
    )
    again = gateway.chat(f"{endpoint}/small", **first_turn(conversation))
    assert (later.status_code, again.status_code) == (200, 200)
    not_made = f"{again.headers['x-request-id']}-title"
    assert within(LIVE_WITHIN_S, lambda: not_made in _ids(gateway, "TitleLogs", "title_exists"))
    models = [request.json["model"] for request in gateway.upstream.received]
    assert sorted(models) == ["small", "small", "small", "titles"]

    librechats = gateway.request("GET", f"/api/convos/gen_title/{conversation}")
    assert (librechats.status_code, librechats.json()) == (200, {"title": "Baking Bread"})
    path = f"/v1/titles/{conversation}"
    of_another = gateway.request("GET", path, key=gateway.deployment.create_key("eve"))
    assert of_another.status_code == 404
    assert of_another.json()["error"]["code"] == "not_found"

    request_id = answer.headers["x-request-id"]
    chat, title = gateway.record(request_id), gateway.record(f"{request_id}-title")
    assert (chat["kind"], chat["model"], chat["cost"]) == ("chat", "small", CHAT_COST)
    assert (title["kind"], title["model"], title["cost"]) == ("title", "titles", TITLE_COST)
    assert title["state"] == "SETTLED"


def test_title_is_made_on_request(gateway: Gateway):
    body = {"model": "Immediate/small", "input": "How do I bake bread?"}

    answer = gateway.request("POST", "/v1/titles", body=body)

    assert answer.status_code == 200
    assert answer.json()["title"] == "Baking Bread"
    assert gateway.record(answer.headers["x-request-id"])["kind"] == "title"


def test_job_that_cannot_be_run_is_a_dead_letter(gateway: Gateway):
    sqs, url = gateway.client("sqs"), gateway.deployment.outputs["TitleJobsNotRun"]
    job = {"waystation": "title", "version": 0, "request_id": "of-a-version-that-is-not-known"}

    gateway.client("lambda").invoke(
        FunctionName=gateway.resource("TitleFunction"),
        InvocationType="Event",
        Payload=json.dumps(job),
    )

    letters = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", [])
    assert [json.loads(letter["Body"])["requestPayload"] for letter in letters] == [job]
    runs = gateway.logged("TitleLogs").count("of-a-version-that-is-not-known")
    assert runs == 1


def test_chat_is_answered_where_the_title_function_may_not_be_called(gateway: Gateway):
    conversation = str(uuid.uuid4())

    with gateway.without("ChatRole", "lambda:InvokeFunction"):
        answer = gateway.chat("Immediate/small", **first_turn(conversation))

    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Good day."
    not_made = f"{answer.headers['x-request-id']}-title"
    assert within(LIVE_WITHIN_S, lambda: not_made in _ids(gateway, "ChatLogs", "title_not_started"))
    assert '"cause":"AccessDenied' in gateway.logged("ChatLogs")
    assert gateway.request("GET", f"/v1/titles/{conversation}").status_code == 404


def _answer(
    gateway: Gateway, request: Received, endpoint: str, seen: list[bool]
) -> list[Step] | Iterator[Step]:
    """Answer; an immediate title's chat is answered after the title has been asked for."""
    if request.json["model"] == "titles":
        chats = [r for r in gateway.upstream.received if r.json["model"] == "small"]
        seen.append(chats[-1].is_answered)
        return json_reply(completion("Baking Bread", usage=_plain_usage()))
    answer = json_reply(completion("Good day.", usage=USAGE))
    return before(lambda: bool(seen), answer) if endpoint == "Immediate" else answer


def _plain_usage() -> dict[str, int]:
    return {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}


def _wait_for_title(gateway: Gateway, conversation: str) -> str:
    until = time.monotonic() + LIVE_WITHIN_S
    while (answer := gateway.request("GET", f"/v1/titles/{conversation}")).status_code != 200:
        assert answer.status_code == 404, answer.text
        assert time.monotonic() < until, gateway.logged("TitleLogs")
        time.sleep(0.2)
    title: str = answer.json()["title"]
    return title


def _ids(gateway: Gateway, group: str, message: str) -> list[str]:
    """Return the request ids of the lines with a message."""
    lines = [json.loads(x) for x in gateway.logged(group).splitlines() if f'"{message}"' in x]
    return [line["request_id"] for line in lines]
