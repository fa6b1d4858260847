"""Many users with keys of their own in one warm process, and the titles of their chats."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.fake_upstream import FakeUpstream, Received, Step, completion, json_reply
from tests.support.logs import fresh_log
from tests.support.own_keys import OPERATORS_KEY, OwnKeysGateway, build_own_keys_gateway

USERS = [f"user-{n}" for n in range(20)]
FAR = "2999-01-01T00:00:00.000Z"


@pytest.fixture
async def gateway(upstream: FakeUpstream, tmp_path: Path) -> AsyncIterator[OwnKeysGateway]:
    """A gateway whose users may bring the upstream's address too."""
    with fresh_log():
        yield await build_own_keys_gateway(tmp_path, upstream.url, upstream.address)


def stored(user: str, endpoint: str) -> str:
    return f"canary-stored-{user}-{endpoint}-{'x' * 8}"


def sent(user: str, at: int) -> str:
    return f"canary-sent-{user}-{at}-{'x' * 8}"


def echo(request: Received) -> Iterator[Step]:
    """Answer with the key that was sent and who sent it, a little later."""
    (key,) = request.header("authorization")
    said = request.json["messages"][0]["content"]
    yield len(said) % 3 * 0.01
    yield from json_reply(completion(json.dumps({"key": key, "said": said})))


async def test_no_key_or_header_crosses_over_among_many_users(
    gateway: OwnKeysGateway, upstream: FakeUpstream
) -> None:
    upstream.answer(echo)
    for user in USERS:
        for endpoint in ("Own", "Both"):
            url = {"baseURL": f"{upstream.url}/{user}"} if endpoint == "Both" else {}
            body = {"apiKey": stored(user, endpoint), **url}
            put = await gateway.ask("PUT", f"/v1/keys/{endpoint}", body, user=user)
            assert put.status == 200

    async def chat(at: int) -> None:
        user, way = USERS[at % len(USERS)], at // len(USERS) % 5
        endpoint = ("Own", "Both", "Own", "Both", "Plain")[way]
        headers, key = {}, stored(user, endpoint)
        if way in {2, 3}:
            key = sent(user, at)
            headers = {"x-endpoint-api-key": key}
        if way == 3:
            headers["x-endpoint-base-url"] = f"{upstream.url}/{user}/{at}"
        if way == 4:
            key = OPERATORS_KEY
        answer = await gateway.chat(endpoint, user=user, headers=headers)
        text = json.loads(answer.json["choices"][0]["message"]["content"])
        assert text == {"key": f"Bearer {key}", "said": f"I am {user}."}

    await asyncio.gather(*(asyncio.create_task(chat(at)) for at in range(200)))

    assert len(upstream.received) == 200
    for request in upstream.received:
        user = request.json["messages"][0]["content"].removeprefix("I am ").rstrip(".")
        (key,) = request.header("authorization")
        others = [other for other in USERS if f"-{other}-" in key and other != user]
        assert others == []
        is_users_url = "/user-" in request.path
        assert f"/{user}/" in request.path or not is_users_url
        assert bool(request.header("x-team")) is not is_users_url
        assert not request.header("x-endpoint-api-key")
    assert "canary" not in gateway.log.text
    lines = [line for line in gateway.log.lines() if line.get("route") == "/v1/chat/completions"]
    assert sorted(line["user_id"] for line in lines) == sorted(USERS * 10)


async def received(upstream: FakeUpstream, requests: int) -> list[str]:
    """Wait for so many requests, and return with which keys they came."""
    for _ in range(200):
        if len(upstream.received) >= requests:
            break
        await asyncio.sleep(0.02)
    return [one.header("authorization")[0] for one in upstream.received]


async def test_title_beside_a_chat_is_made_with_the_stored_key(
    gateway: OwnKeysGateway, upstream: FakeUpstream
) -> None:
    await gateway.ask("PUT", "/v1/keys/Titled", {"apiKey": stored("alice", "Titled")})
    headers = {"x-endpoint-api-key": sent("alice", 1)}
    await gateway.chat("Titled", headers=headers, conversationId="c-1")

    keys = {f"Bearer {sent('alice', 1)}", f"Bearer {stored('alice', 'Titled')}"}
    assert set(await received(upstream, 2)) == keys  # whichever was there first


async def test_title_of_another_endpoint_is_made_with_the_key_for_that(
    gateway: OwnKeysGateway, upstream: FakeUpstream
) -> None:
    await gateway.ask("PUT", "/v1/keys/Own", {"apiKey": stored("alice", "Own")})
    body = {"endpoint": "Elsewhere", "model": "m", "input": "Hi!", "output": "Hello!"}
    headers = {"x-endpoint-api-key": sent("alice", 1)}
    made = await gateway.ask("POST", "/v1/titles", body)
    with_key = await gateway.ask("POST", "/v1/titles", body, headers=headers)
    of_nobody = await gateway.ask("POST", "/v1/titles", body, user="bob")

    assert [made.status, with_key.status] == [200, 200]
    assert of_nobody.json["error"]["code"] == "missing_user_key"
    keys = [one.header("authorization") for one in upstream.received]
    assert keys == [[f"Bearer {stored('alice', 'Own')}"]] * 2


async def test_request_for_a_title_may_bring_a_key(
    gateway: OwnKeysGateway, upstream: FakeUpstream
) -> None:
    body = {"endpoint": "Titled", "model": "m", "input": "Hi!", "output": "Hello!"}
    headers = {"x-endpoint-api-key": sent("alice", 1)}
    made = await gateway.ask("POST", "/v1/titles", body, headers=headers)

    assert made.status == 200
    assert upstream.last.header("authorization") == [f"Bearer {sent('alice', 1)}"]
