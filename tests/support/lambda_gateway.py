"""The functions as Lambda runs them, with an emulated AWS behind them, called with events.

Each gateway loads `functions/*/app.py` anew, so that every test can have a configuration of its
own without waiting for a reload. AWS must be emulated (`emulated_aws`) while one is in use, and
fake credentials be in the environment.
"""

import asyncio
import importlib.util
import json
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
import yaml

from tests.support.fresh_log import CapturedLog
from tests.support.lambda_events import Event, EventMaker, LambdaContext, rest_event
from tests.support.tables import open_table
from waystation.identity.gateway_keys import store_key
from waystation.identity.user import User

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"
KMS_KEY = "alias/waystation-test"
BUCKET, TABLE, PREFIX = "waystation-test", "waystation-test", "/waystation/test"
PEPPER = "a-pepper-of-the-tests"
Handler = Callable[[Event, LambdaContext], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler returned."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text)
        return document

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.json["error"]
        return error

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """The documents of a stream that ended with [DONE]."""
        *documents, last = self.data
        assert last == "[DONE]"
        return [json.loads(document) for document in documents]

    @property
    def data(self) -> list[str]:
        """The data of each event of a stream."""
        assert self.text.endswith("\n\n")
        return [event.removeprefix("data: ") for event in self.text.split("\n\n")[:-1]]


def make_resources() -> None:
    """Make the bucket, the table, the key of users' keys and the pepper of the stack."""
    kms = boto3.client("kms")
    kms.create_alias(AliasName=KMS_KEY, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    place: Any = {"LocationConstraint": REGION}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    boto3.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    put_secrets({"_KEY_PEPPER": PEPPER})


def put_secrets(values: Mapping[str, str]) -> None:
    """Store values as the SecureStrings of the stack."""
    ssm = boto3.client("ssm")
    for name, value in values.items():
        ssm.put_parameter(Name=f"{PREFIX}/{name}", Value=value, Type="SecureString", Overwrite=True)


def make_gateway_key(key: str, user: User, *, is_trusted: bool = False) -> str:
    """Store a gateway key and return it."""
    table = open_table(TABLE)
    made = store_key(
        table, key, pepper=PEPPER, user=user, created_at="2026-01-01", is_trusted=is_trusted
    )
    asyncio.run(made)
    return key


def build_config(*entries: Mapping[str, object], **root: object) -> str:
    """Return the text of a librechat.yaml that allows what its entries have on this machine."""
    places = [urlsplit(str(entry.get("baseURL"))).netloc for entry in entries]
    allowed = sorted({place for place in places if place.startswith("127.0.0.1:")})
    endpoints = {"custom": list(entries), "allowedAddresses": allowed}
    return yaml.safe_dump({"version": "1.3.0", "endpoints": endpoints} | root)


async def _end_other_tasks() -> None:
    """End what a request has begun and not waited for, such as a look at AWS."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)  # their connections close


class LambdaGateway:
    """One warm environment of each function. `log` is all that its functions printed."""

    def __init__(self, config: str, *, key: str = "", environment: Mapping[str, str] = {}) -> None:
        self.key = key
        self.log = CapturedLog()
        self.context = LambdaContext()
        self._loop = asyncio.new_event_loop()
        self._name = uuid.uuid4().hex  # no other gateway reads this configuration
        self.push(config)
        self._environment = {
            "AWS_LAMBDA_FUNCTION_NAME": "waystation",  # makes the runtime at once
            "CONFIG_URI": f"s3://{BUCKET}/{self._name}.yaml",
            "TABLE_NAME": TABLE,
            "SECRETS_PREFIX": PREFIX,
            "KMS_KEY_ID": KMS_KEY,
            "LOG_LEVEL": "DEBUG",
            **environment,
        }
        self._handlers: dict[str, Handler] = {}

    def push(self, config: str) -> None:
        """Replace the configuration; a warm function looks for a new one every 30 s."""
        boto3.client("s3").put_object(Bucket=BUCKET, Key=f"{self._name}.yaml", Body=config.encode())

    def close(self) -> None:
        self._loop.run_until_complete(_end_other_tasks())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        asyncio.set_event_loop(None)

    def chat(
        self, *, key: str | None = None, headers: Mapping[str, str] = {}, **body: Any
    ) -> Answer:
        """Post a chat; `model` and `messages` have defaults."""
        body = {"model": "acme-large", "messages": [{"role": "user", "content": "Hi!"}]} | body
        return self.post(json.dumps(body).encode(), key=key, headers=headers)

    def post(
        self,
        body: bytes,
        *,
        path: str = "/v1/chat/completions",
        key: str | None = None,
        headers: Mapping[str, str] = {},
        event: EventMaker = rest_event,
    ) -> Answer:
        """Post bytes to the chat function."""
        own = {"Content-Type": "application/json", **self._authorization(key)}
        return self.call("chat", event("POST", path, own | dict(headers), body))

    def get(
        self,
        path: str,
        *,
        function: str = "models",
        key: str | None = None,
        headers: Mapping[str, str] = {},
        event: EventMaker = rest_event,
    ) -> Answer:
        """Ask the models function, or another one."""
        own = self._authorization(key) | dict(headers)
        return self.call(function, event("GET", path, own, None))

    def call(self, function: str, event: Event) -> Answer:
        """Invoke a function with an HTTP event."""
        answer = self._handler(function)(event, self.context)
        assert answer is not None
        assert not answer["isBase64Encoded"]
        several = {n: ", ".join(v) for n, v in answer.get("multiValueHeaders", {}).items()}
        return Answer(answer["statusCode"], {**several, **answer["headers"]}, answer["body"])

    def run_job(self, job: Event) -> None:
        """Invoke the title function with a job. Raises what fails the invocation."""
        assert self._handler("title")(job, self.context) is None

    def record_of(self, answer: Answer, user_id: str = "alice") -> dict[str, object]:
        """Return the ledger's record of a request."""
        return self.record(answer.headers["x-request-id"], user_id)

    def record(self, request_id: str, user_id: str = "alice") -> dict[str, object]:
        """Return a record of the ledger."""
        table = open_table(TABLE)
        record = asyncio.run(table.get(f"U#{user_id}", f"REQ#{request_id}"))
        assert record is not None
        return dict(record)

    def _authorization(self, key: str | None) -> dict[str, str]:
        key = self.key if key is None else key
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _handler(self, function: str) -> Handler:
        asyncio.set_event_loop(self._loop)
        if function not in self._handlers:
            self._handlers[function] = self._load(function)
        return self._handlers[function]

    def _load(self, function: str) -> Handler:
        path = ROOT / "functions" / function / "app.py"
        spec = importlib.util.spec_from_file_location(f"functions.{function}.app", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with (
            patch.dict(os.environ, self._environment),
            self.log.set_up(),
        ):
            spec.loader.exec_module(module)
        return cast("Handler", module.handler)
