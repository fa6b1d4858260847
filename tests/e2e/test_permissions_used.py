"""What the functions ask AWS for when they are used, against what the template lets them do."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from tests.e2e.conftest import BuildGateway
from tests.support.conversations import first_turn, new_conversation
from tests.support.fake_upstream import (
    FakeUpstream,
    Received,
    Steps,
    completion,
    json_reply,
    reply,
)
from tests.support.lambda_gateway import TABLE, LambdaGateway, make_gateway_key, put_secrets
from tests.support.ledgers import OPENING
from tests.support.template import ROOT, actions, statements_of
from tests.support.users_keys import account, put_key
from waystation.aws.dynamo_table import DynamoTable
from waystation.identity.user import User

PRICED = {"pricing": {"prompt": "0.00000015", "completion": "0.0000006"}, "context_length": 128000}
USED_OTHERWISE = {
    # Lambda's own service uses these with the role.
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",  # chats do, where the table fails them
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    # These are for other parameters than the test's.
    "ssm:GetParameter",
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
}
SCHEDULE = ROOT / "events" / "sweep.json"
ENDPOINTS = ["OpenRouter", "Own"]


class Asked:
    """What roles ask of AWS: the action, and of DynamoDB the partition key of the item."""

    def __init__(self) -> None:
        self.calls: set[tuple[str, str, str]] = set()
        self._role = ""

    @contextmanager
    def by(self, role: str) -> Iterator[None]:
        """Count as a role's what is asked meanwhile."""
        self._role = role
        yield
        self._role = ""

    def note(self, client: BaseClient, operation: str, arguments: Mapping[str, Any]) -> None:
        if not self._role:
            return
        for write in arguments.get("TransactItems", []):  # each is allowed by itself
            ((kind, asked),) = write.items()
            self.calls.add((self._role, f"dynamodb:{kind}Item", _partition_key(asked)))
        if operation != "TransactWriteItems":
            service = client.meta.service_model.endpoint_prefix
            action = "InvokeFunction" if operation == "Invoke" else operation
            self.calls.add((self._role, f"{service}:{action}", _partition_key(arguments)))


def _partition_key(arguments: Mapping[str, Any]) -> str:
    keys = (arguments.get("Item"), arguments.get("Key"))
    for item in keys:
        if isinstance(item, Mapping):
            return str(item["PK"]["S"])
    values = arguments.get("ExpressionAttributeValues", {})
    return str(values.get(":pk", {}).get("S", ""))


@pytest.fixture
def asked() -> Iterator[Asked]:
    asked = Asked()
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: BaseClient, operation: str, arguments: Mapping[str, Any]) -> object:
        asked.note(client, operation, arguments)
        return real(client, operation, arguments)

    with patch.object(BaseClient, "_make_api_call", call):
        yield asked


@pytest.fixture
def jobs() -> Iterator[FakeUpstream]:
    """Lambda's own API, which takes every event."""
    with FakeUpstream() as service:
        service.answer(reply(status=202))
        yield service


@pytest.fixture
def gateway(
    build_gateway: BuildGateway, upstream: FakeUpstream, jobs: FakeUpstream
) -> LambdaGateway:
    """A cold gateway for learned prices, users' own keys and titles."""
    upstream.answer(_answer)
    put_secrets({"WHOSE": "user_provided"})
    entry = {
        "baseURL": upstream.url,
        "models": {"default": ["vendor/model"], "fetch": True},
        "titleConvo": True,
    }
    return build_gateway(
        {"name": "OpenRouter", "apiKey": "${ACME_KEY}", **entry},
        {"name": "Own", "apiKey": "${WHOSE}", **entry},
        TITLE_FUNCTION="titles",
        AWS_ENDPOINT_URL_LAMBDA=f"http://{jobs.address}",
    )


def test_functions_use_all_that_they_may_and_no_more(
    gateway: LambdaGateway, jobs: FakeUpstream, asked: Asked
) -> None:
    turns = [first_turn(new_conversation()) for _ in ENDPOINTS]
    titles = [f"/v1/titles/{turn['conversationId']}" for turn in turns]

    admin = make_gateway_key("key-of-an-admin", User("admin"), is_admin=True)

    with asked.by("AccountRole"):
        put_key(gateway, "Own")
        assert account(gateway, "GET", "/v1/keys/Own").status == 200
        assert account(gateway, "GET", "/v1/usage", key=admin).status == 200
        for path in ("/v1/usage", "/v1/balance"):
            assert account(gateway, "GET", path).status == 200
        assert account(gateway, "GET", "/v1/usage", group_by="conversation").status == 200
    with asked.by("ModelsRole"):
        assert gateway.get("/api/models").status == 200
    with asked.by("ChatRole"):
        for endpoint, turn in zip(ENDPOINTS, turns, strict=True):
            answer = gateway.chat(model="vendor/model", endpoint=endpoint, **turn)
            assert answer.status == 200
    with asked.by("TitleRole"):
        for job in jobs.received:
            gateway.run_job(job.json)
        made = [gateway.get(path, function="title").status for path in titles]
        assert made == [200, 200]
    with asked.by("AccountRole"):
        assert account(gateway, "DELETE", "/api/keys", all="true").status == 204

    opening = replace(OPENING, request_id="01LEFTOPEN").to_item()
    asyncio.run(DynamoTable(boto3.client("dynamodb"), TABLE).put(opening))
    with asked.by("UpkeepRole"):
        gateway.run_upkeep(json.loads(SCHEDULE.read_text("utf-8")))

    assert {call for call in asked.calls if not _is_allowed(*call)} == set()
    for role in ("AccountRole", "ModelsRole", "ChatRole", "TitleRole", "UpkeepRole"):
        used = {action for by, action, _ in asked.calls if by == role}
        assert actions(_statements(role)) - used - USED_OTHERWISE == set()


def _statements(role: str) -> list[dict[str, Any]]:
    """Return a role's statements but for the operator's KMS key, with which SSM decrypts."""
    return [one for one in statements_of(role) if one["Resource"] != {"Ref": "SecretsKeyArn"}]


def _is_allowed(role: str, action: str, partition_key: str) -> bool:
    """Tell whether a statement of the role allows an action, on an item of that key."""
    for statement in _statements(role):
        condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
        kinds = condition.get("dynamodb:LeadingKeys", ["*"])
        if action in actions([statement]) and any(fnmatchcase(partition_key, k) for k in kinds):
            return True
    return False


def _answer(request: Received) -> Steps:
    if request.request_line.startswith("GET "):
        return json_reply({"data": [{"id": "vendor/model", **PRICED}]})
    return json_reply(completion("Baking Bread"))
