"""What `waystation dev` promises, kept by a process of its own."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.conversations import first_turn, new_conversation, wait_for_title
from tests.support.dev_process import DevProcess
from tests.support.fake_upstream import FakeUpstream, chunk_of, endless_reply
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import CHAT, chat_body, free_port, sse_data


def test_the_demo_needs_no_key_and_prints_a_line_that_works(tmp_path: Path) -> None:
    with DevProcess(tmp_path, key=None) as dev:
        line = dev.output.read_text().partition("Try it:\n")[2].splitlines()[0]
        words = shlex.split(line)
        url = next(word for word in words if word.startswith("http"))
        headers = dict(
            words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H"
        )
        body = json.loads(words[words.index("-d") + 1])
        asks_usage = body | {"stream_options": {"include_usage": True}}
        answer = httpx2.post(url, headers=headers, json=asks_usage, trust_env=False)

    assert words[0] == "curl"
    *chunks, usage, done = sse_data(answer.text.splitlines())
    text = "".join(json.loads(chunk)["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text.startswith("You said: Hello!")
    assert done == "[DONE]"
    counted = json.loads(usage)["usage"]
    cached = counted["prompt_tokens_details"]["cached_tokens"]
    uncached = counted["prompt_tokens"] - cached
    cost = uncached * 150 + cached * 75 + counted["completion_tokens"] * 600
    assert counted["cost_nanousd"] == cost > 0


def test_the_demo_makes_titles(tmp_path: Path) -> None:
    conversation = new_conversation()
    with DevProcess(tmp_path) as dev:
        dev.chat(model="Demo/demo-small", **first_turn(conversation))

        assert wait_for_title(dev.client, conversation) == "How do I bake bread"


def test_what_is_not_set_is_told_and_the_line_is_for_an_endpoint_that_works(
    tmp_path: Path, acme: dict[str, object]
) -> None:
    config = build_config(
        acme | {"name": "Unset", "apiKey": "${NOWHERE}", "headers": {"X-A": "${THERE} ${GONE}"}},
        acme | {"name": "Mine", "apiKey": "user_provided"},
        acme | {"apiKey": "a-key"},
    )
    with DevProcess(tmp_path, config=config, environment={"THERE": "1"}) as dev:
        output = dev.output.read_text()

    assert "Endpoint 'Unset' waits for: NOWHERE, GONE\n" in output
    assert output.count("waits for") == 1
    assert '"model": "Acme/' in output.partition("Try it:\n")[2]


def test_all_routes_are_on_one_port_and_ctrl_c_ends_it(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    config = build_config(acme | {"apiKey": "a-key"})
    with DevProcess(tmp_path, "--no-demo", config=config) as dev:
        statuses = {
            path: dev.client.get(path).status_code
            for path in ("/v1/models", "/api/models", "/api/endpoints", "/healthz", "/nothing")
        }
        demo = dev.client.post("/demo-upstream/v1/chat/completions", json=chat_body())
        wrong = dev.client.get("/v1/models", headers={"authorization": "Bearer wrong"})

        assert dev.chat().status_code == 200
        assert statuses == {
            "/v1/models": 200,
            "/api/models": 200,
            "/api/endpoints": 200,
            "/healthz": 200,
            "/nothing": 404,
        }
        assert (demo.status_code, wrong.status_code) == (404, 401)
        assert dev.interrupt() == 0


def test_the_user_of_a_file_is_who_calls(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    user = tmp_path / "user.json"
    user.write_text(json.dumps({"_id": "64f0", "email": "zoë@example.com", "role": "ADMIN"}))
    names = ("ID", "EMAIL", "ROLE", "NAME")
    headers = {f"X-{name}": f"<{{{{LIBRECHAT_USER_{name}}}}}>" for name in names}
    config = build_config(acme | {"apiKey": "a-key", "headers": headers})

    with DevProcess(tmp_path, "--user", str(user), config=config) as dev:
        asserted = {"x-librechat-user-id": "another"}
        dev.chat()
        dev.client.post(CHAT, json=chat_body(), headers=asserted)

    first, second = upstream.received
    assert [first.header(f"x-{name}") for name in names] == [
        ["<64f0>"],
        ["<zo\xeb@example.com>"],
        ["<ADMIN>"],
        ["<>"],
    ]
    assert (first.json["user"], second.json["user"]) == ("64f0", "another")


def test_files_are_read_again_by_the_next_request(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    secrets = tmp_path / "secrets.env"
    secrets.write_text("# none yet\n")
    environment = {"FROM_PROCESS": "of-the-process", "ACME_KEY": "hidden by the file"}
    options = ("--env-file", str(secrets))
    config = build_config(acme | {"apiKey": "${ONLY_IN_FILE}"})
    with DevProcess(tmp_path, *options, config=config, environment=environment) as dev:

        def key_sent() -> str:
            answer = dev.chat()
            assert answer.status_code == 200
            return upstream.last.header("authorization")[0].removeprefix("Bearer ")

        unset = dev.chat()
        assert unset.status_code == 503
        assert unset.json()["error"]["code"] == "endpoint_misconfigured"
        assert "ONLY_IN_FILE" in unset.json()["error"]["message"]

        secrets.write_text("ONLY_IN_FILE='one$two'\nACME_KEY=\"of the file\"\n")
        assert key_sent() == "one$two"

        dev.config.write_text(build_config(acme))
        assert key_sent() == "of the file"

        replacement = tmp_path / "replacement"
        replacement.write_text(build_config(acme | {"apiKey": "${FROM_PROCESS}"}))
        replacement.replace(dev.config)
        assert key_sent() == "of-the-process"

        dev.config.write_text("endpoints: [")
        assert key_sent() == "of-the-process"

        broken = acme | {"name": "Broken", "models": {}}
        dev.config.write_text(build_config(acme | {"apiKey": "a-literal"}, broken))
        answer = dev.chat(model="Broken/anything")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "endpoint_misconfigured"
        assert key_sent() == "a-literal"

        dev.config.unlink()
        secrets.write_bytes(b"ACME_KEY=\xff")
        assert key_sent() == "a-literal"

        dev.config.write_text(build_config(acme))
        assert key_sent() == "of the file"
        secrets.unlink()
        assert key_sent() == "of the file"


def test_ctrl_c_ends_streams_too(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    upstream.answer(endless_reply(chunk_of("x"), pause_s=0.05))

    with (
        DevProcess(tmp_path, config=build_config(acme | {"apiKey": "a-literal"})) as dev,
        dev.client.stream("POST", CHAT, json=chat_body(stream=True)) as answer,
    ):
        assert next(answer.iter_lines()).startswith("data: ")
        assert dev.interrupt() == 0


def test_a_file_that_cannot_be_used_yet_is_waited_for(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    with DevProcess(tmp_path, config="endpoints: 7") as dev:
        answer = dev.chat()
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "config_unavailable"

        dev.config.write_text(build_config(acme | {"apiKey": "a-literal"}))
        assert dev.chat().status_code == 200


def test_upstreams_may_be_on_this_machine(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    document = {"endpoints": {"custom": [acme | {"apiKey": "a-literal"}]}}
    with DevProcess(tmp_path, config=json.dumps(document)) as dev:
        assert dev.chat().status_code == 200


@pytest.mark.parametrize("option", ["--config", "--env-file", "--user"])
def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, option: str) -> None:
    command = Path(sys.executable).with_name("waystation")

    ended = subprocess.run(
        [command, "dev", option, tmp_path / "nothing"], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr == f"error: {tmp_path / 'nothing'} is not a file\n"
    assert ended.stdout == ""


def test_browser_apps_may_call_from_the_origins_of_the_shell(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    config = build_config(acme | {"apiKey": "a-key"})
    app = "http://localhost:3000"
    with DevProcess(tmp_path, config=config, environment={"CORS_ORIGINS": app}) as dev:
        origin = {"origin": app}
        asked = origin | {"access-control-request-method": "POST"}
        preflight = httpx2.options(f"{dev.url}{CHAT}", headers=asked, trust_env=False)
        refusal = httpx2.post(f"{dev.url}{CHAT}", headers=origin, json={}, trust_env=False)

    assert (preflight.status_code, refusal.status_code) == (204, 401)
    for answer in (preflight, refusal):
        assert answer.headers["access-control-allow-origin"] == app


def test_origins_that_cannot_be_are_told(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("waystation")), "dev", "--port"]
    command.append(str(free_port()))
    environment = {"PATH": os.environ["PATH"], "CORS_ORIGINS": "*"}
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "error: CORS_ORIGINS must list origins" in done.stderr
    assert "Traceback" not in done.stderr
