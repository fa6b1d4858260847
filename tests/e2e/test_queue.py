"""The queue in SQS."""

import os

import boto3
import pytest

from tests.support.emulated_aws import emulated_aws
from waystation.aws.clients import AwsClients
from waystation.aws.queue import QueueError, SqsQueue


async def test_message_is_in_the_queue():
    with emulated_aws():
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="outbox")["QueueUrl"]
        await SqsQueue(AwsClients(os.environ).service("sqs"), url).send('{"é": 1}')
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == '{"é": 1}'


async def test_queue_that_is_not_there_is_told():
    with emulated_aws():
        queue = SqsQueue(AwsClients(os.environ).service("sqs"), "https://sqs.test/1/nowhere")
        with pytest.raises(QueueError, match="QueueDoesNotExist") as caught:
            await queue.send("canary")
    assert "canary" not in str(caught.value)
