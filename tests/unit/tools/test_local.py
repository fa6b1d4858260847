"""The whole gateway in one process, asked without a server."""

import json
import shlex
from pathlib import Path

import pytest

from tests.support.asgi import ask
from tests.support.logs import fresh_log
from waystation.identity.user import User
from waystation_cli.dev import DEMO_CONFIG, curl_line
from waystation_cli.local.demo_upstream import PATH, demo_routes
from waystation_cli.local.stack import LocalOptions, build_local

KEY = {"authorization": "Bearer key", "content-type": "application/json"}


def build_options(config: Path = DEMO_CONFIG, **changes) -> LocalOptions:
    return LocalOptions(
        config=config, host="127.0.0.1", port=8000, key="key", user=User("dev"), **changes
    )


@pytest.fixture(autouse=True)
def _log():
    with fresh_log():
        yield


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000")]
)
def test_url_names_host_and_port(host, url):
    options = LocalOptions(config=DEMO_CONFIG, host=host, port=8000, key="k", user=User("dev"))
    assert options.url == url


async def test_every_route_is_served():
    app, _ = await build_local(build_options())
    models = await ask(app, path="/v1/models", headers=KEY)
    assert [model["id"] for model in models.json["data"]][:2] == [
        "Demo/demo-small",
        "Demo/demo-large",
    ]
    assert (await ask(app, path="/healthz")).json["status"] == "ok"
    chat = await ask(app, "POST", "/v1/chat/completions", headers=KEY, body=[b"{}"])
    assert (chat.status, chat.json["error"]["param"]) == (400, "model")
    demo = await ask(app, "GET", f"{PATH}/chat/completions")
    assert demo.status == 405


async def test_other_keys_are_refused():
    app, _ = await build_local(build_options())
    assert (await ask(app, path="/v1/models")).status == 401


async def test_demo_upstream_can_be_left_out():
    app, _ = await build_local(build_options(has_demo=False))
    answer = await ask(app, "POST", f"{PATH}/chat/completions", body=[b"{}"])
    assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")


async def test_variables_come_from_the_file_then_the_environment(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("A_KEY=file\n")
    monkeypatch.setenv("A_KEY", "environment")
    monkeypatch.setenv("B_KEY", "environment")
    _, runtime = await build_local(build_options(env_file=file))
    assert await runtime.secrets.resolve(["A_KEY", "B_KEY", "DEMO_API_KEY"]) == {
        "A_KEY": "file",
        "B_KEY": "environment",
        "DEMO_API_KEY": "sk-demo",
    }


async def test_changed_configuration_counts_at_once(tmp_path):
    config = tmp_path / "librechat.yaml"
    entry = "{name: N, apiKey: k, baseURL: 'http://u.test', models: {default: [%s]}}"
    config.write_text(f"endpoints: {{custom: [{entry % 'one'}]}}")
    app, _ = await build_local(build_options(config))
    assert (await ask(app, path="/api/models", headers=KEY)).json == {"N": ["one"]}
    config.write_text(f"endpoints: {{custom: [{entry % 'another'}]}}")
    assert (await ask(app, path="/api/models", headers=KEY)).json == {"N": ["another"]}
    config.write_text("endpoints: [")
    assert (await ask(app, path="/api/models", headers=KEY)).json == {"N": ["another"]}


CHAT = {"model": "demo-small", "messages": [{"role": "user", "content": "Hi."}]}
SAID = "You said: Hi. I am the demo upstream, and this answer went through the gateway."


async def demo(**changes: object):
    from starlette.routing import Router

    body = [json.dumps({**CHAT, **changes}).encode()]
    return await ask(Router(demo_routes()), "POST", f"{PATH}/chat/completions", body=body)


async def test_demo_upstream_answers_whole():
    answer = (await demo()).json
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": SAID},
            "finish_reason": "stop",
        }
    ]
    assert answer["usage"]["completion_tokens"] == len(SAID.split())


async def test_demo_upstream_takes_parts():
    parts = [{"type": "text", "text": "x"}]
    answer = (await demo(messages=[{"role": "user", "content": parts}])).json
    assert "something with pictures" in answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("Name it:\n\nUser: How do I bake bread, quickly?\nAI: Well.", "How do I bake bread"),
        ("Bread: yes or no?", "Bread yes or no"),
        ("User: ?\nAI: !", "Conversation"),
    ],
    ids=["conversation", "another template", "no words"],
)
async def test_demo_upstream_answers_a_request_for_a_title(prompt, title):
    answer = (await demo(messages=[{"role": "system", "content": prompt}])).json
    assert answer["choices"][0]["message"]["content"] == title


def test_curl_line_is_one_command():
    words = shlex.split(curl_line("http://127.0.0.1:8000", "k'ey", "Demo/it's"))
    assert words[:3] == ["curl", "-sN", "http://127.0.0.1:8000/v1/chat/completions"]
    assert words[4] == "Authorization: Bearer k'ey"
    assert json.loads(words[-1])["model"] == "Demo/it's"
