"""One stack in an emulated AWS, deployed once for all tests of this folder."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from boto3.dynamodb.types import TypeDeserializer

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

LIVE_WITHIN_S = 60
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

    def record(self, request_id: str, user_id: str = "ann") -> dict[str, Any]:
        """Return the ledger's record of a request."""
        key = {"PK": {"S": f"U#{user_id}"}, "SK": {"S": f"REQ#{request_id}"}}
        table = self.deployment.outputs["TableName"]
        item = self.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
        deserializer = TypeDeserializer()
        return {name: deserializer.deserialize(value) for name, value in item.items()}

    def client(self, service: Any) -> Any:
        """Return the account owner's client of a service."""
        aws = self.deployment.aws
        return aws.session().client(service, endpoint_url=aws.url)

    def resource(self, logical_id: str) -> str:
        """Return the name that a resource of the stack has in AWS."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=self.deployment.stack_name, LogicalResourceId=logical_id
        )
        name: str = found["StackResourceDetail"]["PhysicalResourceId"]
        return name

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


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    """Wait until something is so, and tell whether it came to be."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_so():
            return True
        time.sleep(2)
    return False


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
