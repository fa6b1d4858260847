"""An emulated AWS that listens on loopback, for functions in processes of their own."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import boto3
import httpx2
from moto.server import ThreadedMotoServer

from tests.support.lambda_gateway import (
    BUCKET,
    KMS_KEY,
    PREFIX,
    REGION,
    TABLE,
    make_gateway_key,
    make_resources,
    put_secrets,
)
from waystation.aws.dynamo_table import DynamoTable
from waystation.identity.user import User

KEY = "key-of-alice"
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
}


@dataclass(frozen=True, slots=True)
class AwsServer:
    """A stack's resources behind a URL; the one gateway key is alice's."""

    url: str

    def environment(self, config: str, **more: str) -> dict[str, str]:
        """Store a librechat.yaml; return the environment of functions that read it."""
        name = f"{abs(hash(config))}.yaml"
        s3 = boto3.client("s3", endpoint_url=self.url)
        s3.put_object(Bucket=BUCKET, Key=name, Body=config.encode())
        return {
            **_CREDENTIALS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "CONFIG_URI": f"s3://{BUCKET}/{name}",
            "TABLE_NAME": TABLE,
            "SECRETS_PREFIX": PREFIX,
            "KMS_KEY_ID": KMS_KEY,
            **more,
        }

    async def record(self, request_id: str) -> dict[str, object]:
        """Return the ledger's record of a request."""
        client = await asyncio.to_thread(boto3.client, "dynamodb", endpoint_url=self.url)
        record = await DynamoTable(client, TABLE).get("U#alice", f"REQ#{request_id}")
        return dict(record or {})


@contextmanager
def aws_server(**secrets: str) -> Iterator[AwsServer]:
    """Serve an AWS with a stack's resources, these secrets, and nothing of another one."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    try:
        httpx2.post(f"{url}/moto-api/reset", trust_env=False).raise_for_status()
        with patch.dict(os.environ, {"AWS_ENDPOINT_URL": url}):
            make_resources()
            put_secrets(secrets)
            make_gateway_key(KEY, User("alice"))
        yield AwsServer(url)
    finally:
        server.stop()
