"""Chats and lists through the functions' handlers, with a fake upstream and an emulated AWS."""

import time
from typing import Any

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.embedded_metrics import metrics_in
from tests.support.fake_upstream import (
    DONE,
    FakeUpstream,
    chunk_of,
    completion,
    json_reply,
    stream_reply,
    streamed,
)
from tests.support.lambda_events import EventMaker, http_event, rest_event
from tests.support.lambda_gateway import LambdaGateway

CACHED_USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 10,
    "total_tokens": 1010,
    "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 300},
}
CACHED_COST = 100 * 2000 + 600 * 500 + 300 * 2500 + 10 * 6000  # nano-USD per token
OPENAI_ERROR = {"message", "type", "param", "code"}


def test_a_chat_is_answered_whole_with_its_cost(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    answer = gateway.chat(model="Acme/acme-large")

    expected = completion()
    expected["usage"] = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "cost": 0.00005,
        "cost_nanousd": 50_000,
    }
    assert answer.status == 200
    assert answer.json == expected
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert upstream.last.request_line == "POST /v1/chat/completions HTTP/1.1"


def test_a_streamed_chat_is_correct_sse_at_once(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(streamed("Hel", "lo!"))

    answer = gateway.chat(stream=True)

    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.chunks == [chunk_of("Hel"), chunk_of("lo!"), chunk_of(choices=[end])]
    assert upstream.last.json["stream_options"] == {"include_usage": True}


def test_a_client_that_asks_for_usage_gets_it_last_with_the_cost(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(streamed("Hello!"))

    answer = gateway.chat(stream=True, stream_options={"include_usage": True})

    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    cost = {"cost": 0.00005, "cost_nanousd": 50_000}
    assert answer.chunks[-1] == chunk_of(usage=usage | cost)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_ledger_has_the_exact_cost_when_the_answer_is_there(
    gateway: LambdaGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    whole = json_reply(completion(usage=CACHED_USAGE))
    upstream.answer(streamed("Hello!", usage=CACHED_USAGE) if stream else whole)

    record = gateway.record_of(gateway.chat(stream=stream, conversationId="c-1"))

    for name in ("PK", "SK", "key_id", "config_version", "created_at", "settled_at"):
        assert record.pop(name)
    assert record == {
        "state": "SETTLED",
        "kind": "chat",
        "user_id": "alice",
        "endpoint": "Acme",
        "model": "acme-large",
        "hold": 0,
        "cost": CACHED_COST,
        "priced": True,
        "tokens": {"in": 1000, "out": 10, "cacheRead": 600, "cacheWrite": 300},
        "usage_source": "upstream",
        "rates": {"prompt": "2", "completion": "6", "cacheRead": "0.5", "cacheWrite": "2.5"},
        "price_source": "tokenConfig",
        "conversation_id": "c-1",
        "upstream_id": "cmpl-1",
        "stream": stream,
    }


def test_a_model_without_a_price_is_recorded_as_unpriced_not_as_free(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    answer = gateway.chat(model="acme-free")

    record = gateway.record_of(answer)
    assert answer.json["usage"] == completion()["usage"]
    assert record["priced"] is False
    assert "cost" not in record
    assert record["tokens"] == {"in": 10, "out": 5}


def test_usage_that_is_not_reported_is_estimated_and_marked(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    upstream.answer(stream_reply(chunk_of("x" * 400), chunk_of(choices=[end]), DONE))

    answer = gateway.chat(stream=True, stream_options={"include_usage": True})

    record = gateway.record_of(answer)
    assert record["usage_source"] == "estimated"
    assert record["tokens"] == {"in": 1, "out": 100}
    assert answer.chunks[-1]["usage"]["estimated"] is True


def test_an_upstream_that_refuses_to_be_asked_for_usage_is_asked_once_more_without(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    refusal = {"error": {"message": "Unknown field: stream_options"}}
    upstream.answer(json_reply(refusal, status=400), streamed("Hello!"))
    gateway = build_gateway(acme)

    assert gateway.chat(stream=True).status == 200
    assert gateway.chat(stream=True).status == 200

    asked = ["stream_options" in request.json for request in upstream.received]
    assert asked == [True, False, False]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "unheard-of"}, 404, "model_not_found"),
        ({"model": "acme-large", "endpoint": "Nowhere"}, 404, "endpoint_not_found"),
        ({"model": 7}, 400, "invalid_body"),
        ({"messages": []}, 400, "invalid_body"),
        ({"stream": "yes"}, 400, "invalid_body"),
    ],
    ids=["model", "endpoint", "model type", "no messages", "stream type"],
)
def test_a_callers_mistake_reaches_no_upstream(
    gateway: LambdaGateway, upstream: FakeUpstream, body: dict[str, Any], status: int, code: str
) -> None:
    answer = gateway.chat(**body)

    assert (answer.status, answer.error["code"]) == (status, code)
    assert answer.error.keys() == OPENAI_ERROR
    assert upstream.received == []


def test_the_lists_show_models_and_prices_and_nothing_secret(gateway: LambdaGateway) -> None:
    listed = {"object": "model", "created": 0, "owned_by": "Acme", "endpoint": "Acme"}
    priced = {"context_length": 128000, "pricing": {"prompt": 2.0, "completion": 6.0}}

    assert gateway.get("/v1/models").json == {
        "object": "list",
        "data": [
            {"id": "Acme/acme-large", **listed, **priced},
            {"id": "Acme/acme-free", **listed},
        ],
    }
    assert gateway.get("/api/models").json == {"Acme": ["acme-large", "acme-free"]}
    assert gateway.get("/api/endpoints").json == {
        "Acme": {
            "type": "custom",
            "userProvide": False,
            "userProvideURL": False,
            "order": 9999,
        }
    }


@pytest.mark.parametrize("event", [rest_event, http_event], ids=["REST API", "HTTP API"])
@pytest.mark.parametrize("model_id", ["Acme/acme-large", "Acme%2Facme-large"])
def test_one_model_is_found_by_its_id(
    gateway: LambdaGateway, model_id: str, event: EventMaker
) -> None:
    listed = gateway.get("/v1/models").json["data"][0]

    assert gateway.get(f"/v1/models/{model_id}", event=event).json == listed


@pytest.mark.parametrize("model_id", ["acme-large", "Acme/unheard-of", "..%2FAcme", "%00", ""])
def test_an_unknown_model_is_not_found(gateway: LambdaGateway, model_id: str) -> None:
    answer = gateway.get(f"/v1/models/{model_id}")

    assert (answer.status, answer.error["code"]) == (404, "model_not_found")


def test_lists_need_a_key(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    paths = ["/v1/models", "/v1/models/Acme/acme-large", "/api/models", "/api/endpoints"]
    for path in [*paths, "/api/endpoints/token-config"]:
        assert gateway.get(path, key="unknown").status == 401
    assert upstream.received == []


def test_one_log_line_tells_what_happened(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme)
    answer = gateway.chat()

    (line,) = gateway.log.lines()

    measured = metrics_in(line, round(time.time() * 1000))
    of_model = (("Endpoint", "Acme"), ("Model", "acme-large"))
    assert measured["requests", of_model] == 1
    assert measured["cost_usd", of_model] == 0.00005
    for name in ("_aws", "Endpoint", "Model", "requests", "cost_usd"):
        assert line.pop(name) is not None
    for name in ("timestamp", "location", "key_id", "latency_ms"):
        assert line.pop(name) is not None
    assert line == {
        "level": "INFO",
        "service": "waystation",
        "message": "request",
        "request_id": answer.headers["x-request-id"],
        "method": "POST",
        "route": "/v1/chat/completions",
        "user_id": "alice",
        "endpoint": "Acme",
        "model": "acme-large",
        "upstream_model": "acme-large",
        "stream": False,
        "status": 200,
        "input_tokens": 10,
        "output_tokens": 5,
        "usage_source": "upstream",
        "cost_nanousd": 50_000,
    }
