"""A Runtime API that does not keep to its protocol ends the process with a line that says why."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_lambda import ROOT, TOY
from tests.support.fake_upstream import LEAVE, RESET, FakeUpstream, Reply, Step, chunk, kept_head

ID, DEADLINE = (
    ("Lambda-Runtime-Aws-Request-Id", "r1"),
    ("Lambda-Runtime-Deadline-Ms", "99999999999999"),
)
TAKEN: Reply = [kept_head(202, [("content-length", "0")])]
STOP: Reply = [kept_head(500, [("content-length", "0")])]
STOPPED = "the Runtime API answered 500 instead of an event"


def event(body: bytes = b'"job"', *, headers: Any = (ID, DEADLINE), length: str = "") -> list[Step]:
    length = length or str(len(body))
    return [kept_head(200, [*headers, ("content-length", length)]) + body]


@pytest.fixture
def api() -> Iterator[FakeUpstream]:
    """What stands where the Runtime API is."""
    with FakeUpstream(keeps_connections=True) as api:
        yield api


def run(api: str, directory: Path) -> tuple[int, list[dict[str, Any]]]:
    """Run the toy function until its process ends; return the status and what it logged."""
    done = subprocess.run(
        [sys.executable, "-m", "waystation.lambda_runtime"],
        cwd=TOY,
        env={
            "PATH": os.environ["PATH"],
            "SEEN": str(directory / "seen"),
            "_HANDLER": "app.handler",
            "_X_AMZN_TRACE_ID": "none",
            "AWS_LAMBDA_RUNTIME_API": api,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


NOT_HTTP = "the Runtime API answered what is not HTTP"
ENDED = "the Runtime API ended the connection"
BROKEN_NEXT: dict[str, tuple[Reply, str]] = {
    "500": (STOP, STOPPED),
    "403": ([kept_head(403, [("content-length", "0")])], STOPPED.replace("500", "403")),
    "no id": (
        event(headers=[DEADLINE]),
        "an event came without its header lambda-runtime-aws-request-id",
    ),
    "no deadline": (
        event(headers=[ID]),
        "an event came without its header lambda-runtime-deadline-ms",
    ),
    "odd deadline": (
        event(headers=[ID, (DEADLINE[0], "soon")]),
        "an event came that is not JSON, or without a time",
    ),
    "not JSON": (event(b"{"), "an event came that is not JSON, or without a time"),
    "not UTF-8": (event(b'"\xff"'), "an event came that is not JSON, or without a time"),
    "another protocol": ([b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], NOT_HTTP),
    "no status": ([b"HTTP/1.1\r\n\r\n"], NOT_HTTP),
    "odd length": (event(length="many"), NOT_HTTP),
    "negative length": (event(length="-1"), NOT_HTTP),
    "cut off": ([*event(length="100"), LEAVE], NOT_HTTP),
    "cut off in its head": ([b"HTTP/1.1 200 OK\r\n", LEAVE], NOT_HTTP),
    "endless head": ([b"HTTP/1.1 200 " + b"O" * 200_000, LEAVE], NOT_HTTP),
    "odd chunk": (
        [kept_head(200, [ID, DEADLINE, ("transfer-encoding", "chunked")]) + b"x\r\n"],
        NOT_HTTP,
    ),
    "silence": ([LEAVE], ENDED),
    "reset": ([RESET], ENDED),
}


@pytest.mark.parametrize(("reply", "cause"), BROKEN_NEXT.values(), ids=BROKEN_NEXT)
def test_broken_reply_ends_the_process(api: FakeUpstream, tmp_path: Path, reply, cause) -> None:
    api.answer(reply)
    line = {"level": "ERROR", "message": "runtime_api_failed", "cause": cause}
    assert run(api.address, tmp_path) == (1, [line])


def test_nobody_listening_ends_the_process(tmp_path: Path) -> None:
    status, (line,) = run("127.0.0.1:9", tmp_path)
    assert (status, line["cause"]) == (1, ENDED)


@pytest.mark.parametrize("job", [b'"job"', b'"raise"'], ids=["answer", "error"])
def test_answer_that_is_refused_ends_the_process(
    api: FakeUpstream, tmp_path: Path, job: bytes
) -> None:
    api.answer(event(job), STOP)
    status, lines = run(api.address, tmp_path)
    assert (status, lines[-1]["cause"]) == (1, "the Runtime API answered 500 to an answer")


CHUNKED = kept_head(200, [ID, DEADLINE, ("Transfer-Encoding", "chunked")])
TOO_SHORT = kept_head(200, [ID, DEADLINE]) + b'"job"'
GOOD_NEXT: dict[str, Reply] = {
    "with a length": event(),
    "in chunks": [CHUNKED + chunk(b'"j'), 0.01, chunk(b'ob"') + b"0\r\nX-Trailer: 1\r\n\r\n"],
    "until the connection ends": [TOO_SHORT, LEAVE],
    "and then the connection ends": [*event(), LEAVE],
    "saying that the connection ends": [
        kept_head(200, [ID, DEADLINE, ("content-length", "5"), ("Connection", "close")]) + b'"job"',
        LEAVE,
    ],
}


@pytest.mark.parametrize("reply", GOOD_NEXT.values(), ids=GOOD_NEXT)
def test_event_is_read_however_it_is_framed(
    api: FakeUpstream, tmp_path: Path, reply: Reply
) -> None:
    api.answer(reply, TAKEN, STOP)
    status, (line,) = run(api.address, tmp_path)
    assert (status, line["cause"]) == (1, STOPPED)
    asked, answered, again = api.received
    assert asked.request_line == "GET /2018-06-01/runtime/invocation/next HTTP/1.1"
    assert answered.request_line == "POST /2018-06-01/runtime/invocation/r1/response HTTP/1.1"
    assert (answered.json["event"], answered.json["trace"]) == ("job", None)
    assert again.request_line == asked.request_line


def test_connection_that_ended_between_events_is_made_again(
    api: FakeUpstream, tmp_path: Path
) -> None:
    api.answer(event(), TAKEN, [LEAVE], event(), TAKEN, STOP)
    _, (line,) = run(api.address, tmp_path)
    assert line["cause"] == STOPPED
    assert api.connections == 2
    assert len(api.received) == 6


def test_error_is_told_by_its_type_alone(api: FakeUpstream, tmp_path: Path) -> None:
    api.answer(event(b'"raise"'), TAKEN, STOP)
    run(api.address, tmp_path)
    told = api.received[1]
    assert told.path == "/2018-06-01/runtime/invocation/r1/error"
    assert told.header("Lambda-Runtime-Function-Error-Type") == ["ValueError"]
    assert told.json == {
        "errorMessage": "The function failed. Its log says where.",
        "errorType": "ValueError",
        "stackTrace": [],
    }


def test_wrapper_steps_aside_where_nothing_streams(tmp_path: Path) -> None:
    for own in (
        {},
        {"RESPONSE_MODE": "buffered"},
        {"RESPONSE_MODE": "stream", "AWS_SAM_LOCAL": "1"},
    ):
        done = subprocess.run(
            [ROOT / "shared" / "stream", "/bin/sh", "-c", 'echo "$RESPONSE_MODE $0 $1"', "a", "b"],
            env=own,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "buffered a b\n"
