"""Lists over real sockets: every way an upstream can fail, and twenty users at once."""

import asyncio
import itertools
import json
import random
from pathlib import Path

import pytest

from tests.support.fake_upstream import (
    RESET,
    FakeUpstream,
    Received,
    Steps,
    chunk,
    gzip_reply,
    head,
    json_reply,
    reply,
)
from tests.support.lambda_gateway import build_config
from tests.support.local_app import KEY, build_app, client_of
from tests.support.served_gateway import free_port

CANARY = "canary-4f8e2a"
LISTED = {"data": [{"id": "told-b"}, {"id": "told-a"}]}


def _endless(_: Received) -> Steps:
    beginning = head(200, [("transfer-encoding", "chunked")]) + chunk(b'{"data": [')
    return itertools.chain([beginning], itertools.cycle([chunk(b'{"id": "x"},'), 0.2]))


FAILING: dict[str, object] = {
    "401": json_reply({"error": {"message": CANARY}}, status=401),
    "404": json_reply({}, status=404),
    "429": json_reply({}, status=429, headers=[("retry-after", "1")]),
    "500": json_reply({}, status=500),
    "redirect": reply(status=302, headers=[("location", f"/{CANARY}/v1/models")]),
    "html": reply(f"<html>{CANARY}</html>".encode(), content_type="text/html"),
    "no-list": json_reply({"object": "list"}),
    "empty": json_reply({"data": []}),
    "ids": json_reply({"data": [{"id": "x" * 257}, {"id": "a\x00b"}, {"id": 7}]}),
    "huge": json_reply({"data": [{"id": "x" * 200} for _ in range(6000)]}),
    "gzip": gzip_reply(LISTED),
    "reset": [head(200, [("content-length", "100")]), RESET],
    "cut": [head(200, [("content-length", "100")]) + b'{"data": ['],
    "no-http": [b"SSH-2.0-OpenSSH_9.6\r\n\r\n"],
    "slow": [30.0],
    "slow-body": [head(200, [("content-length", "100")]), 30.0],
    "never-ending": _endless,
}


def entry(name: str, base_url: str, **changes: object) -> dict[str, object]:
    return {
        "name": name,
        "apiKey": "key-of-upstream",
        "baseURL": base_url,
        "models": {"default": [f"default-{name}"], "fetch": True},
        **changes,
    }


def test_no_upstream_fails_the_list_of_another(upstream: FakeUpstream, tmp_path: Path) -> None:
    def answer(request: Received) -> Steps:
        scripted = FAILING.get(request.path.split("/")[1], json_reply(LISTED))
        return scripted(request) if callable(scripted) else scripted  # type: ignore[return-value]

    upstream.answer(answer)
    entries = [entry(name, f"http://{upstream.address}/{name}/v1") for name in FAILING]
    entries.append(entry("down", f"http://127.0.0.1:{free_port()}/v1"))
    entries.append(entry("unset", "${NO_SUCH_VARIABLE}"))
    entries.append(entry("good", f"http://{upstream.address}/good/v1"))

    async def ask() -> tuple[dict[str, list[str]], dict[str, object]]:
        async with client_of(await build_app(tmp_path, build_config(*entries))) as client:
            first = await client.get("/api/models")
            again = await client.get("/v1/models")
            return first.json(), again.json()

    names, models = asyncio.run(ask())

    expected = {one["name"]: [f"default-{one['name']}"] for one in entries}
    assert names == expected | {"good": ["told-b", "told-a"]}
    listed = [f"{name}/{model}" for name, models in names.items() for model in models]
    assert [model["id"] for model in models["data"]] == listed  # type: ignore[attr-defined]
    assert CANARY not in json.dumps([names, models])
    paths = [request.path for request in upstream.received]
    assert sorted(paths) == sorted(f"/{name}/v1/models" for name in [*FAILING, "good"])


def _list_of_the_asker(request: Received) -> Steps:
    """Answer with what the request told of its user, after a while."""
    (authorization,) = request.header("authorization")
    who = authorization.removeprefix("Bearer of-")
    user = request.path.partition("user=")[2] or who
    ids = [f"{who}-1", f"{user}-2", *request.header("x-mail")]
    return [random.random() / 50, *json_reply({"data": [{"id": i} for i in ids]})]


