"""Gateways that are told to ask gateways: themselves, or one another."""

import json
from pathlib import Path

import httpx2

from tests.support.dev_process import DevProcess
from tests.support.fake_upstream import FakeUpstream, Received, Steps, json_reply
from tests.support.lambda_gateway import build_config


def entry_on(dev: DevProcess, model: str = "acme-large") -> dict[str, object]:
    """Return an entry whose upstream is a gateway on this machine."""
    return {
        "name": "Loop",
        "apiKey": dev.key,
        "baseURL": f"{dev.url}/v1",
        "models": {"default": [model]},
    }


def requests_of(dev: DevProcess) -> list[dict[str, object]]:
    """Return the log's lines of chats."""
    lines = [line for line in dev.output.read_text().splitlines() if line.startswith("{")]
    told = [json.loads(line) for line in lines]
    return [line for line in told if line["message"] == "request" and line["method"] == "POST"]


def test_a_gateway_that_asks_itself_is_asked_once(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    with DevProcess(tmp_path, config=build_config(acme | {"apiKey": "a-key"})) as dev:
        dev.config.write_text(build_config(entry_on(dev)))
        for stream in (False, True):
            answer = dev.chat(model="Loop/acme-large", stream=stream)
            assert answer.status_code == 502
            assert answer.json()["error"]["code"] == "upstream_error"
            assert answer.headers["x-should-retry"] == "false"
        dev.interrupt()  # its log is complete then
        seen = [(line["status"], line["error_code"]) for line in requests_of(dev)]
        assert seen == [(508, "loop_detected"), (502, "upstream_error")] * 2
        assert upstream.received == []


def test_a_gateway_knows_itself_behind_what_drops_via(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    with DevProcess(tmp_path, config=build_config(acme | {"apiKey": "a-key"})) as dev:

        def relay(request: Received) -> Steps:
            kept = {"authorization", "content-type", "user-agent"}
            headers = {name: value for name, value in request.headers if name.lower() in kept}
            answer = httpx2.post(f"{dev.url}{request.path}", content=request.body, headers=headers)
            return json_reply(answer.json(), status=answer.status_code)

        upstream.answer(relay)
        dev.config.write_text(build_config(entry_on(dev) | {"baseURL": upstream.url}))
        answer = dev.chat(model="Loop/acme-large")

    assert answer.status_code == 502
    assert len(upstream.received) == 1


def test_one_gateway_may_ask_another(
    tmp_path: Path, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    with DevProcess(far, config=build_config(acme | {"apiKey": "a-key"})) as second:
        config = build_config(entry_on(second, "Acme/acme-large"))
        with DevProcess(near, config=config) as first:
            answer = first.chat(model="Loop/Acme/acme-large")

    assert answer.status_code == 200
    assert len(upstream.received) == 1
    (via,), (agent,) = upstream.last.header("via"), upstream.last.header("user-agent")
    assert via.startswith("1.1 waystation-")
    assert agent == f"waystation/{via.removeprefix('1.1 ')}"
