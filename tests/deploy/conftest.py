"""One stack in an emulated AWS, deployed once for all tests of this folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import yaml

from tests.support.fake_upstream import (
    FakeUpstream,
    Received,
    Step,
    completion,
    json_reply,
    streamed,
)
from waystation_cli.deploy_local import Deployment, deploy
from waystation_cli.ministack import run_ministack

UPSTREAM_KEY = "sk-upstream-of-the-deployment-test"
USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 201},
}


@dataclass(frozen=True)
class Gateway:
    """The deployed gateway, as its operator and its clients see it."""

    deployment: Deployment
    upstream: FakeUpstream
    http: httpx2.Client
    key: str

    def push(self, *models: str) -> None:
        """Push a librechat.yaml with these models of the fake upstream."""
        self.deployment.push(_config(self.upstream, models))

    def request(
        self, method: str, path: str, *, key: str = "", body: object = None
    ) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return self.http.request(
            method, f"{self.deployment.api_url}{path}", headers=headers, json=body
        )

    def chat(self, model: str, **more: object) -> httpx2.Response:
        messages = [{"role": "user", "content": "Hello!"}]
        body = {"model": model, "messages": messages, **more}
        return self.request("POST", "/v1/chat/completions", body=body)

    def model_ids(self) -> list[str]:
        answer = self.request("GET", "/v1/models")
        return [model["id"] for model in answer.raise_for_status().json()["data"]]


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    log = tmp_path_factory.mktemp("ministack") / "log"
    with (
        FakeUpstream() as upstream,
        run_ministack(log=log) as aws,
        httpx2.Client(trust_env=False, timeout=60) as http,
    ):
        upstream.answer(_answer)
        deployment = deploy(aws)
        deployment.push(_config(upstream, ["small"]))
        users_own = {"OPENAI_API_KEY": "user_provided", "OPENAI_REVERSE_PROXY": upstream.url}
        deployment.import_secrets({"FAKE_API_KEY": UPSTREAM_KEY, **users_own})
        yield Gateway(deployment, upstream, http, deployment.create_key("ann"))


@pytest.fixture(scope="session")
def layer() -> Path:
    """Return the layer that `make build` built."""
    return Path(__file__).parents[2] / ".aws-sam" / "build" / "SharedLayer" / "python"


def _config(upstream: FakeUpstream, models: list[str] | tuple[str, ...]) -> str:
    endpoint = {
        "name": "Fake",
        "apiKey": "${FAKE_API_KEY}",
        "baseURL": upstream.url,
        "models": {"default": list(models)},
        "tokenConfig": {
            model: {"prompt": 0.15, "completion": 0.6, "cacheRead": 0.0755, "context": 128000}
            for model in models
        },
    }
    endpoints = {"allowedAddresses": [upstream.address], "custom": [endpoint]}
    return yaml.safe_dump({"version": "1.3.14", "endpoints": endpoints})


def _answer(request: Received) -> list[Step]:
    if request.json.get("stream"):
        return streamed("Good ", "day.", usage=USAGE)
    return json_reply(completion("Good day.", usage=USAGE))
