"""Handing a title's job to the function that makes titles."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from tests.support.logs import fresh_log, kept_lines
from tests.support.served_gateway import free_port
from tests.support.titles import build_job
from waystation.aws.title_function import TitleFunction

JOB = build_job(input="canary", output="canary", user={"email": "canary"})
EXPECTED = {
    "FunctionName": "titles",
    "InvocationType": "Event",
    "Payload": json.dumps(JOB.to_event()),
}


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with fresh_log(), kept_lines("waystation.titles") as lines:
        yield lines


def build_client() -> Any:
    config = Config(connect_timeout=1, retries={"total_max_attempts": 1})
    url = f"http://127.0.0.1:{free_port()}"
    return boto3.client("lambda", endpoint_url=url, config=config)


def expect_told(lines: list[Any], cause: str) -> None:
    (line,) = lines
    assert (line.levelname, line.message) == ("ERROR", "title_not_started")
    assert (line.request_id, line.endpoint, line.cause) == ("r1-title", "Acme", cause)
    assert "canary" not in repr(vars(line))


async def test_job_is_an_event_for_the_function(lines: list[Any]):
    client = build_client()
    with Stubber(client) as stub:
        stub.add_response("invoke", {"StatusCode": 202}, EXPECTED)
        await TitleFunction(client, "titles").start(JOB)
        stub.assert_no_pending_responses()
    assert lines == []


@pytest.mark.parametrize(
    "code", ["ResourceNotFoundException", "AccessDeniedException", "TooManyRequestsException"]
)
async def test_refusal_of_aws_is_logged(code: str, lines: list[Any]):
    client = build_client()
    with Stubber(client) as stub:
        stub.add_client_error("invoke", code, "canary", 400, expected_params=EXPECTED)
        await TitleFunction(client, "titles").start(JOB)
    expect_told(lines, code)


async def test_function_that_cannot_be_reached_is_logged(lines: list[Any]):
    await TitleFunction(build_client(), "titles").start(JOB)
    expect_told(lines, EndpointConnectionError.__name__)


@dataclass
class HangingClient:
    """A client that does not answer until it is let go."""

    let_go: threading.Event = field(default_factory=threading.Event)

    def invoke(self, **_: object) -> None:
        self.let_go.wait(10)


async def test_function_that_hangs_is_not_waited_for(lines: list[Any]):
    client: Any = HangingClient()
    try:
        await TitleFunction(client, "titles", patience_s=0.05).start(JOB)
    finally:
        client.let_go.set()
    expect_told(lines, "TimeoutError")
