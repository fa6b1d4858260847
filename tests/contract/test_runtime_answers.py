"""The client of the Runtime API, in a process of its own: what becomes of events and answers."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.fake_lambda import TOY, FakeLambda, fake_lambda, until
from tests.support.lambda_events import http_event, rest_event, url_event
from waystation_cli.local_lambda.front import Version

SECRET = "a secret"


class Seen:
    """What the function has noted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clear()

    def clear(self) -> None:
        self.path.write_text("")

    @property
    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return Seen(tmp_path_factory.mktemp("toy") / "seen")


@pytest.fixture(scope="module")
async def _toy(seen: Seen, anyio_backend: str) -> AsyncIterator[FakeLambda]:
    async with fake_lambda(TOY, seen.path.parent, environment={"SEEN": str(seen.path)}) as toy:
        yield toy


@pytest.fixture
async def toy(_toy: FakeLambda, seen: Seen) -> FakeLambda:
    """A warm function that has neither noted nor logged anything."""
    await _toy.function.settled()
    seen.clear()
    _toy.clear_log()
    return _toy


@pytest.mark.parametrize("make", [rest_event, http_event, url_event], ids=["REST", "HTTP", "URL"])
async def test_answer_begins_with_its_status_and_headers(toy: FakeLambda, seen: Seen, make) -> None:
    event = make("POST", "/echo/a%20b", {"Content-Type": "text/plain"}, b"Hi!")
    answer, fault = await toy.invoke(event)

    head, _, body = answer.partition(b"\0" * 8)
    cookies: dict[str, object] = {"cookies": ["a=1", "b=2"]}
    if make is rest_event:
        cookies = {"multiValueHeaders": {"set-cookie": ["a=1", "b=2"]}}
    assert fault is None
    assert json.loads(head) == {"statusCode": 201, "headers": {"x-kind": "echo"}} | cookies
    assert json.loads(body)["body"] == "Hi!"
    assert json.loads(body)["type"] == "text/plain"
    await toy.function.settled()
    assert seen.lines == ["disconnected"]


async def test_event_without_a_body_has_an_empty_one(toy: FakeLambda) -> None:
    for make in (rest_event, url_event):
        answer, _ = await toy.invoke(make("GET", "/echo", {}, None))
        assert json.loads(answer.partition(b"\0" * 8)[2])["body"] == ""


async def test_large_event_arrives_whole(toy: FakeLambda) -> None:
    text = "x" * 5_900_000
    answer = await toy.client.post("/echo?a=1&a=2", content=text)
    assert (answer.json()["body"], answer.json()["query"]) == (text, "a=1&a=2")


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [("/empty", 204, b""), ("/binary", 200, bytes(range(256)) * 2)],
    ids=["empty", "binary"],
)
async def test_body_is_passed_on_as_it_is(toy: FakeLambda, path, status, body) -> None:
    answer = await toy.client.get(path)
    assert (answer.status_code, answer.content) == (status, body)


async def test_every_piece_goes_out_by_itself(toy: FakeLambda) -> None:
    invocation = toy.function.invoke(rest_event("GET", "/steps", {}, None))
    first, *rest = [piece async for piece in invocation.pieces()]
    assert first.endswith(b"\0" * 8 + b"0\n")
    assert rest == [f"{number}\n".encode() for number in range(1, 40)]


FAILURES = ["early", "cancelled", "timeout", "silent", "bodiless"]


@pytest.mark.parametrize("path", FAILURES)
async def test_app_that_fails_before_its_answer_fails_the_event(toy: FakeLambda, path) -> None:
    answer, fault = await toy.invoke(rest_event("GET", f"/{path}", {}, None))
    assert answer == b""
    kind = "Runtime.NoAnswer" if path == "silent" else "Runtime.AppFailed"
    assert (fault.type, json.loads(fault.body)["errorType"]) == (kind, kind)
    assert SECRET not in str(toy.log())
    if path != "silent":
        (line,) = toy.log()
        assert line["message"] == "invocation_failed"
        assert any("toy_function/app.py" in place for place in line["trace"]) or path == "bodiless"
    assert (await toy.client.get("/empty")).status_code == 204
    assert len(toy.function.cold_starts_s) == 1


