"""Events that are no HTTP requests, in a function that serves both."""

import asyncio
import json
from collections.abc import Awaitable, Iterator, Mapping
from typing import Any

import pytest
from mangum import Mangum
from starlette.types import Receive, Scope, Send

from tests.support.lambda_events import LambdaContext, rest_event
from tests.support.web_app import RUNTIME
from waystation.lambda_runtime.events import EVENT_HANDLERS
from waystation.web.app import wrap_app
from waystation.web.lambda_jobs import Handler, JobFailedError, handle_jobs

JOB = {"job": True, "request_id": "r1-title", "input": "canary"}
SECONDS = 45.0


@pytest.fixture(autouse=True)
def _loop() -> Iterator[None]:
    """Give the thread a loop of its own, as Mangum would, and close it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


class Function:
    """A function of both kinds, and what it was asked to do."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.jobs: list[tuple[Mapping[str, object], float]] = []
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.handler: Handler = handle_jobs(
            Mangum(wrap_app(self._app, RUNTIME), lifespan="off", custom_handlers=EVENT_HANDLERS),
            is_job=lambda event: isinstance(event, dict) and bool(event.get("job")),
            run=self._run,
            within_s=SECONDS,
        )

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.loops.append(asyncio.get_running_loop())
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/plain")],
            }
        )
        await send({"type": "http.response.body", "body": b"Hello"})

    def _run(self, event: Mapping[str, object], ends_at: float) -> Awaitable[None]:
        return self._do(event, ends_at)

    async def _do(self, event: Mapping[str, object], ends_at: float) -> None:
        loop = asyncio.get_running_loop()
        self.loops.append(loop)
        self.jobs.append((event, ends_at - loop.time()))
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error


def test_requests_go_to_the_app_and_jobs_do_not():
    function = Function()
    answer: Any = function.handler(rest_event("GET", "/", {}, None), LambdaContext())
    assert (answer["statusCode"], answer["body"]) == (200, "Hello")
    assert function.jobs == []
    assert function.handler(JOB, LambdaContext()) is None
    assert [event for event, _ in function.jobs] == [JOB]


def test_all_run_on_one_loop():
    function = Function()
    for event in (rest_event("GET", "/", {}, None), JOB, rest_event("GET", "/", {}, None), JOB):
        function.handler(event, LambdaContext())
    assert len(function.loops) == 4
    assert len({id(loop) for loop in function.loops}) == 1


@pytest.mark.parametrize(
    ("remaining_ms", "seconds"),
    [(60_000, SECONDS), (20_000, 17.0), (1_000, 0.0)],
    ids=["its own time", "what is left", "nothing left"],
)
def test_job_ends_before_the_function_does(remaining_ms: int, seconds: float):
    function = Function()
    function.handler(JOB, LambdaContext(remaining_ms))
    ((_, left),) = function.jobs
    assert seconds - 1 < left <= seconds + 0.001


def test_job_that_fails_ends_as_failed_and_tells_no_text(capsys):
    function = Function(ValueError("canary"))
    with pytest.raises(JobFailedError) as caught:
        function.handler(JOB, LambdaContext())
    assert str(caught.value) == "The job failed: see the line unexpected_error."
    assert caught.value.__suppress_context__
    out = capsys.readouterr().out
    (line,) = [json.loads(text) for text in out.splitlines()]
    assert (line["message"], line["error_type"]) == ("unexpected_error", "ValueError")
    assert line["request_id"] == "r1-title"
    assert "canary" not in out


def test_function_goes_on_after_a_job_that_failed():
    function = Function(ValueError("canary"))
    with pytest.raises(JobFailedError):
        function.handler(JOB, LambdaContext())
    function.error = None
    assert function.handler(JOB, LambdaContext()) is None


def test_malformed_job_without_an_id_is_logged_too(capsys):
    function = Function(KeyError("canary"))
    with pytest.raises(JobFailedError):
        function.handler({"job": True}, LambdaContext())
    assert json.loads(capsys.readouterr().out)["error_type"] == "KeyError"
