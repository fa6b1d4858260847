"""POST /v1/titles, GET /v1/titles/{conversationId} and LibreChat's gen_title, through the app."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.asgi import AsgiAnswer, ask
from tests.support.calls import RAW_USAGE
from tests.support.fakes import BrokenTable, Reply, StaticSecrets
from tests.support.logs import fresh_log
from tests.support.titles import NOW_MS, Setting, Titles, build_job, refuses, says, titled_entry
from waystation.identity.authentication import Authenticator, KeyHolders
from waystation.identity.gateway_keys import PEPPER_NAME, GatewayKeys, store_key
from waystation.identity.user import User
from waystation.settings import ResponseMode
from waystation.titles.routes import build_router
from waystation.titles.service import TitleService
from waystation.web.api import create_api
from waystation_cli.local.memory_table import InMemoryTable

NONE_YET = {
    "message": "There is no title for this conversation, or none yet.",
    "type": "not_found_error",
    "param": None,
    "code": "not_found",
}


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    with fresh_log():
        yield


@dataclass
class TitlesRuntime:
    """A runtime with titles, and the keys of alice and of a trusted caller."""

    titles: TitleService
    keys: InMemoryTable
    response_mode: ResponseMode = "buffered"
    now_ms: Callable[[], int] = field(default=lambda: NOW_MS)

    @property
    def authenticator(self) -> Authenticator:
        keys = GatewayKeys(self.keys, now=lambda: 0.0)
        return Authenticator(keys=KeyHolders(keys, StaticSecrets(**{PEPPER_NAME: "a-pepper"})))

    def __call__(self) -> "TitlesRuntime":
        return self

    def live_secrets(self) -> Iterable[str]:
        return ()


class App:
    """The app over a setting and a scripted upstream."""

    def __init__(self, *script: Reply | Exception, **setting: Any) -> None:
        self.naps: list[float] = []
        self.titles: Titles = Setting(sleep=self._sleep, **setting).build(*script)
        self._runtime = TitlesRuntime(self.titles.service, InMemoryTable())
        self._app = create_api(
            self._runtime, routers=[build_router(self._runtime)], open_routers=[]
        )

    async def post(self, *, key: str = "of-alice", **body: object) -> AsgiAnswer:
        return await self.post_with({}, key=key, **body)

    async def post_with(
        self, headers: dict[str, str], *, key: str = "of-alice", **body: object
    ) -> AsgiAnswer:
        document = json.dumps({"model": "Acme/acme-large"} | body).encode()
        return await self._ask("POST", "/v1/titles", key, headers, body=[document])

    async def get(
        self, path: str, *, key: str = "of-alice", headers: dict[str, str] | None = None
    ) -> AsgiAnswer:
        return await self._ask("GET", path, key, headers or {})

    async def run(self, **job: Any) -> None:
        ends_at = asyncio.get_running_loop().time() + 10
        await self.titles.service.run(build_job(**job), ends_at)

    async def _ask(
        self, method: str, path: str, key: str, headers: dict[str, str], **rest: Any
    ) -> AsgiAnswer:
        if not await self._runtime.keys.scan("KEY"):
            await self._store_keys()
        sent = {"content-type": "application/json", "authorization": f"Bearer {key}"} | headers
        return await ask(self._app, method, path, headers=sent, **rest)

    async def _store_keys(self) -> None:
        for name, is_trusted in (("alice", False), ("librechat", True)):
            await store_key(
                self._runtime.keys,
                f"of-{name}",
                pepper="a-pepper",
                user=User(name),
                created_at="2026-01-01",
                is_trusted=is_trusted,
            )

    async def _sleep(self, seconds: float) -> None:
        self.naps.append(seconds)


def expect_error(answer: AsgiAnswer, status: int, code: str, param: str | None = None) -> str:
    """Expect an envelope; return its message."""
    error = answer.json["error"]
    assert (answer.status, error["code"], error["param"]) == (status, code, param)
    return str(error["message"])


def line_of(out: str) -> dict[str, Any]:
    """Return the line of the request."""
    (line,) = [json.loads(text) for text in out.splitlines() if '"request"' in text]
    return dict(line)


async def test_title_is_made_of_two_texts(capsys):
    app = App(says("A Title"))
    answer = await app.post(input="Hi", output="Hello!", conversationId="c1")
    assert answer.status == 200
    assert answer.json == {"title": "A Title", "conversationId": "c1", "usage": RAW_USAGE}
    assert app.titles.sent[0][1]["messages"][0]["content"].endswith("User: Hi\nAI: Hello!")
    (record,) = app.titles.ledger.records
    assert (record.kind, record.user_id, record.conversation_id) == ("title", "alice", "c1")
    assert record.request_id == answer.headers["x-request-id"]
    line = line_of(capsys.readouterr().out)
    assert (line["route"], line["status"], line["user_id"]) == ("/v1/titles", 200, "alice")
    assert (line["endpoint"], line["model"]) == ("Acme", "acme-large")
    assert (line["upstream_model"], line["output_tokens"]) == ("small", 5)


async def test_title_is_made_of_messages():
    app = App(says("A Title"))
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    answer = await app.post(messages=messages)
    assert answer.json == {"title": "A Title", "conversationId": None, "usage": RAW_USAGE}
    assert app.titles.sent[0][1]["messages"][0]["content"].endswith("User: Hi\nAI: Hello!")


async def test_title_on_request_is_not_kept():
    app = App(says("A Title"))
    await app.post(input="Hi", conversationId="c1")
    assert (await app.get("/v1/titles/c1")).status == 404


async def test_no_line_tells_what_was_said(capsys):
    app = App(says("canary-title"), refuses("canary-refusal"))
    await app.post(input="canary-input", output="canary-output")
    await app.post(input="canary-input", output="canary-output")
    out = capsys.readouterr().out
    assert out.count('"request"') == 2
    assert "canary" not in out


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "neither": ({}, "messages"),
    "both": ({"messages": [{"role": "user", "content": "Hi"}], "input": "Hi"}, "input"),
    "no text": ({"input": 5}, "input"),
    "no model": ({"input": "Hi", "model": ""}, "model"),
}


@pytest.mark.parametrize(("body", "param"), BAD.values(), ids=BAD)
async def test_bad_body_is_an_envelope(body: dict[str, Any], param: str):
    app = App()
    expect_error(await app.post(**body), 400, "invalid_body", param)
    assert app.titles.sent == []


async def test_titles_that_are_off_are_an_envelope():
    app = App(entries=(titled_entry(titleConvo=False),))
    message = expect_error(await app.post(input="Hi"), 400, "titles_off")
    assert message == "Endpoint 'Acme' makes no titles: titleConvo is not true."


async def test_refusal_of_the_upstream_is_passed_on_and_released():
    app = App(refuses("No such model."))
    answer = await app.post(input="Hi")
    assert (answer.status, answer.json["error"]["message"]) == (400, "No such model.")
    (record,) = app.titles.ledger.records
    assert (record.state, record.cost_nanousd) == ("RELEASED", 0)


async def test_unknown_model_is_an_envelope():
    answer = await App().post(input="Hi", model="unknown")
    expect_error(answer, 404, "model_not_found", "model")


async def test_endpoint_may_be_named_by_a_header_or_the_body():
    beta = titled_entry(name="Beta", baseURL="https://beta.test/v1")
    app = App(says("A"), says("A"), entries=(titled_entry(), beta))
    await app.post_with({"x-endpoint": "Beta"}, input="Hi", model="acme-large")
    await app.post_with({"x-endpoint": "Acme"}, input="Hi", model="acme-large", endpoint="Beta")
    assert [url for url, _ in app.titles.sent] == ["https://beta.test/v1/chat/completions"] * 2


async def test_trusted_caller_asserts_the_user_and_the_ids():
    headers = {
        "x-librechat-user-id": "bob",
        "x-librechat-user-email": "b@b.test",
        "x-librechat-body-conversationid": "c9",
    }
    filled = {"x-a": "{{LIBRECHAT_USER_EMAIL}} {{LIBRECHAT_BODY_CONVERSATIONID}}"}
    app = App(says("A"), says("A"), entries=(titled_entry(headers=filled),))
    answer = await app.post_with(headers, key="of-librechat", input="Hi")
    assert answer.json["conversationId"] == "c9"
    assert dict(app.titles.egress.sent[0].headers)["x-a"] == "b@b.test c9"
    (record,) = app.titles.ledger.records
    assert (record.user_id, record.conversation_id) == ("bob", "c9")
    await app.post_with(headers, key="of-librechat", input="Hi", conversationId="own")
    assert app.titles.ledger.records[-1].conversation_id == "own"


async def test_ids_by_header_of_others_do_not_count():
    app = App(says("A"))
    headers = {"x-librechat-body-conversationid": "c9"}
    assert (await app.post_with(headers, input="Hi")).json["conversationId"] is None


async def test_title_made_beside_a_chat_is_found():
    app = App(says("A Title"))
    await app.run()
    answer = await app.get("/v1/titles/c1")
    assert (answer.status, answer.json) == (200, {"title": "A Title", "conversationId": "c1"})
    answer = await app.get("/api/convos/gen_title/c1")
    assert (answer.status, answer.json) == (200, {"title": "A Title"})
    assert (await app.get("/v1/titles/c1")).status == 200  # reading does not take it away
    assert app.naps == []


async def test_title_of_another_user_is_not_found():
    app = App(says("A Title"))
    await app.run(user_id="bob")
    assert (await app.get("/v1/titles/c1")).json == {"error": NONE_YET}
    as_bob = {"x-librechat-user-id": "bob"}
    answer = await app.get("/v1/titles/c1", key="of-librechat", headers=as_bob)
    assert answer.json == {"title": "A Title", "conversationId": "c1"}
    assert (await app.get("/v1/titles/c1", headers=as_bob)).status in {400, 403, 404}


async def test_title_that_is_not_there_is_an_envelope(capsys):
    answer = await App().get("/v1/titles/c1")
    assert (answer.status, answer.json) == (404, {"error": NONE_YET})
    line = line_of(capsys.readouterr().out)
    assert (line["route"], line["error_code"]) == ("/v1/titles/{conversation_id}", "not_found")


async def test_title_that_failed_is_not_found():
    app = App(refuses("No."))
    await app.run()
    assert (await app.get("/v1/titles/c1")).json == {"error": NONE_YET}
    assert (await app.get("/api/convos/gen_title/c1")).status == 404
    assert app.naps == []


async def test_gen_title_waits_and_answers_as_librechat(capsys):
    app = App()
    answer = await app.get("/api/convos/gen_title/c1")
    assert answer.status == 404
    assert answer.json == {
        "message": "Title not found or method not implemented for the conversation's endpoint",
        "error": NONE_YET,
    }
    assert app.naps == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert line_of(capsys.readouterr().out)["error_code"] == "not_found"


@pytest.mark.parametrize("path", ["/v1/titles/c1", "/api/convos/gen_title/c1"])
async def test_nobody_sees_titles_without_a_key(path: str):
    app = App(says("A Title"))
    await app.run()
    expect_error(await app.get(path, key="another"), 401, "invalid_api_key")
    assert (await app.post(key="another", input="Hi")).status == 401


@pytest.mark.parametrize("path", ["/v1/titles/c1", "/api/convos/gen_title/c1"])
async def test_table_that_is_down_is_an_envelope(path: str):
    expect_error(await App(table=BrokenTable()).get(path), 503, "ledger_unavailable")
