"""`waystation probe`: what it tells of two answers, and how it ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run
from tests.support.fake_upstream import FakeUpstream, completion, json_reply, streamed
from tests.support.probing import Probe, probe_json, probing
from tests.support.served_gateway import KEY, ServedGateway

BOTH = pytest.mark.parametrize("way", ["--stream", "--no-stream"])


@pytest.fixture(autouse=True)
def probe(tmp_path: Path, acme: dict[str, object], upstream: FakeUpstream) -> Iterator[Probe]:
    """Probe the entry `acme` after changes."""
    with probing(tmp_path, acme, upstream) as probe:
        yield probe


def _told(report: Any, way: str) -> dict[str, object]:
    """Return what is told of one way, without its times."""
    return {name: value for name, value in report[way].items() if not name.endswith("_ms")}


@BOTH
def test_a_chat_is_told_side_by_side(probe: Probe, upstream: FakeUpstream, way: str) -> None:
    is_stream = way == "--stream"
    details = {"prompt_tokens_details": {"cached_tokens": 4}}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15} | details
    usage |= {"completion_tokens_details": {"reasoning_tokens": 3}}
    whole = json_reply(completion("pong", usage=usage))
    upstream.answer(streamed("po", "ng", usage=usage) if is_stream else whole)

    probed = probe(way)

    assert probed.exit_code == 0
    direct = {
        "ok": True,
        "status": 200,
        "model": "upstream-model",
        "finish_reason": "stop",
        "text_length": 4,
        "input_tokens": 10,
        "cached_tokens": 4,
        "output_tokens": 5,
        "reasoning_tokens": 3,
        "tokens_estimated": False,
        "cost_nanousd": None,
    }
    assert _told(probed.report, "direct") == direct
    assert _told(probed.report, "gateway") == direct | {"cost_nanousd": 44_000}
    rest = dict(probed.report)
    for half in ("direct", "gateway"):
        times = rest.pop(half)
        assert times["total_ms"] >= 0
        assert (times["first_token_ms"] is not None) == is_stream
    assert rest == {
        "ok": True,
        "endpoint": "Acme",
        "model": "acme-large",
        "stream": is_stream,
        "differences": [],
        "diagnoses": [],
    }


def test_a_model_that_is_not_listed_is_the_gateways_to_refuse(probe: Probe) -> None:
    probed = probe("--model", "other")

    assert (probed.exit_code, probed.causes) == (1, [("gateway", "model")])
    assert probed.report["direct"]["ok"] is True


def test_a_difference_that_matters_is_a_fault(probe: Probe, upstream: FakeUpstream) -> None:
    usage = {"prompt_tokens": 11, "completion_tokens": 5}
    other = json_reply(completion("pong", model="else", usage=usage))
    upstream.answer(json_reply(completion("pong")), other)

    probed = probe("--no-stream")

    assert probed.exit_code == 1
    assert probed.report["differences"] == [
        {"name": "model", "direct": "upstream-model", "gateway": "else", "matters": True},
        {"name": "input_tokens", "direct": 10, "gateway": 11, "matters": False},
    ]


def test_counts_that_differ_are_no_fault(probe: Probe, upstream: FakeUpstream) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 9}
    upstream.answer(streamed("pong"), streamed("pong!", usage=usage))
    assert probe().exit_code == 0


def test_a_deployed_gateway_is_asked_by_its_url_and_key(
    probe: Probe, served: ServedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{served.port}"
    for given in (url, f"{url}/", f"{url}/v1"):
        probed = probe("--url", given, "--key", KEY)
        assert (probed.exit_code, probed.report["gateway"]["cost_nanousd"]) == (0, 50_000)

    refused = probe("--url", url, "--key", "another-key")
    assert (refused.exit_code, refused.causes) == (1, [("gateway", "key")])
    assert "--key or WAYSTATION_KEY" in refused.message("gateway")

    monkeypatch.setenv("WAYSTATION_KEY", KEY)
    assert probe("--url", url).exit_code == 0


def test_a_variable_missing_only_here_leaves_the_direct_call_out(
    probe: Probe, served: ServedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_KEY")
    url = f"http://127.0.0.1:{served.port}"

    probed = probe("--url", url, "--key", KEY)

    assert (probed.exit_code, probed.causes) == (0, [("direct", "variable")])
    assert "${ACME_KEY}" in probed.message()
    assert probed.report["direct"] is None

    alone = probe_json("Acme", "--url", url, "--key", KEY, "--model", "acme-large")
    assert (alone.exit_code, alone.causes) == (0, [])


def test_people_get_a_table() -> None:
    result = run("probe", "Demo")

    assert (result.exit_code, result.stderr) == (0, "")
    lines = [[cell.strip() for cell in line.split("│")] for line in result.stdout.splitlines()]
    rows = {cells[1]: cells[2:4] for cells in lines if len(cells) > 3}
    assert rows["status"] == ["200", "200"]
    assert rows["cost"] == ["-", "0.000012975 USD"]
    assert "reasoning tokens" not in rows
    assert result.stdout.splitlines()[0] == "Demo: demo-small, streamed"
    assert result.stdout.endswith("Both ways work.\n")


def test_estimated_counts_are_told_as_such(probe: Probe, upstream: FakeUpstream) -> None:
    upstream.answer(json_reply(completion("pong", usage=None)))

    told = probe("--no-stream").report["gateway"]

    assert told["tokens_estimated"] is True
    assert told["input_tokens"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Acme", "--config", "nothing"), "nothing is not a file"),
        (("Other",), "there is no endpoint 'Other' in the file; it has: Demo, Mistral"),
        (("Acme", "--url", "http://x", "--key", "k"), "without --config, say which --model"),
        (("Acme", "--url", "http://x", "--model", "m"), "--url needs --key, or WAYSTATION_KEY"),
        (
            ("Acme", "--url", "x.test", "--model", "m", "--key", "k"),
            "--url must be an http or https URL, such as the one that `sam deploy` prints",
        ),
        (
            ("Acme", "--url", "http://x", "--model", "m", "--key", "\xe9"),
            "--key must be visible ASCII of at most 512 characters",
        ),
    ],
    ids=["file", "endpoint", "model", "key", "url", "bad key"],
)
def test_nothing_to_ask_is_status_2(arguments: tuple[str, ...], message: str) -> None:
    result = run("probe", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"error: {message}\n")


def test_a_file_that_is_none_is_status_2(tmp_path: Path) -> None:
    config, user = tmp_path / "librechat.yaml", tmp_path / "user.json"
    config.write_text("endpoints: 7")
    user.write_text("[]")

    results = [run("probe", "A", "--config", str(config)), run("probe", "A", "--user", str(user))]

    assert [result.exit_code for result in results] == [2, 2]
    assert results[0].stderr.startswith(f"error: {config}:1: endpoints: ")
    assert results[1].stderr == f"error: {user}: a user must be a JSON object\n"


def test_an_entry_that_is_broken_is_named_by_its_fault(probe: Probe) -> None:
    probed = probe(models={"default": []})

    assert (probed.exit_code, probed.causes) == (1, [("direct", "config")])
    assert "endpoints.custom[0].models.default" in probed.message()
