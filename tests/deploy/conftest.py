"""One stack in an emulated AWS, deployed once for all tests of this folder."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from boto3.dynamodb.types import TypeDeserializer

from tests.support.anthropic_upstream import messages_reply, text_block
from tests.support.fake_upstream import (
    FakeUpstream,
    Received,
    Step,
    completion,
    json_reply,
    streamed,
)
from waystation_cli.deploy_local import deploy
from waystation_cli.deployment import Deployment
from waystation_cli.ministack import run_ministack
from waystation_cli.ministack_gaps import SECRETS_POLICY

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

    def push(self, *models: str, **sections: object) -> None:
        """Push a librechat.yaml with these models of the fake upstream, and more sections."""
        self.deployment.push(_config(self.upstream, models, **sections))

    def request(
        self, method: str, path: str, *, key: str = "", body: object = None, **more: str
    ) -> httpx2.Response:
        """Ask; `more` are headers, written with underscores."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
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
        return self.deployment.resource(logical_id)

    def reset_upstream(self) -> None:
        """Have the upstream answer as at the start, and forget what it got."""
        self.upstream.reset()
        self.upstream.answer(_answer)

    def model_ids(self, endpoint: str = "Fake") -> list[str]:
        """Return the listed ids of an endpoint's models."""
        listed = self.request("GET", "/v1/models").raise_for_status().json()["data"]
        return [model["id"] for model in listed if model["endpoint"] == endpoint]

    def logged(self, group: str) -> str:
        """Return the lines that a function has logged."""
        pages = self.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=self.resource(group))
        return "\n".join(
            event["message"].rstrip("\n") for page in found for event in page["events"]
        )

    def start_anew(self, function: str) -> None:
        """Have a function start cold at its next call."""
        functions, name = self.client("lambda"), self.resource(function)
        memory_mb = functions.get_function_configuration(FunctionName=name)["MemorySize"]
        functions.update_function_configuration(FunctionName=name, MemorySize=memory_mb + 1)

    @contextmanager
    def without(self, role: str, permission: str) -> Iterator[None]:
        """Take what begins so, such as `dynamodb:` or `kms:Encrypt`, from a role's own policy."""
        iam, name = self.client("iam"), self.resource(role)
        policy = {"RoleName": name, "PolicyName": role.removesuffix("Role").lower()}
        document: Any = iam.get_role_policy(**policy)["PolicyDocument"]
        statements = document["Statement"]
        kept = [one for one in statements if not _first(one["Action"]).startswith(permission)]
        assert len(kept) < len(statements)
        text = json.dumps({**document, "Statement": kept})
        iam.put_role_policy(**policy, PolicyDocument=text)
        try:
            yield
        finally:
            iam.put_role_policy(**policy, PolicyDocument=json.dumps(document))

    @contextmanager
    def without_secrets(self, role: str) -> Iterator[None]:
        """Take the one permission to read secrets that the emulator heeds from a role."""
        iam, policy = self.client("iam"), {"RoleName": self.resource(role)}
        policy["PolicyName"] = SECRETS_POLICY
        document = iam.get_role_policy(**policy)["PolicyDocument"]
        iam.delete_role_policy(**policy)
        try:
            yield
        finally:
            iam.put_role_policy(**policy, PolicyDocument=json.dumps(document))

    @contextmanager
    def without_config(self, role: str) -> Iterator[None]:
        """Take the policy to read the configuration from a role."""
        iam, policy = self.client("iam"), self.resource("ReadConfigPolicy")
        attached = {"RoleName": self.resource(role), "PolicyArn": policy}
        iam.detach_role_policy(**attached)
        try:
            yield
        finally:
            iam.attach_role_policy(**attached)


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
        late = {"LATE_API_KEY": "sk-that-is-needed-late"}
        deployment.import_secrets({"FAKE_API_KEY": UPSTREAM_KEY, **late, **users_own})
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


def _config(upstream: FakeUpstream, models: list[str] | tuple[str, ...], **sections: object) -> str:
    """Return a file: `Fake` has the models, and beside it is an entry of each other kind."""
    entry = {
        "apiKey": "${FAKE_API_KEY}",
        "baseURL": upstream.url,
        "models": {"default": list(models)},
    }
    rates = {"prompt": 0.15, "completion": 0.6, "cacheRead": 0.0755, "context": 128000}
    claude = {"provider": "anthropic", "models": {"default": ["claude-test-1"]}}
    endpoints = [
        {**entry, "name": "Fake", "tokenConfig": dict.fromkeys(models, rates)},
        {**entry, "name": "Claude", **claude},
        {**entry, "name": "Fetched", "models": {"default": ["not-told"], "fetch": True}},
        {**entry, "name": "Late", "apiKey": "${LATE_API_KEY}", "models": {"default": ["late"]}},
    ]
    allowed = {"allowedAddresses": [upstream.address], "custom": endpoints}
    return yaml.safe_dump({"version": "1.3.14", "endpoints": allowed, **sections})


def _answer(request: Received) -> list[Step]:
    if request.path.endswith("/models"):
        return json_reply({"data": [{"id": "vendor/model"}]})
    if request.path.endswith("/count_tokens"):
        return json_reply({"input_tokens": 12})
    if request.path.endswith("/messages"):
        return messages_reply(text_block("Good day."))
    if request.json.get("stream"):
        return streamed("Good ", "day.", usage=USAGE)
    return json_reply(completion("Good day.", usage=USAGE))


def _first(actions: str | list[str]) -> str:
    return actions if isinstance(actions, str) else actions[0]
