"""What Open WebUI and LibreChat send when this gateway is their upstream, byte for byte.

Source: open-webui, `backend/open_webui/routers/openai.py`, sent by aiohttp 3; LibreChat 0.8, sent
by axios and by the openai SDK for Node 6.49; 2026-08.
"""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.dev_process import KEY, DevProcess
from tests.support.fake_upstream import (
    FakeUpstream,
    Received,
    Steps,
    completion,
    json_reply,
    streamed,
)
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import sse_data

AIOHTTP = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br",
    "User-Agent": "Python/3.11 aiohttp/3.12.15",
}
OPEN_WEBUIS_USER = {
    "X-OpenWebUI-User-Name": "Ada%20Lovelace",
    "X-OpenWebUI-User-Id": "5f0c",
    "X-OpenWebUI-User-Email": "ada@example.com",
    "X-OpenWebUI-User-Role": "admin",
}
AXIOS = {
    "Accept": "application/json, text/plain, */*",
    "User-Agent": "axios/1.12.1",
    "Accept-Encoding": "gzip, compress, deflate, br",
    "Connection": "keep-alive",
}
OPENAI_FOR_NODE = {
    "accept": "application/json",
    "user-agent": "ChatOpenAI/JS 6.49.0",
    "x-stainless-arch": "x64",
    "x-stainless-lang": "js",
    "x-stainless-os": "Linux",
    "x-stainless-package-version": "6.49.0",
    "x-stainless-retry-count": "0",
    "x-stainless-runtime": "node",
    "x-stainless-runtime-version": "v20.19.0",
    "accept-language": "*",
    "sec-fetch-mode": "cors",
    "accept-encoding": "br, gzip, deflate",
    "connection": "keep-alive",
}
# As an operator configures them in the entry that LibreChat has for this gateway.
LIBRECHATS_USER = {
    "X-LibreChat-User-Id": "user-123",
    "X-LibreChat-User-Email": "ada@example.com",
    "X-LibreChat-Body-ConversationId": "c-1",
}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.fixture(scope="module")
def dev(acme: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevProcess]:
    fetching = acme | {"models": {"default": ["acme-large"], "fetch": True}}
    directory, environment = tmp_path_factory.mktemp("dev"), {"ACME_KEY": "key-of-acme"}
    with DevProcess(directory, config=build_config(fetching), environment=environment) as dev:
        yield dev


@pytest.fixture(autouse=True)
def _answers(upstream: FakeUpstream) -> None:
    def answer(request: Received) -> Steps:
        if request.request_line.startswith("GET "):
            return json_reply({"object": "list", "data": [{"id": "acme-large"}, {"id": "new"}]})
        return streamed("Hel", "lo!") if request.json.get("stream") else json_reply(completion())

    upstream.answer(answer)


