"""Prices that the function of lists learns, and the function of chats charges."""

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.fake_upstream import (
    FakeUpstream,
    Received,
    Steps,
    completion,
    json_reply,
    streamed,
)
from tests.support.lambda_gateway import LambdaGateway

# USD per token, as OpenRouter tells it.
PRICED = {"pricing": {"prompt": "0.00000015", "completion": "0.0000006"}, "context_length": 128000}
LIST = {"data": [{"id": "vendor/model", **PRICED}, {"id": "openrouter/auto", **PRICED}]}
COST = 10 * 150 + 5 * 600  # nano-USD for what `completion()` reports


def answer(request: Received) -> Steps:
    if request.request_line.startswith("GET "):
        return json_reply(LIST)
    return streamed("Hello!") if request.json["stream"] else json_reply(completion())


def router(upstream: FakeUpstream, **changes: object) -> dict[str, object]:
    return {
        "name": "OpenRouter",
        "apiKey": "${ACME_KEY}",
        "baseURL": upstream.url,
        "models": {"default": ["vendor/model"], "fetch": True},
        **changes,
    }


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_chat_is_charged_what_the_list_tells(
    build_gateway: BuildGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer(answer)
    gateway = build_gateway(router(upstream))
    assert gateway.get("/api/models").json == {"OpenRouter": ["vendor/model", "openrouter/auto"]}

    record = _charged(gateway, stream=stream)

    assert record["cost"] == COST
    assert record["price_source"] == "list"
    assert record["rates"] == {
        "prompt": "0.15",
        "completion": "0.6",
        "cacheRead": "0.15",
        "cacheWrite": "0.15",
    }


def test_the_list_shows_what_it_tells(build_gateway: BuildGateway, upstream: FakeUpstream) -> None:
    upstream.answer(answer)
    gateway = build_gateway(router(upstream))

    model = gateway.get("/v1/models/OpenRouter/vendor/model").json

    assert model["id"] == "OpenRouter/vendor/model"
    assert (model["context_length"], model["pricing"]) == (
        128000,
        {"prompt": 0.15, "completion": 0.6},
    )
    assert gateway.get("/api/endpoints/token-config").json == {
        "OpenRouter": {
            "vendor/model": {"context": 128000},
            "openrouter/auto": {"context": 128000},
        }
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Another"},
        {"tokenConfig": {"other": {"prompt": 1, "completion": 1, "context": 1}}},
    ],
    ids=["another name", "a tokenConfig"],
)
def test_other_entries_are_not_charged_by_it(
    build_gateway: BuildGateway, upstream: FakeUpstream, changes: dict[str, object]
) -> None:
    upstream.answer(answer)
    gateway = build_gateway(router(upstream, **changes))
    assert gateway.get("/api/models").status == 200

    record = _charged(gateway, stream=False)

    assert record["priced"] is False
    assert record.keys() & {"cost", "rates", "price_source"} == set()


def test_a_token_config_comes_first(build_gateway: BuildGateway, upstream: FakeUpstream) -> None:
    upstream.answer(answer)
    own = {"vendor/model": {"prompt": 2, "completion": 6, "context": 1000}}
    gateway = build_gateway(router(upstream, tokenConfig=own))
    assert gateway.get("/api/models").status == 200

    record = _charged(gateway, stream=False)

    assert (record["cost"], record["price_source"]) == (50_000, "tokenConfig")


def _charged(gateway: LambdaGateway, *, stream: bool) -> dict[str, object]:
    chat = gateway.chat(model="vendor/model", stream=stream)
    assert chat.status == 200
    return gateway.record_of(chat)