async def test_app_that_fails_later_ends_its_answer_with_an_error(toy: FakeLambda) -> None:
    answer, fault = await toy.invoke(rest_event("GET", "/late", {}, None))
    assert answer.endswith(b"so far")
    assert fault.type == "Runtime.AppFailed"
    assert json.loads(fault.body)["errorMessage"] == "The function failed. Its log says where."
    with pytest.raises(httpx2.RemoteProtocolError):
        await toy.client.get("/late")


async def test_what_is_left_to_do_is_done_before_the_next_event(
    toy: FakeLambda, seen: Seen
) -> None:
    assert (await toy.client.get("/after")).content == b"done"
    assert seen.lines == []
    await toy.function.settled()
    assert seen.lines == ["awaited", "left behind"]


async def test_other_events_go_to_the_handler(toy: FakeLambda) -> None:
    for event in ({"kind": "job"}, ["a"], 7, None):
        invocation = toy.function.invoke(event)
        (answer,) = [piece async for piece in invocation.pieces()]
        assert json.loads(answer) == {
            "event": event,
            "slept": "well",
            "id": invocation.request_id,
            "has_time": True,
            "memory_mb": 512,
            "trace": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
        }
        await toy.function.settled()


async def test_garbage_is_collected_once_the_function_is_loaded(toy: FakeLambda) -> None:
    answer, _ = await toy.invoke("collects")
    assert json.loads(answer) == {"now": True, "while_loaded": False}


@pytest.mark.parametrize(("event", "kind"), [("raise", "ValueError"), ("unwritable", "TypeError")])
async def test_handler_that_fails_fails_the_event(toy: FakeLambda, event, kind) -> None:
    answer, fault = await toy.invoke(event)
    assert (answer, fault.type) == (b"", kind)
    assert SECRET not in str(toy.log())
    assert toy.log()[0]["error_type"] == kind


async def test_event_that_looks_like_http_and_is_none_fails_alone(toy: FakeLambda) -> None:
    answer, fault = await toy.invoke({"resource": "/", "requestContext": None})
    assert (answer, bool(fault.type)) == (b"", True)
    assert (await toy.client.get("/empty")).status_code == 204


async def test_reader_that_does_not_read_stops_the_app(toy: FakeLambda, seen: Seen) -> None:
    invocation = toy.function.invoke(rest_event("GET", "/endless", {}, None))
    pieces = invocation.pieces()
    await anext(pieces)
    sent: list[str] = []
    while sent != seen.lines or not sent:
        sent = seen.lines
        await asyncio.sleep(0.3)
    assert len(sent) < 200  # of 64 KiB: what the sockets between them hold
    invocation.abandon()
    assert len([piece async for piece in pieces]) <= 1  # what was on its way
    await toy.function.settled()
    assert seen.lines[-1] == "gone http.disconnect"


async def test_client_that_leaves_is_told_to_the_app(toy: FakeLambda, seen: Seen) -> None:
    async with toy.client.stream("GET", "/endless") as answer:
        await anext(answer.aiter_bytes())
    await toy.function.settled()
    assert seen.lines[-1] == "gone http.disconnect"
    assert toy.log() == []
    assert (await toy.client.get("/empty")).status_code == 204


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[tuple[FakeLambda, Seen]]:
    """A function that has a second and a half for an event."""
    seen = Seen(tmp_path / "seen")
    environment = {"SEEN": str(seen.path)}
    async with fake_lambda(TOY, tmp_path, environment=environment, timeout_s=1.5) as hasty:
        await hasty.invoke(rest_event("GET", "/empty", {}, None))  # the start does not count
        yield hasty, seen