def exchange(
    dev: DevProcess, request: str, headers: Mapping[str, str], body: object = None
) -> tuple[http.client.HTTPResponse, str]:
    """Send a request as these bytes, and return the answer and its text."""
    host = dev.url.removeprefix("http://")
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{request} HTTP/1.1", f"Host: {host}", *(f"{n}: {v}" for n, v in headers.items())]
    lines += [f"Authorization: Bearer {KEY}"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response, response.read().decode()


def listed(dev: DevProcess, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    response, text = exchange(dev, "GET /v1/models", headers)
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    document = json.loads(text)
    assert document["object"] == "list"
    models: list[dict[str, Any]] = document["data"]
    return models


def told(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the text of a stream, and the usages in it."""
    *chunks, last = sse_data(text.split("\n"))
    assert last == "[DONE]"
    documents = [json.loads(chunk) for chunk in chunks]
    deltas = [choice["delta"] for chunk in documents for choice in chunk["choices"]]
    usages = [chunk["usage"] for chunk in documents if chunk.get("usage")]
    return "".join(delta.get("content") or "" for delta in deltas), usages


@pytest.mark.parametrize("user", [{}, OPEN_WEBUIS_USER], ids=["plain", "with its user"])
def test_open_webui_lists_models(
    dev: DevProcess, upstream: FakeUpstream, user: dict[str, str]
) -> None:
    models = listed(dev, AIOHTTP | user)

    assert [model["id"] for model in models] == ["Acme/acme-large", "Acme/new"]
    assert all(model["object"] == "model" and model["owned_by"] for model in models)
    raw = b"".join(request.raw for request in upstream.received).lower()
    assert b"openwebui" not in raw
    assert b"aiohttp" not in raw


def test_open_webui_streams_a_chat(dev: DevProcess, upstream: FakeUpstream) -> None:
    body = {
        "stream": True,
        "model": listed(dev, AIOHTTP)[1]["id"],
        "messages": [{"role": "user", "content": "Hi!"}],
        "stream_options": {"include_usage": True},
    }
    response, text = exchange(dev, "POST /v1/chat/completions", AIOHTTP | OPEN_WEBUIS_USER, body)

    assert response.status == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert told(text) == ("Hello!", [USAGE])  # a model that is not in tokenConfig has no price
    assert upstream.last.json["model"] == "new"


def test_open_webui_asks_for_a_title_without_a_stream(dev: DevProcess) -> None:
    body = {
        "model": "Acme/acme-large",
        "messages": [{"role": "user", "content": "### Task:\nGenerate a concise title"}],
        "stream": False,
        "max_completion_tokens": 1000,
    }
    response, text = exchange(dev, "POST /v1/chat/completions", AIOHTTP, body)

    assert response.status == 200
    answer = json.loads(text)
    assert answer["choices"][0]["message"]["content"] == "Hello!"
    assert answer["usage"] == USAGE | {"cost": 0.00005, "cost_nanousd": 50_000}


def test_librechat_lists_models(dev: DevProcess, upstream: FakeUpstream) -> None:
    assert [model["id"] for model in listed(dev, AXIOS | LIBRECHATS_USER)] == [
        "Acme/acme-large",
        "Acme/new",
    ]
    assert b"axios" not in b"".join(request.raw for request in upstream.received)


def test_librechat_streams_a_chat(dev: DevProcess, upstream: FakeUpstream) -> None:
    body = {
        "model": "Acme/acme-large",
        "user": "user-123",
        "stream": True,
        "messages": [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": "Hi"},
        ],
    }
    headers = OPENAI_FOR_NODE | LIBRECHATS_USER
    response, text = exchange(dev, "POST /v1/chat/completions", headers, body)

    assert response.status == 200
    assert told(text) == ("Hello!", [])  # it does not ask for usage
    assert upstream.last.json["messages"] == body["messages"]
    assert upstream.last.json["user"] == "user-123"
    assert not any(b"stainless" in request.raw for request in upstream.received)


def test_librechat_asks_for_a_title_without_a_stream(dev: DevProcess) -> None:
    body = {
        "model": "Acme/acme-large",
        "user": "user-123",
        "stream": False,
        "messages": [{"role": "user", "content": "Write a title"}],
    }
    headers = OPENAI_FOR_NODE | LIBRECHATS_USER
    response, text = exchange(dev, "POST /v1/chat/completions", headers, body)

    assert response.status == 200
    assert json.loads(text)["choices"][0]["message"]["content"] == "Hello!"


def test_an_encoded_slash_in_a_models_name(dev: DevProcess) -> None:
    for path in ("Acme/new", "Acme%2Fnew", "Acme%2fnew"):
        response, text = exchange(dev, f"GET /v1/models/{path}", AIOHTTP)
        assert (response.status, json.loads(text)["id"]) == (200, "Acme/new")
    for path in ("Acme/other", "new", "Acme%2F..%2Fnew", "Acme/new%00", ""):
        response, text = exchange(dev, f"GET /v1/models/{path}", AIOHTTP)
        assert (response.status, json.loads(text)["error"]["code"]) == (404, "model_not_found")
