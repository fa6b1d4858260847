"""Twenty users in one warm process, all at once, in whatever they do: each has what is theirs."""

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path

import httpx2
import pytest

from tests.support.fake_upstream import FakeUpstream, Received, Steps, completion, json_reply
from tests.support.fake_upstream import streamed as streamed_completion
from tests.support.fresh_log import CapturedLog
from tests.support.lambda_gateway import build_config
from tests.support.local_app import build_app, client_of
from waystation.credentials.own import values_in_use

USERS = [f"user-{n:02}" for n in range(20)]
ENDPOINTS = ("Url", "Key")


def config_for(upstream: FakeUpstream) -> str:
    """Return a file: users bring a key for `Key`, and a URL too for `Url`; `Plain` is for all."""
    shared: dict[str, object] = {
        "apiKey": "user_provided",
        "models": {"default": ["m"], "fetch": True},
        "headers": {"X-User": "{{LIBRECHAT_USER_ID}}", "X-Said": "{{LIBRECHAT_BODY_MESSAGEID}}"},
        "titleConvo": True,
        "titleModel": "current_model",
    }
    url = upstream.url
    entries: list[dict[str, object]] = [
        shared | {"name": "Url", "baseURL": "user_provided"},
        shared | {"name": "Key", "baseURL": f"{url}/key"},
        shared | {"name": "Plain", "baseURL": f"{url}/plain", "apiKey": "the-operators-own-key"},
    ]
    return build_config(endpoints={"custom": entries, "allowedAddresses": [upstream.address]})


def answer_with_what_was_sent(request: Received) -> Steps:
    """Answer with the key, the user and the path of a request, a little later."""
    (authorization,) = request.header("authorization")
    key = authorization.removeprefix("Bearer ")
    user = "".join(request.header("x-user"))
    said = "".join(request.header("x-said"))
    pause = random.random() / 100
    cookie = [("set-cookie", f"session={key}; Path=/")]
    if request.path.endswith("/models"):
        ids = [f"{key}|{user}|{request.path}"]
        return [pause, *json_reply({"data": [{"id": i} for i in ids]}, headers=cookie)]
    text = f"{key}|{user}|{said}|{request.path}|{request.json.get('user', '')}"
    if request.json.get("stream"):
        return [pause, *streamed_completion(*text)]
    return [pause, *json_reply(completion(text), headers=cookie)]


class User:
    """One of the users, who checks whatever comes back."""

    def __init__(self, name: str, client: httpx2.AsyncClient, upstream: FakeUpstream) -> None:
        self.name = name
        self._client = client
        self._url = f"{upstream.url}/{name}"
        self._said = 0

    async def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] = {}
    ) -> httpx2.Response:
        own = {"x-librechat-user-id": self.name, **headers}
        answer = await self._client.request(method, path, json=body, headers=own)
        assert answer.status_code in {200, 204}, answer.text
        self.check(answer.text)
        return answer

    def check(self, text: str) -> None:
        assert [one for one in USERS if one != self.name and one in text] == []

    async def put_keys(self) -> None:
        for endpoint in ENDPOINTS:
            body = {"apiKey": f"canary-{self.name}-{endpoint}-{random.randrange(1000):04}"}
            if endpoint == "Url":
                body["baseURL"] = self._url
            await self.ask("PUT", f"/v1/keys/{endpoint}", body)

    async def show_keys(self) -> None:
        for endpoint in ENDPOINTS:
            await self.ask("GET", f"/v1/keys/{endpoint}")

    async def chat(self, endpoint: str, **fields: object) -> str:
        self._said += 1
        said = f"{self.name}-said-{self._said}"
        body = {"endpoint": endpoint, "model": "m", "messageId": said, **fields}
        body["messages"] = [{"role": "user", "content": said}]
        headers, sent = {}, f"canary-{self.name}-{endpoint}-"
        if endpoint != "Plain" and random.random() < 0.5:
            sent = f"canary-{self.name}-of-{said}"
            headers = {"x-endpoint-api-key": sent}
            if endpoint == "Url":
                headers["x-endpoint-base-url"] = f"{self._url}/sent"
        answer = await self.ask("POST", "/v1/chat/completions", body, headers)
        text = _text_of(answer)
        key, user, told, path, users_id = text.split("|")
        assert key.startswith("the-operators" if endpoint == "Plain" else sent)
        assert (user, told) == (("", "") if endpoint == "Url" else (self.name, said))
        assert path.startswith(f"/v1/{self.name if endpoint == 'Url' else endpoint.lower()}/")
        assert users_id == self.name
        return text

    async def make_title(self) -> None:
        body = {"endpoint": "Key", "model": "m", "input": self.name}
        title = (await self.ask("POST", "/v1/titles", body)).json()["title"]
        assert title.startswith(f"canary-{self.name}-Key-")

    async def list_models(self) -> None:
        names = (await self.ask("GET", "/api/models")).json()
        assert names["Key"][0].startswith(f"canary-{self.name}-Key-")
        assert f"|{self.name}|" in names["Key"][0]
        assert f"|/v1/{self.name}/models" in names["Url"][0]
        assert names["Plain"] == [f"the-operators-own-key|{self.name}|/v1/plain/models"]


def _text_of(answer: httpx2.Response) -> str:
    if answer.headers["content-type"] == "application/json":
        text: str = answer.json()["choices"][0]["message"]["content"]
        return text
    data = [line.removeprefix("data: ") for line in answer.text.split("\n") if line]
    assert data[-1] == "[DONE]"
    deltas = [json.loads(one)["choices"][0]["delta"] for one in data[:-1]]
    return "".join(delta.get("content") or "" for delta in deltas)


def _deeds(user: User) -> list[Callable[[], Coroutine[None, None, object]]]:
    return [
        user.put_keys,
        user.show_keys,
        user.make_title,
        user.list_models,
        *(
            lambda e=e, s=s: user.chat(e, stream=s)
            for e in ("Url", "Key", "Plain")
            for s in (False, True)
        ),
    ]


@pytest.fixture
def log() -> CapturedLog:
    return CapturedLog()


def test_nothing_of_a_user_is_seen_by_another(
    upstream: FakeUpstream, tmp_path: Path, log: CapturedLog
) -> None:
    upstream.answer(answer_with_what_was_sent)

    async def mix() -> None:
        async with client_of(app) as client:
            users = [User(name, client, upstream) for name in USERS]
            await asyncio.gather(*(user.put_keys() for user in users))
            deeds = [deed for user in users for deed in _deeds(user)]
            assert len(deeds) == 200
            random.shuffle(deeds)
            await asyncio.gather(*(asyncio.create_task(deed()) for deed in deeds))
            assert client.cookies == {}
        assert values_in_use() == ()

    with log.set_up():
        app = asyncio.run(build_app(tmp_path, config_for(upstream)))
    for _ in range(2):  # one event loop after the other
        asyncio.run(mix())

    assert len(upstream.received) > 2 * 7 * len(USERS)  # seven deeds of ten ask, but for lists
    assert all(not request.header("cookie") for request in upstream.received)
    assert "canary" not in log.text
    assert "/v1/user-" not in log.text
