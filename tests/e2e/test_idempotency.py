"""Requests with an Idempotency-Key: one upstream call, however often they come."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.support.fake_upstream import FakeUpstream, completion, json_reply, streamed
from tests.support.served_gateway import (
    CHAT,
    MESSAGES,
    ServedGateway,
    chat_body,
    expect_error,
    expect_released,
)


def post(
    served: ServedGateway, key: str, path: str = CHAT, /, *, x_endpoint: str = "", **body: Any
) -> httpx2.Response:
    headers = {"idempotency-key": key} | ({"x-endpoint": x_endpoint} if x_endpoint else {})
    return served.client.post(path, json=chat_body(**body), headers=headers)


def line_of(served: ServedGateway, answer: httpx2.Response) -> dict[str, Any]:
    """Return the line of a request, which is written when its answer has been sent."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for line in served.log.lines():
            if line.get("request_id") == answer.headers["x-request-id"] and "status" in line:
                return line
        time.sleep(0.02)
    raise AssertionError("there is no line")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_request_that_was_answered_is_told_and_not_made_again(
    served: ServedGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    upstream.answer(streamed("Hello!") if stream else json_reply(completion()))
    key = f"answered-{stream}"
    first = post(served, key, stream=stream)
    assert first.status_code == 200
    assert served.record_of(first)["state"] == "SETTLED"
    again = post(served, key, stream=stream)
    error = expect_error(again, 409, "idempotency_completed")
    assert first.headers["x-request-id"] in error["message"]
    assert again.headers["x-should-retry"] == "false"
    assert len(upstream.received) == 1
    line = line_of(served, again)
    assert (line["idempotent_hit"], line["error_code"]) == (True, "idempotency_completed")


def test_another_body_under_the_same_key_is_a_422(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    post(served, "reused")
    expect_error(post(served, "reused", temperature=1), 422, "idempotency_key_reused")
    expect_error(post(served, "reused", x_endpoint="Acme"), 422, "idempotency_key_reused")
    assert len(upstream.received) == 1


def test_key_counts_for_its_route_alone(served: ServedGateway, upstream: FakeUpstream) -> None:
    assert post(served, "routes", max_tokens=9).status_code == 200
    assert post(served, "routes", MESSAGES, max_tokens=9).status_code == 200
    again = post(served, "routes", MESSAGES, max_tokens=9)
    assert (again.status_code, again.json()["type"]) == (409, "error")
    assert len(upstream.received) == 2


def test_key_of_another_user_is_another_key(served: ServedGateway, upstream: FakeUpstream) -> None:
    served.add_key("key-of-bob", "bob")
    assert post(served, "of-two").status_code == 200
    headers = {"idempotency-key": "of-two", "authorization": "Bearer key-of-bob"}
    answer = served.client.post(CHAT, json=chat_body(), headers=headers)
    assert answer.status_code == 200


def test_request_that_cost_nothing_may_be_made_again(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(json_reply({"error": {"message": "No"}}, status=500))
    expect_released(served, post(served, "failed"), "upstream_error")
    upstream.answer(json_reply(completion()))
    assert post(served, "failed", temperature=1).status_code == 200


def test_ten_at_once_are_one_request(served: ServedGateway, upstream: FakeUpstream) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: post(served, "at-once"), range(10)))
    codes = [answer.json().get("error", {}).get("code") for answer in answers]
    assert codes.count(None) == 1
    assert set(codes) <= {None, "idempotency_in_progress", "idempotency_completed"}
    assert len(upstream.received) == 1


@pytest.mark.parametrize("key", ["a b", "k" * 256])
def test_key_that_cannot_be_is_a_400(
    served: ServedGateway, upstream: FakeUpstream, key: str
) -> None:
    error = expect_error(post(served, key), 400, "invalid_header_value")
    assert error["param"] == "idempotency-key"
    assert upstream.received == []


def test_table_that_is_down_is_a_503(served: ServedGateway, upstream: FakeUpstream) -> None:
    served.chat()
    served.table.is_down = True
    expect_error(post(served, "down"), 503, "ledger_unavailable")
    assert len(upstream.received) == 1