async def test_app_is_stopped_before_its_time_is_over(hasty: tuple[FakeLambda, Seen]) -> None:
    toy, seen = hasty
    answer, fault = await toy.invoke(rest_event("GET", "/slow", {}, None))
    assert answer.endswith(b"so far")
    assert (fault.type, seen.lines) == ("Runtime.Deadline", ["cancelled"])
    answer, fault = await toy.invoke(rest_event("GET", "/slowest", {}, None))
    assert (answer, fault.type) == (b"", "Runtime.Deadline")
    assert [line["error_type"] for line in toy.log()] == ["TimeoutError"] * 2
    assert len(toy.function.cold_starts_s) == 1


async def test_time_over_with_a_reader_that_does_not_read(hasty: tuple[FakeLambda, Seen]) -> None:
    toy, _ = hasty
    invocation = toy.function.invoke(rest_event("GET", "/endless", {}, None))
    pieces = invocation.pieces()
    await anext(pieces)
    await toy.function.settled()
    assert len(toy.function.sandboxes) == 1  # it was not killed
    await pieces.aclose()


async def test_process_that_has_to_be_killed_is_replaced(hasty: tuple[FakeLambda, Seen]) -> None:
    toy, _ = hasty
    _, fault = await toy.invoke(rest_event("GET", "/blocking", {}, None))
    assert fault.type == "Sandbox.Timedout"
    assert (await toy.client.get("/empty")).status_code == 204
    assert len(toy.function.cold_starts_s) == 2


async def test_sigterm_between_events_ends_the_process(hasty: tuple[FakeLambda, Seen]) -> None:
    toy, _ = hasty
    process: Any = toy.function.sandboxes[0].process
    process.send_signal(signal.SIGTERM)
    await until(lambda: process.returncode is not None)
    assert process.returncode == 0


async def test_sigterm_during_an_event_waits_for_its_end(hasty: tuple[FakeLambda, Seen]) -> None:
    toy, _ = hasty
    process: Any = toy.function.sandboxes[0].process
    invocation = toy.function.invoke(rest_event("GET", "/steps", {}, None))
    pieces = invocation.pieces()
    seen = await anext(pieces)
    process.send_signal(signal.SIGTERM)
    seen += b"".join([piece async for piece in pieces])
    assert seen.endswith(b"39\n")
    await until(lambda: process.returncode is not None)
    assert process.returncode == 0


async def test_function_that_cannot_be_loaded_says_so_once(tmp_path: Path) -> None:
    environment = {"SEEN": str(tmp_path / "seen"), "FAILS_TO_LOAD": "1"}
    async with fake_lambda(TOY, tmp_path, environment=environment) as toy:
        answer, fault = await toy.invoke({})
        assert (answer, fault.type) == (b"", "Runtime.InitError")
        assert json.loads(fault.body)["errorType"] == "RuntimeError"
        (line,) = toy.log()
        assert (line["message"], line["cause"]) == ("init_failed", "FAILS_TO_LOAD is set")


@pytest.mark.parametrize("version", ["1.0", "2.0"])
async def test_front_makes_events_that_come_back_as_requests(
    tmp_path: Path, version: Version
) -> None:
    environment = {"SEEN": str(tmp_path / "seen")}
    space = "+" if version == "1.0" else "%20"  # the former tells a query in parts
    async with fake_lambda(TOY, tmp_path, environment=environment, version=version) as toy:
        answer = await toy.client.put("/echo/x%2Fy?a=%20b&a=c", content="é".encode("latin-1"))
        assert (answer.status_code, answer.headers.get_list("set-cookie")) == (201, ["a=1", "b=2"])
        document = answer.json()
        assert (document["path"], document["query"]) == (
            "/echo/x/y",
            "a=+b&a=c".replace("+", space),
        )
        assert (document["method"], document["body"]) == ("PUT", "é")
