"""The routes of the deployed stack, called through its API URL with its own permissions."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.conftest import UPSTREAM_KEY, USAGE, Gateway

if TYPE_CHECKING:
    from httpx2 import Response

TURN = {"messages": [{"role": "user", "content": "Hello!"}]}
FETCHED = "Fetched/vendor/model"


@pytest.mark.parametrize("model", ["Late/late", "Claude/claude-test-1"], ids=["OpenAI's", "native"])
def test_message_is_answered(gateway: Gateway, model: str):
    answer = _post(gateway, "/v1/messages", {"model": model, "max_tokens": 64, **TURN})
    assert [block["text"] for block in answer["content"]] == ["Good day."]
    assert (answer["type"], answer["stop_reason"]) == ("message", "end_turn")


def test_tokens_are_counted_by_the_native_upstream(gateway: Gateway):
    body = {"model": "Claude/claude-test-1", **TURN}
    assert _post(gateway, "/v1/messages/count_tokens", body) == {"input_tokens": 12}
    assert gateway.upstream.last.path == "/v1/messages/count_tokens"
    assert gateway.upstream.last.header("x-api-key") == [UPSTREAM_KEY]


def test_chat_with_a_native_upstream(gateway: Gateway):
    answer = gateway.chat("Claude/claude-test-1")
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Good day."
    assert gateway.record(answer.headers["x-request-id"])["state"] == "SETTLED"


def test_list_is_what_the_upstream_tells(gateway: Gateway):
    assert gateway.model_ids("Fetched") == [FETCHED]
    assert gateway.request("GET", "/api/models").json()["Fetched"] == ["vendor/model"]


@pytest.mark.parametrize("path", [FETCHED, FETCHED.replace("/", "%2F")], ids=["plain", "encoded"])
def test_one_model_is_found_by_its_id(gateway: Gateway, path: str):
    found = gateway.request("GET", f"/v1/models/{path}")
    assert (found.status_code, found.json()["id"]) == (200, FETCHED)


def test_model_that_is_not_listed_is_404(gateway: Gateway):
    missing = gateway.request("GET", "/v1/models/Fetched%2Fnone")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


def test_endpoints_are_shown_as_librechat_shows_them(gateway: Gateway):
    shown = gateway.request("GET", "/api/endpoints").raise_for_status().json()
    assert {"Fake", "Claude", "Fetched", "Late", "openAI"} == set(shown)
    assert shown["openAI"]["userProvide"] is True


def test_contexts_of_models_are_told(gateway: Gateway):
    told = gateway.request("GET", "/api/endpoints/token-config").raise_for_status().json()
    assert {model["context"] for model in told["Fake"].values()} == {128000}


def test_streamed_message_comes_whole(gateway: Gateway):
    body = {"model": "Late/late", "max_tokens": 64, "stream": True, **TURN}
    answer = gateway.request("POST", "/v1/messages", body=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [line for line in answer.text.splitlines() if line.startswith("event: ")]
    assert (events[0], events[-1]) == ("event: message_start", "event: message_stop")
    tokens = gateway.record(answer.headers["x-request-id"])["tokens"]
    assert (tokens["in"], tokens["out"]) == (USAGE["prompt_tokens"], USAGE["completion_tokens"])


def _post(gateway: Gateway, path: str, body: object) -> dict[str, Any]:
    answer: Response = gateway.request("POST", path, body=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document
