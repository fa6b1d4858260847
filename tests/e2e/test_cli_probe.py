"""`waystation probe`: what is asked of the upstream, directly and through the gateway."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.anthropic_upstream import messages_reply, messages_streamed, text_block
from tests.support.fake_upstream import FakeUpstream, Received
from tests.support.probing import ACME_KEY, Probe, probing
from tests.support.responses_upstream import responses_reply, responses_streamed, text_item
from tests.support.served_gateway import free_port

BOTH = pytest.mark.parametrize("way", ["--stream", "--no-stream"])


@pytest.fixture(autouse=True)
def probe(tmp_path: Path, acme: dict[str, object], upstream: FakeUpstream) -> Iterator[Probe]:
    """Probe the entry `acme` after changes."""
    with probing(tmp_path, acme, upstream) as probe:
        yield probe


def _told(report: Any, way: str) -> dict[str, object]:
    """Return what is told of one way, without its times."""
    return {name: value for name, value in report[way].items() if not name.endswith("_ms")}


def _keys(request: Received) -> set[str]:
    """Return the key of a request; it is the SDK's choice how to send it."""
    headers = [*request.header("x-api-key"), *request.header("authorization")]
    return {header.removeprefix("Bearer ") for header in headers}


@BOTH
def test_the_direct_chat_is_plain_and_the_entrys_own(
    probe: Probe, upstream: FakeUpstream, tmp_path: Path, way: str
) -> None:
    user = tmp_path / "user.json"
    user.write_text(json.dumps({"_id": "64f0", "name": "zo\xeb"}))
    headers = {"X-User": "<{{LIBRECHAT_USER_NAME}}>", "User-Agent": "ours"}

    probe(way, "--user", str(user), headers=headers, addParams={"seed": 7})

    direct, gateway = upstream.received
    plain = ("model", "messages", "stream", "max_tokens", "stream_options")
    assert direct.json == {name: gateway.json[name] for name in plain if name in gateway.json}
    assert gateway.json.keys() - direct.json.keys() == {"seed", "user"}
    assert direct.path == gateway.path == "/v1/chat/completions"
    for name in ("authorization", "x-user", "user-agent", "content-type"):
        assert (name, direct.header(name)) == (name, gateway.header(name))
    assert direct.header("x-user") == ["<zo\xeb>"]


def test_nothing_of_the_environment_reaches_the_upstream(
    probe: Probe, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    ambient = {
        "OPENAI_API_KEY": "ambient-key",
        "OPENAI_ORG_ID": "ambient-org",
        "OPENAI_PROJECT_ID": "ambient-project",
        "OPENAI_CUSTOM_ACME_TEAMS": "X-Ambient: ambient",
        "OPENAI_LOG": "debug",
        "ANTHROPIC_CUSTOM_ACME_TEAMS": "X-Ambient: ambient",
        "ANTHROPIC_AUTH_TOKEN": "ambient-token",
        "HTTP_PROXY": f"http://127.0.0.1:{free_port()}",
    }
    for name, value in ambient.items():
        monkeypatch.setenv(name, value)

    assert probe().exit_code == 0
    probe(provider="anthropic")

    assert len(upstream.received) == 4
    assert [one for one in upstream.received if b"ambient" in one.raw.lower()] == []


@BOTH
@pytest.mark.parametrize("suffix", ["", "/v1", "/v1/"])
def test_anthropics_api_is_asked_by_its_own_sdk(
    probe: Probe, upstream: FakeUpstream, way: str, suffix: str
) -> None:
    counts = {"cache_read_input_tokens": 3}
    usage = {"input_tokens": 7, "output_tokens": 5} | counts
    make = messages_streamed if way == "--stream" else messages_reply
    upstream.answer(make(text_block("pong"), usage=usage, model="acme-large"))
    base = f"http://{upstream.address}{suffix}"

    probed = probe(way, provider="anthropic", baseURL=base, headers={"Anthropic-Beta": "one"})

    direct = upstream.received[0]
    assert direct.path == "/v1/messages"
    assert _keys(direct) == {ACME_KEY}
    assert direct.header("anthropic-beta") == ["one"]
    assert direct.json["messages"] == [{"role": "user", "content": "Reply with the word pong."}]
    told = _told(probed.report, "direct")
    assert (told["text_length"], told["finish_reason"]) == (4, "stop")
    assert (told["input_tokens"], told["cached_tokens"], told["output_tokens"]) == (10, 3, 5)


def test_a_key_of_anthropics_may_be_json(probe: Probe, upstream: FakeUpstream) -> None:
    upstream.answer(messages_streamed(text_block("pong")))
    key = json.dumps({"ANTHROPIC_API_KEY": ACME_KEY})

    probe(provider="anthropic", apiKey=key)

    assert _keys(upstream.received[0]) == {ACME_KEY}
    assert probe(provider="anthropic", apiKey='{"OTHER": 1}').causes[0] == ("direct", "config")


@BOTH
def test_the_responses_api_is_asked_where_the_entry_uses_it(
    probe: Probe, upstream: FakeUpstream, way: str
) -> None:
    make = responses_streamed if way == "--stream" else responses_reply
    upstream.answer(make(text_item("pong")))

    probed = probe(way, addParams={"useResponsesApi": True})

    assert probed.exit_code == 0
    assert [one.path for one in upstream.received] == ["/v1/responses"] * 2
    assert upstream.received[0].json["max_output_tokens"] == 2048
    told = _told(probed.report, "direct")
    assert (told["text_length"], told["input_tokens"], told["finish_reason"]) == (4, 10, "stop")


@pytest.mark.parametrize(
    ("base", "changes", "path"),
    [
        ("/any/path?v=1&w=%20", {"directEndpoint": True}, "/any/path?v=1&w=%20"),
        ("/v1/?api-version=2", {}, "/v1/chat/completions?api-version=2"),
    ],
    ids=["directEndpoint", "query"],
)
def test_both_ways_go_to_the_same_url(
    probe: Probe, upstream: FakeUpstream, base: str, changes: dict[str, object], path: str
) -> None:
    probed = probe(baseURL=f"http://{upstream.address}{base}", **changes)

    assert probed.exit_code == 0
    assert [one.path for one in upstream.received] == [path] * 2


@pytest.mark.parametrize("model", ["acme-free", "Acme/acme-free"])
def test_a_model_may_be_named(probe: Probe, upstream: FakeUpstream, model: str) -> None:
    assert probe("--model", model).report["model"] == "acme-free"
    assert [one.json["model"] for one in upstream.received] == ["acme-free"] * 2


def test_the_model_of_add_params_is_asked_for_directly(
    probe: Probe, upstream: FakeUpstream
) -> None:
    probe(addParams={"model": "another"})
    assert [one.json["model"] for one in upstream.received] == ["another"] * 2


def test_the_env_file_is_looked_into_first(
    probe: Probe, upstream: FakeUpstream, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets.env"
    secrets.write_text("ACME_KEY=of-the-file")

    assert probe("--env-file", str(secrets)).exit_code == 0
    assert {one.header("authorization")[0] for one in upstream.received} == {"Bearer of-the-file"}


def test_the_sdks_are_imported_by_no_other_command() -> None:
    code = "import sys, waystation_cli.main; print({'openai', 'anthropic'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
