"""Handing a title's job to the function that makes titles."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.aws_services import raw_answer, refusal, scripted_service
from tests.support.logs import fresh_log, kept_lines
from tests.support.titles import build_job
from waystation.aws.title_function import TitleFunction

JOB = build_job(input="canary", output="canary", user={"email": "canary"})
ACCEPTED = raw_answer(b"", status=202)


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with fresh_log(), kept_lines("waystation.titles") as lines:
        yield lines


def expect_told(lines: list[Any], cause: str) -> None:
    (line,) = lines
    assert (line.levelname, line.message) == ("ERROR", "title_not_started")
    assert (line.request_id, line.endpoint, line.cause) == ("r1-title", "Acme", cause)
    assert "canary" not in repr(vars(line))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("titles", "titles"),
        ("arn:aws:lambda:x:1:function:t", "arn%3Aaws%3Alambda%3Ax%3A1%3Afunction%3At"),
    ],
)
async def test_job_is_an_event_for_the_function(name: str, path: str, lines: list[Any]):
    with scripted_service("lambda", ACCEPTED) as service:
        await TitleFunction(service.service, name).start(JOB)
    (asked,) = service.upstream.received
    assert asked.request_line == f"POST /2015-03-31/functions/{path}/invocations HTTP/1.1"
    assert asked.header("x-amz-invocation-type") == ["Event"]
    assert asked.json == JOB.to_event()
    assert lines == []


@pytest.mark.parametrize(
    "code", ["ResourceNotFoundException", "AccessDeniedException", "TooManyRequestsException"]
)
async def test_refusal_of_aws_is_logged_and_not_repeated(code: str, lines: list[Any]):
    with scripted_service("lambda", refusal(code), ACCEPTED) as service:
        await TitleFunction(service.service, "titles").start(JOB)
    expect_told(lines, code)
    assert len(service.upstream.received) == 1


async def test_function_that_hangs_is_not_waited_for(lines: list[Any]):
    with scripted_service("lambda", [1.0, *ACCEPTED]) as service:
        await TitleFunction(service.service, "titles", patience_s=0.05).start(JOB)
        await asyncio.sleep(0)
    expect_told(lines, "TimeoutError")


async def test_function_that_cannot_be_reached_is_logged(lines: list[Any]):
    with scripted_service("lambda", ACCEPTED) as service:
        pass  # it has gone
    await TitleFunction(service.service, "titles").start(JOB)
    expect_told(lines, "NotConnected")
