"""What an upstream says of a user's key, and what the log does."""

import asyncio
import base64
import json

import pytest

from tests.support.fake_upstream import (
    FakeUpstream,
    Reply,
    chunk_of,
    json_reply,
    reply,
    stream_reply,
)
from tests.support.lambda_events import rest_event
from tests.support.lambda_gateway import TABLE, LambdaGateway, make_gateway_key
from tests.support.tables import open_table
from tests.support.users_keys import KEY, SENT, keys_sent, put_key
from waystation.identity.user import User


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("stream", [False, True])
def test_a_key_that_the_upstream_refuses_is_told_to_the_user(
    users_gateway: LambdaGateway, upstream: FakeUpstream, *, status: int, stream: bool
) -> None:
    put_key(users_gateway)
    upstream.answer(json_reply({"error": {"message": f"Wrong: {KEY}"}}, status=status))

    answer = users_gateway.chat(model="own-model", stream=stream)

    assert (answer.status, answer.error["type"]) == (401, "authentication_error")
    assert answer.error["code"] == "user_key_rejected"
    assert answer.headers["x-should-retry"] == "false"
    assert "canary" not in answer.text
    assert users_gateway.record_of(answer)["state"] == "RELEASED"


def _echoes(key: str) -> list[Reply]:
    told = f"Wrong: {key}, {base64.b64encode(key.encode()).decode()}, Bearer {key}"
    refusal = {"error": {"message": told, "code": key, "type": key, "param": key}}
    return [
        *(json_reply(refusal, status=status) for status in (400, 404, 422, 429, 500)),
        json_reply(refusal, headers=[("x-echo", key)], reason=key),
        reply(told.encode(), content_type="text/html"),
        json_reply({"choices": told}),
        stream_reply({"error": {"message": "x" * 480 + key}}),
        stream_reply(chunk_of("Hi"), {"error": {"message": told, "code": key}}),
        stream_reply(chunk_of("Hi"), f"data: {told}\n\n".encode()),
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("sent", [None, SENT], ids=["stored", "sent"])
def test_an_upstream_that_echoes_a_key_tells_it_to_nobody(
    users_gateway: LambdaGateway,
    upstream: FakeUpstream,
    caplog: pytest.LogCaptureFixture,
    sent: str | None,
    *,
    stream: bool,
) -> None:
    put_key(users_gateway)
    headers = {"x-endpoint-api-key": sent} if sent else {}
    for echo in _echoes(sent or KEY):
        upstream.answer(echo)
        answer = users_gateway.chat(model="own-model", stream=stream, headers=headers)
        assert "error" in answer.text
        assert "canary" not in answer.text + str(answer.headers)
        assert base64.b64encode(b"canary-key").decode()[:-4] not in answer.text
    assert keys_sent(upstream) == [[f"Bearer {sent or KEY}"]] * len(upstream.received)
    assert "canary" not in caplog.text


def test_a_key_in_a_field_of_the_log_is_redacted(
    users_gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    trusted = make_gateway_key("key-of-librechat", User("librechat"), is_trusted=True)
    for user, sent in ((SENT, SENT), (KEY, None)):
        named = {"x-librechat-user-id": user}
        if sent is None:
            event_headers = {
                **named,
                "Content-Type": "application/json",
                "Authorization": f"Bearer {trusted}",
            }
            body = json.dumps({"apiKey": KEY}).encode()
            users_gateway.call("account", rest_event("PUT", "/v1/keys/A%2Fb", event_headers, body))
        headers = {**named, **({"x-endpoint-api-key": sent} if sent else {})}
        answer = users_gateway.chat(model="own-model", key=trusted, headers=headers)
        assert answer.status == 200

    assert {line["user_id"] for line in users_gateway.log.lines() if "user_id" in line} == {
        "[REDACTED]"
    }
    table = open_table(TABLE)
    asyncio.run(table.delete(f"U#{KEY}", "KEY#A%2Fb"))
