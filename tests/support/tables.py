"""A table in an emulated DynamoDB, as the template makes it."""

import functools
from contextlib import AbstractContextManager
from unittest.mock import patch

import boto3
import botocore.session
from botocore.loaders import create_loader

from waystation.aws.dynamo_table import DynamoTable

_loader = functools.cache(create_loader)  # descriptions of AWS's services are slow to read


def shared_loader() -> AbstractContextManager[object]:
    """Have all clients of a test read the descriptions of AWS's services once."""
    return patch.object(botocore.session, "create_loader", _loader)


def open_table(name: str = "way") -> DynamoTable:
    """Return a table of the emulated AWS."""
    return DynamoTable(boto3.client("dynamodb"), name)


def make_table(name: str = "way") -> DynamoTable:
    """Make a table and return it."""
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
            {"AttributeName": "GSI1PK", "AttributeType": "S"},
            {"AttributeName": "GSI1SK", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "GSI1",
                "KeySchema": [
                    {"AttributeName": "GSI1PK", "KeyType": "HASH"},
                    {"AttributeName": "GSI1SK", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    return open_table(name)
