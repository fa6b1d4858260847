"""Makes boto3 clients: at start, never inside a request."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

# Every call is waited for by a request: better a quick failure than a function that is stopped.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
    max_pool_connections=50,
)
# A title is asked for once: the answer of a chat may be waiting for it.
_CONFIG_OF_TITLES = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


@dataclass(frozen=True, slots=True)
class AwsClients:
    """The clients a function needs; region, endpoint and credentials come from the environment."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    ssm: "SSMClient"
    functions: "LambdaClient | None" = None
    kms: "KMSClient | None" = None
    sqs: "SQSClient | None" = None


def make_clients(
    *, calls_functions: bool = False, uses_kms: bool = False, sends_messages: bool = False
) -> AwsClients:
    """Make the clients from one session. Does no network I/O."""
    session = boto3.session.Session()
    return AwsClients(
        dynamodb=session.client("dynamodb", config=_CONFIG),
        s3=session.client("s3", config=_CONFIG),
        ssm=session.client("ssm", config=_CONFIG),
        functions=(session.client("lambda", config=_CONFIG_OF_TITLES) if calls_functions else None),
        kms=session.client("kms", config=_CONFIG) if uses_kms else None,
        sqs=session.client("sqs", config=_CONFIG) if sends_messages else None,
    )