def test_no_list_or_header_crosses_over_to_another_user(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.answer(_list_of_the_asker)
    users = [f"user{n:02}" for n in range(20)]
    headers = {
        "Authorization": "Bearer of-{{LIBRECHAT_USER_ID}}",
        "X-Mail": "{{LIBRECHAT_USER_EMAIL}}",
    }
    models = {"default": ["none"], "fetch": True, "userIdQuery": True}
    config = build_config(
        entry("Personal", upstream.url, headers=headers, models=models),
        entry("Placeholder", upstream.url, headers=headers),
        entry("Shared", upstream.url, apiKey="of-everybody"),
    )

    async def ask_all() -> list[tuple[str, dict[str, list[str]]]]:
        async with client_of(app) as client:

            async def ask(user: str) -> tuple[str, dict[str, list[str]]]:
                asserted = {
                    "x-librechat-user-id": user,
                    "x-librechat-user-email": f"{user}@a.test",
                    "cookie": CANARY,
                    "x-custom": CANARY,
                }
                return user, (await client.get("/api/models", headers=asserted)).json()

            asked = random.Random(7).sample([*users] * 10, 200)
            return await asyncio.gather(*map(ask, asked))

    app = asyncio.run(build_app(tmp_path, config))
    answers = asyncio.run(ask_all()) + asyncio.run(ask_all())  # a second loop works as well

    assert len(answers) == 400
    for user, names in answers:
        own = [f"{user}-1", f"{user}-2", f"{user}@a.test"]
        assert names == {
            "Personal": own,
            "Placeholder": own,
            "Shared": ["everybody-1", "everybody-2"],
        }
    raw = b"".join(request.raw for request in upstream.received)
    assert CANARY.encode() not in raw
    assert KEY.encode() not in raw
    for request in upstream.received:
        (authorization,) = request.header("authorization")
        user = authorization.removeprefix("Bearer of-")
        assert request.header("x-mail") == ([] if user == "everybody" else [f"{user}@a.test"])
        assert request.path in {"/v1/models", f"/v1/models?user={user}"}
    assert len(upstream.received) == 2 * len(users) + 1  # each list was asked for once


@pytest.mark.parametrize("stays", [True, False], ids=["one stays", "all leave"])
def test_an_asker_that_leaves_takes_nothing_from_the_others(
    upstream: FakeUpstream, tmp_path: Path, *, stays: bool
) -> None:
    upstream.answer([0.3, *json_reply(LISTED)])
    config = build_config(entry("Acme", upstream.url))

    async def ask() -> dict[str, list[str]]:
        app = await build_app(tmp_path, config)
        async with client_of(app) as client:
            leaves = asyncio.ensure_future(client.get("/api/models"))
            await asyncio.sleep(0.1)
            waits = asyncio.ensure_future(client.get("/api/models")) if stays else None
            await asyncio.sleep(0.05)
            leaves.cancel()
            await asyncio.wait([leaves])
            answer = await (waits or client.get("/api/models"))
            names: dict[str, list[str]] = answer.json()
            return names

    assert asyncio.run(ask()) == {"Acme": ["told-b", "told-a"]}
    assert len(upstream.received) == (1 if stays else 2)


def test_a_new_configuration_asks_anew(upstream: FakeUpstream, tmp_path: Path) -> None:
    upstream.answer(json_reply(LISTED), json_reply({"data": [{"id": "newer"}]}))
    config = build_config(entry("Acme", upstream.url))

    async def ask() -> list[dict[str, list[str]]]:
        async with client_of(await build_app(tmp_path, config)) as client:
            first = await client.get("/api/models")
            same = await client.get("/api/models")
            (tmp_path / "librechat.yaml").write_text(f"# changed\n{config}", encoding="utf-8")
            return [first.json(), same.json(), (await client.get("/api/models")).json()]

    told = {"Acme": ["told-b", "told-a"]}
    assert asyncio.run(ask()) == [told, told, {"Acme": ["newer"]}]


def test_a_users_stored_key_and_url_are_asked_for_that_user_alone(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.answer(_list_of_the_asker)
    own = entry("Own", "user_provided", apiKey="user_provided", headers={"X-Secret": CANARY})
    config = build_config(endpoints={"allowedAddresses": [upstream.address], "custom": [own]})

    async def ask() -> list[dict[str, list[str]]]:
        async with client_of(await build_app(tmp_path, config)) as client:
            stored = {"apiKey": "of-alices-key", "baseURL": upstream.url}
            alice = {"x-librechat-user-id": "alice"}
            await client.put("/v1/keys/Own", json=stored, headers=alice)
            answers = [
                await client.get("/api/models", headers=alice),
                await client.get("/api/models", headers={"x-librechat-user-id": "bob"}),
            ]
            return [answer.json() for answer in answers]

    assert asyncio.run(ask()) == [
        {"Own": ["alices-key-1", "alices-key-2"]},
        {"Own": ["default-Own"]},
    ]
    (request,) = upstream.received
    assert CANARY.encode() not in request.raw
